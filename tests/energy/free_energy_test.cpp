#include <gtest/gtest.h>

#include <algorithm>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/quadratic.h"
#include "energy/marginal/closed_form.h"
#include "oracle.h"

namespace basin::test {
namespace {

/// One latent of every domain, all coupled to v.
struct FreeEnergyTest : testing::Test {
  FreeEnergyTest() {
    for (const Variable& latent : {h, y, x, z}) {
      graph.add(Bias(latent)).add(Bilinear(v, latent, Key(1)));
    }
    graph.add(Bias(v)).add(Quadratic(x)).add(Quadratic(z));
    randomise(graph, Key(2));
  }

  /// The graph without the factors that read another latent than `kept`.
  FactorGraph only(const Block& kept) const {
    FactorGraph part;
    for (const Variable& variable : graph.variables()) {
      part.variable(variable.name, variable.domain, variable.shape);
    }
    for (const FactorGraph::Term& term : graph.terms()) {
      bool inside = true;
      for (const Variable& variable : term.factor->scope()) {
        inside = inside && (variable == v || std::find(kept.begin(), kept.end(), variable) != kept.end());
      }
      if (inside) part.add(term.factor);
    }
    return part;
  }

  State sample(Index n) const { return State().set(v, at.rows(n, n + 1)); }

  FactorGraph graph;
  Variable v = graph.real("v", {2}), h = graph.binary("h", {3}), y = graph.categorical("y", {2, 3}),
           x = graph.real("x", {1}), z = graph.non_negative("z", {1});
  Tensor at = normal(Key(3), {4, 2}, f64());
};

TEST_F(FreeEnergyTest, BinaryAndCategoricalAgreeWithEnumeration) {
  for (const Block& latents : {Block{h}, Block{y}, Block{h, y}}) {
    const FactorGraph part = only(latents);
    const std::vector<double> received = free_energy(part, latents, State().set(v, at)).tensor().values();
    const std::vector<double> lowest = min_energy(part, latents, State().set(v, at)).tensor().values();
    for (Index n = 0; n < 4; ++n) {
      const Distribution all = distribution(part, latents, sample(n));
      EXPECT_NEAR(received[static_cast<std::size_t>(n)], -all.log_total, 1e-12);
      const std::vector<double> energies = part.energy(all.states).tensor().values();
      EXPECT_NEAR(lowest[static_cast<std::size_t>(n)], *std::min_element(energies.begin(), energies.end()),
                  1e-12);
    }
  }
}

TEST_F(FreeEnergyTest, RealAndNonNegativeAgreeWithQuadrature) {
  for (const Variable& latent : {x, z}) {
    const FactorGraph part = only({latent});
    const std::vector<double> received = free_energy(part, {latent}, State().set(v, at)).tensor().values();
    const std::vector<double> lowest = min_energy(part, {latent}, State().set(v, at)).tensor().values();
    for (Index n = 0; n < 4; ++n) {
      const double from = latent == x ? -50.0 : 0.0;
      EXPECT_NEAR(received[static_cast<std::size_t>(n)],
                  -quadrature(part, latent, sample(n), from, 50.0).log_total, 1e-6)
          << latent.name;
      std::vector<double> grid;
      for (int i = 0; i <= 100000; ++i) grid.push_back(from + i * 1e-3);
      const Index count = static_cast<Index>(grid.size());
      const State states = State()
                               .set(latent, numbers(grid, {count, 1}))
                               .set(v, repeated(sample(n)[v].tensor().values(), v, count));
      const std::vector<double> energies = part.energy(states).tensor().values();
      EXPECT_NEAR(lowest[static_cast<std::size_t>(n)], *std::min_element(energies.begin(), energies.end()),
                  1e-5)
          << latent.name;
    }
  }
}

// log of the integral of exp(a z - z^2/2) over z >= 0: by erfc, and in the tail by Laplace's continued
// fraction, y + 1/(y + 2/(y + ...)) with y = -a, whose logarithm it is but for the sign.
TEST_F(FreeEnergyTest, ANonNegativeUnitFarInItsTailKeepsItsDigits) {
  const auto truth = [](double a) {
    if (a > -4.0)
      return 0.5 * a * a + std::log(0.5 * std::erfc(-a / std::sqrt(2.0))) + 0.5 * std::log(2.0 * M_PI);
    double tail = -a;
    for (int k = 80; k >= 1; --k) tail = k / tail - a;
    return -std::log(tail);
  };
  FactorGraph one;
  const Variable unit = one.non_negative("u", {1});
  one.add(Bias(unit)).add(Quadratic(unit));
  for (const Placement& where : {f32(), f64()}) {
    one.to(where);
    const double rounding = where.dtype == Dtype::F32 ? 6e-8 : 1.1e-16;
    for (const double a : {20.0, 2.0, 0.0, -0.5, -2.0, -5.0, -30.0, -300.0, -30000.0}) {
      one.parameter("u.bias").tensor().fill(a);
      const double received = -free_energy(one, {unit}, State()).item();
      EXPECT_NEAR(received, truth(a), 10.0 * rounding * std::max(1.0, std::abs(truth(a)))) << a;
    }
  }
  // Its slope is the mean phi(a)/Phi(a) + a, at the seam of both formulas too, and the slope's the variance.
  const Value a = Value::leaf(numbers({0.0, 1e-9, -1e-9}, {3}));
  const Value slope =
      grad(sum(log_normaliser(Domain::NonNegative, a, ones_like(a))), {a}, {.differentiable = true}).front();
  for (const double mean : slope.tensor().values()) EXPECT_NEAR(mean, std::sqrt(2.0 / M_PI), 1e-8);
  for (const double variance : grad(sum(slope), {a}).front().tensor().values())
    EXPECT_NEAR(variance, 1.0 - 2.0 / M_PI, 1e-8);
}

TEST_F(FreeEnergyTest, AMixedBlockIsTheSumOfItsParts) {
  // Given v the latents are independent, so that F - E(v alone) adds up.
  const State state = State().set(v, at);
  const std::vector<double> whole = free_energy(graph, {h, y, x, z}, state).tensor().values(),
                            alone = only({}).energy(state).tensor().values();
  std::vector<double> expected = alone;
  for (const Variable& latent : {h, y, x, z}) {
    const std::vector<double> part = free_energy(only({latent}), {latent}, state).tensor().values();
    for (std::size_t n = 0; n < 4; ++n) expected[n] += part[n] - alone[n];
  }
  for (std::size_t n = 0; n < 4; ++n) EXPECT_NEAR(whole[n], expected[n], 1e-12);
}

TEST_F(FreeEnergyTest, WithoutLatentsItIsTheEnergy) {
  const FactorGraph part = only({});
  EXPECT_EQ(free_energy(part, {}, State().set(v, at)).tensor().values(),
            part.energy(State().set(v, at)).tensor().values());
}

TEST_F(FreeEnergyTest, TheTextbookFormulaOfAnRbm) {
  FactorGraph rbm;
  const Variable a = rbm.binary("a", {4}), b = rbm.binary("b", {3});
  rbm.add(Bias(a)).add(Bias(b)).add(Bilinear(a, b, Key(1)));
  randomise(rbm, Key(2), 3.0);
  const std::vector<double> bias = rbm.parameters()[0].tensor().values(),
                            c = rbm.parameters()[1].tensor().values(),
                            w = rbm.parameters()[2].tensor().values();
  const State states = enumerate_states({a}, 0, 16, f64());
  const std::vector<double> received = free_energy(rbm, {b}, states).tensor().values(),
                            on = states[a].tensor().values();
  for (std::size_t n = 0; n < 16; ++n) {
    double expected = 0.0;
    for (std::size_t i = 0; i < 4; ++i) expected -= bias[i] * on[n * 4 + i];
    for (std::size_t j = 0; j < 3; ++j) {
      double input = c[j];
      for (std::size_t i = 0; i < 4; ++i) input += on[n * 4 + i] * w[i * 3 + j];
      expected -= std::log1p(std::exp(input));
    }
    EXPECT_NEAR(received[n], expected, 1e-12);
  }
}

TEST_F(FreeEnergyTest, DifferentiableByTheRest) {
  EXPECT_EQ(gradcheck(
                [&](const std::vector<Value>& x0) {
                  return free_energy(graph, {h, y, x, z}, State().set(v, x0[0]));
                },
                {at}),
            "");
}

TEST_F(FreeEnergyTest, DifferentiableByTheParameters) {
  const auto output = [&] { return sum(free_energy(graph, {h, y, x, z}, State().set(v, at))); };
  for (Parameter parameter : graph.parameters()) {
    const std::vector<double> received = grad(output(), {parameter.value()})[0].tensor().values();
    const Tensor centre = parameter.tensor();
    std::vector<double> values = centre.values();
    constexpr double kStep = 1e-5;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double middle = values[i];
      const auto at_offset = [&](double offset) {
        values[i] = middle + offset;
        parameter.set(numbers(values, centre.shape()));
        return output().item();
      };
      const double difference = (at_offset(kStep) - at_offset(-kStep)) / (2 * kStep);
      values[i] = middle;
      EXPECT_NEAR(received[i], difference, 1e-6 * (1.0 + std::abs(difference)))
          << parameter.name() << " " << i;
    }
    parameter.set(centre);
  }
}

TEST_F(FreeEnergyTest, MinEnergyFollowsTheEnvelopeTheorem) {
  // dF/dv = dE/dv with the latents held at their minimisers: thresholds, one-hot maxima, -g/h, max(0, -g/h).
  const State state = State().set(v, at);
  const Value leaf = Value::leaf(at);
  const std::vector<double> received =
      grad(sum(min_energy(graph, {h, y, x, z}, State().set(v, leaf))), {leaf})[0].tensor().values();
  State best = state;
  for (const Variable& latent : {h, y}) {
    Tensor highest;
    for (Index n = 0; n < 4; ++n) {
      const FactorGraph part = only({latent});
      const Distribution all = distribution(part, {latent}, sample(n));
      const auto mode = std::max_element(all.weight.begin(), all.weight.end()) - all.weight.begin();
      const Value row = all.states[latent].tensor().rows(mode, mode + 1);
      highest = highest.defined() ? concat({highest, row}, 0).tensor() : row.tensor();
    }
    best.set(latent, highest);
  }
  const auto slope_and_minimum = [&](const Variable& latent) {
    const State zero = State().set(v, at).set(latent, Value::leaf(Tensor::zeros({4, 1}, f64())));
    const std::vector<Value> point = {zero[latent]};
    const Value slope = grad(sum(only({latent}).energy(zero)), point, {.differentiable = true})[0];
    return -slope.detached() / grad(sum(slope), point)[0];
  };
  best.set(x, slope_and_minimum(x)).set(z, relu(slope_and_minimum(z)));
  const std::vector<double> expected =
      grad(sum(graph.energy(best.with(v, leaf))), {leaf})[0].tensor().values();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(received[i], expected[i], 1e-10);
}

/// Counts how often the energy is evaluated.
class Counting final : public Factor {
 public:
  Counting(Variable v, Variable h, int* calls) : inner_(std::move(v), std::move(h), Key(1)), calls_(calls) {}
  std::string name() const override { return "Counting"; }
  std::vector<Variable> scope() const override { return inner_.scope(); }
  Value energy(const State& state) const override {
    ++*calls_;
    return inner_.energy(state);
  }
  Order order_in(const Variable& variable) const override { return inner_.order_in(variable); }

 private:
  Bilinear inner_;
  int* calls_;
};

TEST_F(FreeEnergyTest, EvaluatesTheEnergyOnce) {
  int calls = 0;
  FactorGraph counted;
  const Variable a = counted.real("a", {2}), b = counted.binary("b", {3});
  counted.add(Counting(a, b, &calls));
  const State state = State().set(a, Tensor::zeros({4, 2}));
  (void)free_energy(counted, {b}, state);
  calls = 0;  // the first call probed what the factor declares
  (void)free_energy(counted.scaled(2.0), {b}, state);
  EXPECT_EQ(calls, 1);
}

TEST_F(FreeEnergyTest, RefusesFlatRealLatents) {
  FactorGraph flat;
  const Variable a = flat.real("a", {2});
  flat.add(Bias(a));
  flat.to(f64());
  EXPECT_TRUE(contains(error_of([&] { free_energy(flat, {a}, {}); }), "add Quadratic(a)"));
}

}  // namespace
}  // namespace basin::test
