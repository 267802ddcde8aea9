#include "energy/marginal/conditional.h"

#include <gtest/gtest.h>

#include <numbers>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/network.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/quadratic.h"
#include "energy/factors/squared_error.h"
#include "modules/linear.h"
#include "oracle.h"

namespace basin::test {
namespace {

/// Compares the mean of every sample of the conditional with sums over all states of the block given that
/// sample.
void expect_enumerated_means(const FactorGraph& graph, const Block& block, const Variable& given,
                             const Tensor& values) {
  const std::vector<Conditional> conditionals = conditional(graph, block, State().set(given, values));
  for (Index n = 0; n < values.dim(0); ++n) {
    const Distribution all = distribution(graph, block, State().set(given, values.rows(n, n + 1)));
    for (const Conditional& each : conditionals) {
      const std::vector<double> expected = all.mean(each.variable),
                                received = each.mean().tensor().rows(n, n + 1).values();
      EXPECT_EQ(each.mean().shape(), batched(each.variable, values.dim(0)));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(received[i], expected[i], 1e-12) << each.variable.name << " of sample " << n;
      }
    }
  }
}

TEST(ConditionalTest, BinaryAgreesWithEnumeration) {
  FactorGraph graph;
  const Variable v = graph.real("v", {2, 2}), h = graph.binary("h", {2, 3});
  graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
  randomise(graph, Key(2));
  expect_enumerated_means(graph, {h}, v, normal(Key(3), {4, 2, 2}, f64()));
}

TEST(ConditionalTest, EitherSideOfABilinear) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), h = graph.binary("h", {2});
  graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
  randomise(graph, Key(2));
  expect_enumerated_means(graph, {v}, h, bernoulli(Key(3), Tensor::full({4, 2}, 0.5, f64())));
}

TEST(ConditionalTest, CategoricalAgreesWithEnumeration) {
  FactorGraph graph;
  const Variable v = graph.real("v", {3}), y = graph.categorical("y", {2, 4});
  graph.add(Bias(y)).add(Bilinear(v, y, Key(1)));
  randomise(graph, Key(2));
  expect_enumerated_means(graph, {y}, v, normal(Key(3), {4, 3}, f64()));
}

TEST(ConditionalTest, BinaryAndCategoricalTogether) {
  FactorGraph graph;
  const Variable v = graph.real("v", {3}), h = graph.binary("h", {3}), y = graph.categorical("y", {3});
  graph.add(Bias(h)).add(Bilinear(v, y, Key(1))).add(Bilinear(h, v, Key(4)));
  randomise(graph, Key(2));
  expect_enumerated_means(graph, {h, y}, v, normal(Key(3), {4, 3}, f64()));
}

TEST(ConditionalTest, GaussianInClosedForm) {
  FactorGraph graph;
  const Variable v = graph.real("v", {2}), h = graph.binary("h", {3});
  graph.add(Quadratic(v)).add(Bias(v)).add(Bilinear(v, h, Key(1)));
  randomise(graph, Key(2));
  const std::vector<Parameter> parameters = graph.parameters();
  const std::vector<double> s = parameters[0].tensor().values(), b = parameters[1].tensor().values(),
                            w = parameters[2].tensor().values();
  const std::vector<double> on = {1, 0, 1, 0, 1, 1};
  const Conditional received = conditional(graph, {v}, State().set(h, numbers(on, {2, 3})))[0];
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t i = 0; i < 2; ++i) {
      double total = b[i];
      for (std::size_t j = 0; j < 3; ++j) total += w[i * 3 + j] * on[n * 3 + j];
      EXPECT_NEAR(received.precision.tensor().values()[n * 2 + i], std::exp(s[i]), 1e-12);
      EXPECT_NEAR(received.mean().tensor().values()[n * 2 + i], total / std::exp(s[i]), 1e-12);
    }
  }
}

TEST(ConditionalTest, GaussianAroundAModulesOutput) {
  FactorGraph graph;
  const Variable t = graph.real("t", {2, 2}), s = graph.real("s", {3});
  graph.add(SquaredError(t, Linear(3, 4, Key(1)), s, {.weight = 2.5}));
  randomise(graph, Key(2));
  const Tensor at = normal(Key(3), {5, 3}, f64());
  const Conditional received = conditional(graph, {t}, State().set(s, at))[0];
  const auto* factor = dynamic_cast<const SquaredError*>(graph.terms()[0].factor.get());
  const std::vector<double> expected = factor->module().forward(at).tensor().values(),
                            mean = received.mean().tensor().values();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(mean[i], expected[i], 1e-12);
    EXPECT_NEAR(received.precision.tensor().values()[i], 2.5, 1e-12);
  }
}

/// One non-negative unit z with precision e and drive d.
struct Truncated {
  explicit Truncated(double drive) {
    graph.add(Quadratic(z, {.precision = Precision::Fixed, .log_precision = 1.0})).add(Bias(z));
    graph.to(f64());
    graph.parameters()[0].tensor().fill(drive);
  }
  FactorGraph graph;
  Variable z = graph.non_negative("z", {1});
};

TEST(ConditionalTest, NonNegativeAgreesWithQuadrature) {
  // a = drive / sqrt(precision) runs from deep in the tail, through both formulas and their seam at -4, to
  // untruncated.
  for (const double drive : {-80.0, -20.0, -6.7, -6.5, -3.0, 0.0, 1.0, 30.0}) {
    const Truncated model(drive);
    const double mode = std::max(0.0, drive / std::exp(1.0)), width = 30.0 / std::max(std::exp(0.5), -drive);
    const Moments expected = quadrature(model.graph, model.z, {}, std::max(0.0, mode - width), mode + width);
    const double received =
        conditional(model.graph, {model.z}, State().set(model.z, numbers({7.0}, {1, 1})))[0].mean().item();
    EXPECT_NEAR(received / expected.mean, 1.0, 1e-6) << drive;
  }
}

TEST(ConditionalTest, NonNegativeIsAccurateInF32FarInTheTail) {
  Truncated model(-1000.0);
  model.graph.to(f32());
  const double mean =
      conditional(model.graph, {model.z}, State().set(model.z, Tensor::zeros({1, 1}, f32())))[0]
          .mean()
          .item();
  EXPECT_NEAR(mean * 1000.0, 1.0, 1e-4) << "an exponential of rate 1000";
}

TEST(ConditionalTest, MixedDomainsInOneBlock) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), h = graph.binary("h", {2}), x = graph.real("x", {2}),
                 z = graph.non_negative("z", {1});
  graph.add(Bias(h)).add(Bilinear(v, h, Key(1))).add(Bilinear(v, x, Key(1))).add(Bilinear(z, v, Key(1)));
  graph.add(Quadratic(x)).add(Quadratic(z)).add(Bias(x)).add(L1(z, 0.4));
  randomise(graph, Key(2));
  require_no_interaction(graph, {h, x, z}, {});
  const State given = State().set(v, numbers({1, 0, 1, 0, 1, 1}, {2, 3}));
  const std::vector<Conditional> together = conditional(graph, {z, h, x}, given);
  for (const Conditional& each : together) {
    const Conditional alone = conditional(graph, {each.variable}, given)[0];
    const std::vector<double> expected = alone.mean().tensor().values(),
                              received = each.mean().tensor().values();
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(received[i], expected[i], 1e-12) << each.variable.name;
  }
  for (Index n = 0; n < 2; ++n) {
    const Moments expected = quadrature(graph, z,
                                        State()
                                            .set(v, given[v].tensor().rows(n, n + 1))
                                            .set(h, numbers({0, 0}, {1, 2}))
                                            .set(x, numbers({0, 0}, {1, 2})),
                                        0.0, 40.0);
    EXPECT_NEAR(together[0].mean().tensor().values()[static_cast<std::size_t>(n)], expected.mean, 1e-5);
  }
}

TEST(ConditionalTest, MeansAreDifferentiableByTheRest) {
  FactorGraph graph;
  const Variable v = graph.real("v", {3});
  const Block block = {graph.binary("h", {2}), graph.categorical("y", {3}), graph.real("x", {2}),
                       graph.non_negative("z", {2})};
  for (const Variable& variable : block) {
    graph.add(Bilinear(v, variable, Key(1)));
  }
  graph.add(Quadratic(block[2])).add(Quadratic(block[3]));
  randomise(graph, Key(2));
  const auto means = [&](const std::vector<Value>& at) {
    std::vector<Value> parts;
    for (const Conditional& each :
         conditional(graph, block, State().set(v, at[0]), {.differentiable = true})) {
      parts.push_back(flatten(each.mean()));
    }
    return concat(parts, 1);
  };
  EXPECT_EQ(gradcheck(means, {normal(Key(3), {4, 3}, f64())}), "");
  EXPECT_TRUE(means({Value(normal(Key(3), {4, 3}, f64()))}).tracked()) << "by the parameters";
  for (const Conditional& each :
       conditional(graph, block, State().set(v, Value::leaf(normal(Key(3), {4, 3}, f64()))))) {
    EXPECT_FALSE(each.mean().tracked()) << each.variable.name;
  }
}

/// Draws have the conditional's mean (|z| < 4.5 for every unit) and variance.
void expect_moments(const Conditional& drawn, double mean, double variance, double fourth) {
  const std::vector<double> values = drawn.sample(Key(9)).values();
  const auto n = static_cast<double>(values.size());
  double one = 0.0, two = 0.0;
  for (const double value : values) one += value / n;
  for (const double value : values) two += (value - mean) * (value - mean) / n;
  EXPECT_LT(std::abs(one - mean), 4.5 * std::sqrt(variance / n)) << drawn.variable.name;
  EXPECT_LT(std::abs(two - variance), 4.5 * std::sqrt((fourth - variance * variance) / n))
      << drawn.variable.name;
}

TEST(ConditionalTest, SamplesHaveTheRightMoments) {
  constexpr Index kCount = 40000;
  FactorGraph graph;
  const Variable b = graph.binary("b", {1}), x = graph.real("x", {1}), z = graph.non_negative("z", {1});
  const Value ones = Tensor::full({kCount, 1}, 1.0, f64());
  const double p = 1.0 / (1.0 + std::exp(-0.4));
  expect_moments({b, ones * 0.4, {}}, p, p * (1 - p), p * (1 - p) * (1 - 3 * p * (1 - p)));
  expect_moments({x, ones * 0.4, ones * 4.0}, 0.4, 0.25, 3.0 / 16.0);
  // A normal of mean 0 truncated to [0, inf) is half normal: mean sqrt(2 / pi), variance 1 - 2 / pi, fourth
  // central moment below.
  const double m = std::sqrt(2.0 / std::numbers::pi);
  expect_moments({z, ones * 0.0, ones * 1.0}, m, 1 - m * m,
                 3 - 4 * m * (2 * m) + 6 * m * m - 3 * m * m * m * m);
}

TEST(ConditionalTest, SamplesUseThePrecisionOfTheirOwnRow) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2});
  const std::vector<double> precision = {1.0, 4.0, 100.0, 10000.0};
  const Tensor mean = numbers({0.0, 0.0, 3.0, -3.0}, {2, 2});
  const std::vector<double> unit =
      Conditional{x, Tensor::zeros({2, 2}, f64()), Tensor::full({2, 2}, 1.0, f64())}.sample(Key(1)).values();
  const std::vector<double> drawn = Conditional{x, mean, numbers(precision, {2, 2})}.sample(Key(1)).values();
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(drawn[i], mean.values()[i] + unit[i] / std::sqrt(precision[i]), 1e-9);
  }
}

TEST(ConditionalTest, CategoricalSamplesAreOneHotWithTheRightFrequencies) {
  constexpr Index kCount = 40000;
  FactorGraph graph;
  const Variable y = graph.categorical("y", {2, 3});
  const Conditional drawn{
      y, broadcast_to(numbers({0.0, 1.0, -1.0, 2.0, 0.0, 0.5}, {1, 2, 3}), {kCount, 2, 3}), {}};
  const std::vector<double> p = drawn.mean().tensor().rows(0, 1).values();
  const Tensor sample = drawn.sample(Key(9));
  for (const double count : sum(sample, {-1}).tensor().values()) {
    ASSERT_EQ(count, 1.0);
  }
  const std::vector<double> mean = basin::mean(sample, {0}).tensor().values();
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_LT(std::abs(mean[i] - p[i]), 4.5 * std::sqrt(p[i] * (1 - p[i]) / kCount));
  }
}

TEST(ConditionalTest, SamplesDependOnKeyAndNameOnly) {
  FactorGraph graph;
  const Variable a = graph.real("a", {3}), b = graph.real("b", {3});
  const Value mean = Tensor::zeros({4, 3}, f64()), precision = Tensor::full({4, 3}, 1.0, f64());
  const std::vector<double> first = Conditional{a, mean, precision}.sample(Key(1)).values();
  EXPECT_EQ(first, (Conditional{a, mean, precision}.sample(Key(1)).values()));
  EXPECT_NE(first, (Conditional{a, mean, precision}.sample(Key(2)).values()));
  EXPECT_NE(first, (Conditional{b, mean, precision}.sample(Key(1)).values()));
  const std::vector<double> fewer =
      Conditional{a, mean.tensor().rows(0, 2), precision.tensor().rows(0, 2)}.sample(Key(1)).values();
  EXPECT_EQ(fewer, std::vector<double>(first.begin(), first.begin() + 6))
      << "a draw does not depend on the length of the batch";
  EXPECT_EQ((Conditional{a, Tensor(Shape{0, 3}, f64()), Tensor(Shape{0, 3}, f64())}.sample(Key(1)).shape()),
            (Shape{0, 3}));
}

TEST(ConditionalTest, RefusesEnergiesThatAreNotConvex) {
  FactorGraph graph;
  const Variable v = graph.real("v", {2}), h = graph.binary("h", {2});
  graph.add(Bilinear(v, h, Key(1)));
  graph.to(f64());
  const State state = State().set(h, numbers({1, 0}, {1, 2}));
  EXPECT_TRUE(contains(error_of([&] { conditional(graph, {v}, state); }),
                       "convex in v (curvature > 0), received 0; add Quadratic(v)"));
  graph.add(Quadratic(v), -1.0);
  graph.to(f64());
  EXPECT_TRUE(contains(error_of([&] { conditional(graph, {v}, state); }), "received -1"));
}

TEST(ConditionalTest, RefusesBlocksThatAreNotOfTheGraph) {
  FactorGraph graph, other;
  const Variable h = graph.binary("h", {2}), foreign = other.binary("foreign", {2});
  graph.add(Bias(h));
  EXPECT_TRUE(contains(error_of([&] { conditional(graph, {foreign}, {}); }),
                       "variable foreign, which is not of this graph"));
  EXPECT_TRUE(contains(error_of([&] {
                         conditional(graph, {h, h}, {});
                       }),
                       "block {h, h} has variable h twice"));
}

}  // namespace
}  // namespace basin::test
