#include <gtest/gtest.h>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/network.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/quadratic.h"
#include "energy/factors/squared_error.h"
#include "energy/graph.h"
#include "modules/linear.h"
#include "oracle.h"

namespace basin::test {
namespace {

/// One variable x of shape {2, 3}, one y of shape {4}, five samples of both.
struct FactorsTest : testing::Test {
  FactorGraph graph;
  Variable x = graph.real("x", {2, 3}), y = graph.real("y", {4}), z = graph.non_negative("z", {4});
  Tensor at_x = normal(Key(11), {5, 2, 3}, f64()), at_y = normal(Key(12), {5, 4}, f64());

  State state() const { return State().set(x, at_x).set(y, at_y).set(z, abs(Value(at_y))); }

  /// Gradients and Hessians by the inputs (through gradcheck) and by every parameter (by differences of
  /// Parameter::set).
  void check() {
    EXPECT_EQ(gradcheck(
                  [&](const std::vector<Value>& at) {
                    return graph.energy(State().set(x, at[0]).set(y, at[1]).set(z, square(at[1])));
                  },
                  {at_x, at_y}),
              "");
    for (Parameter parameter : graph.parameters()) {
      const Tensor centre = parameter.tensor();
      const Value weights = normal(Key(13), {5}, f64());
      const Value direction = normal(Key(14), centre.shape(), f64());
      const auto output = [&] { return sum(weights * graph.energy(state())); };
      const auto slope = [&](bool differentiable) {
        return grad(output(), std::vector<Value>{parameter.value()}, {.differentiable = differentiable})[0];
      };
      const auto shifted = [&](double step) { parameter.set((Value(centre) + direction * step).tensor()); };
      const double first = sum(slope(false) * direction).item();
      const std::vector<double> second =
          hessian_vector_product(output(), {parameter.value()}, {direction})[0].tensor().values();
      constexpr double kStep = 1e-5;
      shifted(kStep);
      const double above = output().item();
      const std::vector<double> slope_above = slope(false).tensor().values();
      shifted(-kStep);
      const double below = output().item();
      const std::vector<double> slope_below = slope(false).tensor().values();
      parameter.set(centre);
      EXPECT_NEAR((above - below) / (2 * kStep), first, 1e-6 * (1.0 + std::abs(first))) << parameter.name();
      for (std::size_t i = 0; i < second.size(); ++i) {
        EXPECT_NEAR((slope_above[i] - slope_below[i]) / (2 * kStep), second[i],
                    1e-6 * (1.0 + std::abs(second[i])))
            << parameter.name();
      }
    }
  }
};

TEST_F(FactorsTest, Bias) {
  graph.add(Bias(x));
  EXPECT_EQ(graph.energy(State().set(x, Value(at_x.to(Placement{})))).tensor().values(),
            std::vector<double>(5, 0.0))
      << "zeros at first";
  randomise(graph, Key(1));
  const auto* bias = dynamic_cast<const Bias*>(graph.terms()[0].factor.get());
  EXPECT_EQ(bias->bias().name(), "x.bias");
  const std::vector<double> b = bias->bias().tensor().values(), v = at_x.values();
  const std::vector<double> energy = graph.energy(state()).tensor().values();
  for (std::size_t n = 0; n < 5; ++n) {
    double expected = 0.0;
    for (std::size_t i = 0; i < 6; ++i) expected -= b[i] * v[n * 6 + i];
    EXPECT_NEAR(energy[n], expected, 1e-12);
  }
  check();
}

TEST_F(FactorsTest, Bilinear) {
  graph.add(Bilinear(x, y, Key(5), {.scale = 0.5}));
  const Parameter weight = graph.parameters()[0];
  EXPECT_EQ(weight.name(), "x.y.weight");
  EXPECT_EQ(weight.tensor().shape(), (Shape{6, 4}));
  graph.to(f64());
  const std::vector<double> drawn = normal(Key(5), {6, 4}, {Dtype::F64, Device::Cpu}).values();
  const std::vector<double> w = weight.tensor().values(), v = at_x.values(), h = at_y.values();
  for (std::size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(w[i], 0.5 * drawn[i], 1e-5);
  const std::vector<double> energy = graph.energy(state()).tensor().values();
  for (std::size_t n = 0; n < 5; ++n) {
    double expected = 0.0;
    for (std::size_t i = 0; i < 6; ++i) {
      for (std::size_t j = 0; j < 4; ++j) expected -= v[n * 6 + i] * w[i * 4 + j] * h[n * 4 + j];
    }
    EXPECT_NEAR(energy[n], expected, 1e-12);
  }
  check();
}

TEST_F(FactorsTest, BilinearGivesTheSameEnergyWhicheverSideIsDifferentiated) {
  graph.add(Bilinear(x, y, Key(5), {.scale = 0.5}));
  graph.to(f64());
  const std::vector<double> constant = graph.energy(state()).tensor().values();
  const Value left = graph.energy(state().with(x, Value::leaf(at_x)));
  const Value right = graph.energy(state().with(y, Value::leaf(at_y)));
  for (std::size_t n = 0; n < 5; ++n) {
    EXPECT_NEAR(left.tensor().values()[n], constant[n], 1e-12);
    EXPECT_NEAR(right.tensor().values()[n], constant[n], 1e-12);
  }
}

TEST_F(FactorsTest, QuadraticPerUnit) {
  graph.add(Quadratic(x));
  randomise(graph, Key(1));
  const auto* quadratic = dynamic_cast<const Quadratic*>(graph.terms()[0].factor.get());
  const std::vector<double> s = quadratic->log_precision()->tensor().values(), v = at_x.values();
  const std::vector<double> precision = quadratic->precision(f64()).tensor().values();
  const std::vector<double> energy = graph.energy(state()).tensor().values();
  for (std::size_t n = 0; n < 5; ++n) {
    double expected = 0.0;
    for (std::size_t i = 0; i < 6; ++i) {
      expected += 0.5 * std::exp(s[i]) * v[n * 6 + i] * v[n * 6 + i];
      EXPECT_NEAR(precision[i], std::exp(s[i]), 1e-12);
    }
    EXPECT_NEAR(energy[n], expected, 1e-12);
  }
  check();
}

TEST_F(FactorsTest, QuadraticFixed) {
  const Quadratic fixed(x, {.precision = Precision::Fixed, .log_precision = 0.7});
  graph.add(fixed);
  EXPECT_TRUE(graph.parameters().empty());
  const std::vector<double> v = at_x.values(), energy = graph.energy(state()).tensor().values();
  for (std::size_t n = 0; n < 5; ++n) {
    double expected = 0.0;
    for (std::size_t i = 0; i < 6; ++i) expected += 0.5 * std::exp(0.7) * v[n * 6 + i] * v[n * 6 + i];
    EXPECT_NEAR(energy[n], expected, 1e-12);
  }
  EXPECT_NEAR(fixed.precision(f64()).tensor().values()[5], std::exp(0.7), 1e-12);
  check();
}

TEST_F(FactorsTest, SquaredError) {
  graph.add(SquaredError(x, Linear(4, 6, Key(3)), y, {.weight = 1.7}));
  randomise(graph, Key(1));
  const std::vector<Parameter> parameters = graph.parameters();
  ASSERT_EQ(parameters.size(), 2U);
  EXPECT_EQ(parameters[0].name().substr(0, 4), "y.x.");
  const auto* factor = dynamic_cast<const SquaredError*>(graph.terms()[0].factor.get());
  const std::vector<double> prediction = factor->module().forward(at_y).tensor().values(), t = at_x.values();
  const std::vector<double> energy = graph.energy(state()).tensor().values();
  for (std::size_t n = 0; n < 5; ++n) {
    double expected = 0.0;
    for (std::size_t i = 0; i < 6; ++i)
      expected += 0.5 * 1.7 * std::pow(t[n * 6 + i] - prediction[n * 6 + i], 2);
    EXPECT_NEAR(energy[n], expected, 1e-12);
  }
  check();
}

TEST_F(FactorsTest, SquaredErrorChecksTheModuleWhenItIsMade) {
  EXPECT_TRUE(contains(error_of([&] { SquaredError(x, Linear(4, 5, Key(3)), y); }),
                       "[SquaredError(x, y)] expected the module to map [1, 4] to 6"));
  EXPECT_NE(error_of([&] { SquaredError(x, Linear(3, 6, Key(3)), y); }), "");
  EXPECT_TRUE(contains(error_of([&] { SquaredError(x, std::shared_ptr<const Module>(), y); }), "null"));
  EXPECT_TRUE(
      contains(error_of([&] { SquaredError(x, Linear(4, 6, Key(3)), y, {.weight = -1.0}); }), "weight >= 0"));
}

TEST_F(FactorsTest, L1AndItsProx) {
  graph.add(L1(z, 0.3));
  const L1 real(y, 0.3), positive(z, 0.3);
  const std::vector<double> v = at_y.values(), energy = real.energy(state()).tensor().values();
  for (std::size_t n = 0; n < 5; ++n) {
    double expected = 0.0;
    for (std::size_t i = 0; i < 4; ++i) expected += 0.3 * std::abs(v[n * 4 + i]);
    EXPECT_NEAR(energy[n], expected, 1e-12);
    EXPECT_NEAR(positive.energy(state()).tensor().values()[n], expected, 1e-12) << "z = |y|";
  }
  // The prox is the minimiser of step * E(z) + 1/2 |z - value|^2: no point of a fine grid is lower.
  constexpr double kStep = 2.0;
  const Value step = Tensor::full({1}, kStep, f64());
  const std::vector<double> shrunk = real.prox(y, at_y, step)->tensor().values(),
                            clipped = positive.prox(z, at_y, step)->tensor().values();
  const auto cost = [&](double at, double value) {
    return kStep * 0.3 * std::abs(at) + 0.5 * (at - value) * (at - value);
  };
  for (std::size_t i = 0; i < v.size(); ++i) {
    EXPECT_GE(clipped[i], 0.0);
    for (double at = -4.0; at <= 4.0; at += 0.01) {
      EXPECT_LE(cost(shrunk[i], v[i]), cost(at, v[i]) + 1e-12);
      if (at >= 0.0) {
        EXPECT_LE(cost(clipped[i], v[i]), cost(at, v[i]) + 1e-12);
      }
    }
  }
  EXPECT_FALSE(real.prox(x, at_x, step).has_value());
  check();
}

TEST_F(FactorsTest, L1RefusesDiscreteVariablesAndNegativeWeights) {
  const Variable b = graph.binary("b", {2});
  EXPECT_TRUE(contains(error_of([&] { L1(b, 1.0); }), "which is binary"));
  EXPECT_TRUE(contains(error_of([&] { L1(z, -1.0); }), "lambda >= 0"));
}

/// tanh of each input, squared: an energy with cross terms only through the sum over outputs.
class Squash final : public Module {
 public:
  Value forward(const Value& x, const Context&) const override { return square(tanh(x)) + 0.5; }
};

TEST_F(FactorsTest, NetworkOfOneVariableKeepsItsShape) {
  graph.add(Network(Squash(), {x}));
  const std::vector<double> v = at_x.values(), energy = graph.energy(state()).tensor().values();
  for (std::size_t n = 0; n < 5; ++n) {
    double expected = 0.0;
    for (std::size_t i = 0; i < 6; ++i) expected += std::pow(std::tanh(v[n * 6 + i]), 2) + 0.5;
    EXPECT_NEAR(energy[n], expected, 1e-12);
  }
  check();
}

TEST_F(FactorsTest, NetworkOfSeveralVariablesSeesThemSideBySide) {
  graph.add(Network(Linear(10, 3, Key(1)), {y, x}, {.label = "net"}));
  randomise(graph, Key(1));
  const std::vector<Parameter> parameters = graph.parameters();
  EXPECT_EQ(parameters[0].name().substr(0, 4), "net.");
  const Linear& linear =
      dynamic_cast<const Linear&>(dynamic_cast<const Network*>(graph.terms()[0].factor.get())->module());
  const std::vector<double> output = linear.forward(concat({at_y, flatten(at_x)}, 1)).tensor().values();
  const std::vector<double> energy = graph.energy(state()).tensor().values();
  for (std::size_t n = 0; n < 5; ++n) {
    EXPECT_NEAR(energy[n], output[n * 3] + output[n * 3 + 1] + output[n * 3 + 2], 1e-12);
  }
  check();
}

class Sum final : public Module {
 public:
  Value forward(const Value& x, const Context&) const override { return sum(x); }
};

TEST_F(FactorsTest, NetworkChecksTheModuleWhenItIsMade) {
  EXPECT_TRUE(contains(error_of([&] { Network(Sum(), {x}); }), "expected the module to return [N, ...]"));
  EXPECT_NE(error_of([&] { Network(Linear(5, 1, Key(1)), {x, y}); }), "");
  EXPECT_TRUE(contains(error_of([&] { Network(Linear(5, 1, Key(1)), {}); }), "no variable"));
}

}  // namespace
}  // namespace basin::test
