#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autograd/determinant.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/gaussian_components.h"
#include "energy/factors/independent_components.h"
#include "energy/factors/network.h"
#include "energy/objectives/density/expectation_maximisation.h"
#include "energy/objectives/latents/activity_sparsity.h"
#include "energy/objectives/mean_energy.h"
#include "gradients.h"
#include "modules/activation.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"

/// Densities of constant volume: mixtures of Gaussians, independent components.
namespace basin::test {
namespace {

struct Mixture {
  FactorGraph graph;
  Variable x, z;
};

Mixture mixture(Index size, Index components) {
  Mixture made;
  made.x = made.graph.real("x", {size});
  made.z = made.graph.categorical("z", {components});
  made.graph.add(GaussianComponents(made.x, made.z));
  randomise(made.graph, Key(1), 0.7);
  return made;
}

/// Samples of three round Gaussians of deviation 0.3.
const std::vector<std::vector<double>> kCentres = {{-2.0, 0.0}, {2.0, 1.0}, {0.0, -2.0}};

Tensor clusters(Index count) {
  std::vector<double> rows = normal(Key(5), {count, 2}, {Dtype::F64, Device::Cpu}).values();
  for (std::size_t n = 0; n < rows.size() / 2; ++n) {
    for (std::size_t i = 0; i < 2; ++i) rows[2 * n + i] = 0.3 * rows[2 * n + i] + kCentres[n % 3][i];
  }
  return numbers(rows, {count, 2});
}

TEST(GaussianComponentsTest, FreeEnergyIsMinusTheLogOfTheMixture) {
  const Mixture made = mixture(2, 3);
  const Tensor x = normal(Key(2), {4, 2}, f64());
  const std::vector<double> rows = x.values(), m = made.graph.parameter("z.x.mean").tensor().values(),
                            s = made.graph.parameter("z.x.log_precision").tensor().values(),
                            logits = made.graph.parameter("z.logits").tensor().values();
  const std::vector<double> found =
      free_energy(made.graph, {made.z}, State().set(made.x, x)).tensor().values();
  double norm = 0.0;
  for (const double logit : logits) norm += std::exp(logit);
  for (std::size_t n = 0; n < 4; ++n) {
    double p = 0.0;
    for (std::size_t k = 0; k < 3; ++k) {
      double log_p = logits[k] - std::log(norm);
      for (std::size_t i = 0; i < 2; ++i) {
        const double d = rows[2 * n + i] - m[2 * k + i], q = s[2 * k + i];
        log_p += 0.5 * (q - std::log(2.0 * M_PI) - std::exp(q) * d * d);
      }
      p += std::exp(log_p);
    }
    EXPECT_NEAR(found[n], -std::log(p), 1e-12);
  }
}

/// 1000 from 0 squares are 1e6 and their rounding 0.06; from the middle of the means they are below 20, of
/// numbers that f32 holds as they are.
TEST(GaussianComponentsTest, SamplesFarFromZeroKeepTheirLikelihood) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2}), z = graph.categorical("z", {3});
  graph.add(GaussianComponents(x, z));
  graph.to({Dtype::F32, device()});
  const std::vector<double> means = {-2, 0, 2, 1, 0, -2}, rows = {-1.75, 0.25, 2.125, 1.5, 0, 0};
  const auto moved = [](std::vector<double> all, double by) {
    for (double& number : all) number += by;
    return all;
  };
  const auto energies = [&](double by) {
    graph.parameter("z.x.mean")
        .tensor()
        .copy_from(Tensor::from(moved(means, by), {3, 2}, {Dtype::F32, device()}));
    const Tensor at = Tensor::from(moved(rows, by), {3, 2}, {Dtype::F32, device()});
    return free_energy(graph, {z}, State().set(x, at)).tensor().values();
  };
  graph.parameter("z.x.log_precision").tensor().fill(2.0);
  const std::vector<double> near = energies(0.0), far = energies(1024.0);
  for (std::size_t n = 0; n < near.size(); ++n) EXPECT_NEAR(far[n], near[n], 1e-4);
}

TEST(GaussianComponentsTest, GradientsAreFiniteDifferences) {
  const Mixture made = mixture(2, 3);
  const State batch = State().set(made.x, normal(Key(2), {4, 2}, f64()));
  const auto loss = [&] { return mean(free_energy(made.graph, {made.z}, batch)); };
  const Evaluation found = differentiate(loss(), made.graph, 4, {});
  expect_gradients(
      made.graph, found, [&] { return loss().item(); }, 1e-7, "mixture");
}

TEST(ExpectationMaximisationTest, TheLikelihoodNeverFallsAndTheCentresAreFound) {
  const Mixture made = mixture(2, 3);
  // Starts that are off, one on each side.
  made.graph.parameter("z.x.mean").tensor().copy_from(numbers({-1, 1, 1, 0, 0.5, -1}, {3, 2}));
  constexpr Index kSamples = 3000;
  const State batch = State().set(made.x, clusters(kSamples));
  const ExpectationMaximisation objective;
  Carry carry;
  double before = INFINITY;
  for (int step = 0; step < 60; ++step) {
    const double loss = objective.evaluate(made.graph, batch, carry, Key(0)).metrics.at("loss");
    EXPECT_LE(loss, before + 1e-12) << step;
    before = loss;
    objective.finish_step(made.graph, batch, carry, Key(0));
  }
  const std::vector<double> means = made.graph.parameter("z.x.mean").tensor().values();
  const std::vector<double> precision = made.graph.parameter("z.x.log_precision").tensor().values();
  for (const std::vector<double>& centre : kCentres) {
    double nearest = INFINITY;
    for (std::size_t k = 0; k < 3; ++k)
      nearest = std::min(nearest, std::hypot(means[2 * k] - centre[0], means[2 * k + 1] - centre[1]));
    EXPECT_LT(nearest, 4.0 * 0.3 * std::sqrt(2.0 / (kSamples / 3)));  // 4 standard errors
  }
  for (const double s : precision)
    EXPECT_NEAR(std::exp(-s), 0.09, 4.0 * 0.09 * std::sqrt(2.0 / (kSamples / 3)));
}

TEST(ExpectationMaximisationTest, WhatItCannotTrainIsAnError) {
  Mixture made = mixture(2, 3);
  EXPECT_TRUE(contains(error_of([] { ExpectationMaximisation({.rate = 0.0}); }), "a rate in (0, 1]"));
  FactorGraph other;
  const Variable x = other.real("x", {2});
  other.add(IndependentComponents(x, Key(1)));
  Carry carry;
  EXPECT_TRUE(contains(error_of([&] {
                         (void)ExpectationMaximisation().evaluate(
                             other, State().set(x, normal(Key(2), {4, 2})), carry, Key(0));
                       }),
                       "one GaussianComponents"));
}

TEST(DeterminantTest, DerivativesOfOrderOneAndTwoAreFiniteDifferences) {
  const Tensor x =
      (Value(normal(Key(3), {3, 3}, f64())) + 2.0 * Value(numbers({1, 0, 0, 0, 1, 0, 0, 0, 1}, {3, 3})))
          .tensor();
  const std::function<Value(const std::vector<Value>&)> log_det = [](const std::vector<Value>& in) {
    return sum(log_abs_det(in.front()));
  };
  const std::function<Value(const std::vector<Value>&)> weighed = [](const std::vector<Value>& in) {
    return sum(inverse(in.front()) * Value(normal(Key(4), {3, 3}, f64())));
  };
  EXPECT_TRUE(contains(error_of([] { (void)log_abs_det(numbers({1, 2, 2, 4}, {2, 2})); }), "singular"));
  EXPECT_TRUE(contains(error_of([] { (void)inverse(numbers({1, 2}, {1, 2})); }), "square matrix"));
  EXPECT_NEAR(log_abs_det(numbers({0, 2, -3, 1}, {2, 2})).item(), std::log(6.0), 1e-12);
  EXPECT_EQ(gradcheck(log_det, {x}), "");
  EXPECT_EQ(gradcheck(weighed, {x}), "");
}

/// Two logistic sources, mixed: W A is a permutation with signs.
TEST(IndependentComponentsTest, FindsTheMixingMatrix) {
  if (is_guarded()) GTEST_SKIP() << "trains; gradients are tested on every device";
  constexpr Index kSamples = 4000;
  const double a = 2.0, b = 1.0, c = -0.5, d = 1.5;
  std::vector<double> rows = uniform(Key(6), {kSamples, 2}, {Dtype::F64, Device::Cpu}).values();
  for (double& u : rows) u = std::log((u + 1e-10) / (1.0 - u));
  for (std::size_t n = 0; n < rows.size(); n += 2) {
    const double s = rows[n], t = rows[n + 1];
    rows[n] = a * s + b * t, rows[n + 1] = c * s + d * t;
  }
  FactorGraph graph;
  const Variable x = graph.real("x", {2});
  graph.add(IndependentComponents(x, Key(7)));
  graph.to(f64());
  const State batch = State().set(x, numbers(rows, {kSamples, 2}));
  Carry carry;
  const MeanEnergy objective;
  // The natural gradient of the unmixing, W <- W - rate dE/dW W'W (Amari 1998).
  for (int step = 0; step < 200; ++step) {
    const Evaluation found = objective.evaluate(graph, batch, carry, Key(0), {.metrics = false});
    const Parameter unmixing = graph.parameter("x.unmixing"), offset = graph.parameter("x.offset");
    const Value w = unmixing.value().detached(), g = found.gradients[0].to_tensor({2, 2});
    unmixing.tensor().copy_from((w - 0.3 * matmul(matmul(g, w, {.transpose_b = true}), w)).tensor());
    offset.tensor().copy_from(
        (offset.value().detached() - 0.3 * Value(found.gradients[1].to_tensor({2}))).tensor());
  }
  const std::vector<double> w = graph.parameter("x.unmixing").tensor().values();
  for (std::size_t j = 0; j < 2; ++j) {
    const double p = std::abs(w[2 * j] * a + w[2 * j + 1] * c), q = std::abs(w[2 * j] * b + w[2 * j + 1] * d);
    EXPECT_NEAR(std::max(p, q), 1.0, 0.08);  // 4 standard errors of about 1.2 / sqrt(N)
    EXPECT_LT(std::min(p, q), 0.08);
  }
}

TEST(IndependentComponentsTest, IsNormalisedAndItsGradientsAreFiniteDifferences) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2});
  graph.add(IndependentComponents(x, Key(7)));
  randomise(graph, Key(8), 0.8);
  const State batch = State().set(x, normal(Key(2), {5, 2}, f64()));
  Carry carry;
  const auto loss = [&] { return MeanEnergy().evaluate(graph, batch, carry, Key(0)).metrics.at("loss"); };
  expect_gradients(graph, MeanEnergy().evaluate(graph, batch, carry, Key(0)), loss, 1e-7, "ica");
  graph.parameter("x.unmixing").tensor().copy_from(numbers({1.2, 0.4, -0.3, 1.5}, {2, 2}));
  constexpr Index kSide = 300;
  constexpr double kReach = 30.0, kCell = 2.0 * kReach / kSide;
  std::vector<double> grid;
  for (Index j = 0; j < kSide; ++j) {
    for (Index i = 0; i < kSide; ++i) {
      grid.push_back(-kReach + kCell * (static_cast<double>(i) + 0.5));
      grid.push_back(-kReach + kCell * (static_cast<double>(j) + 0.5));
    }
  }
  double total = 0.0;
  for (const double e : graph.energy(State().set(x, numbers(grid, {kSide * kSide, 2}))).tensor().values())
    total += std::exp(-e) * kCell * kCell;
  EXPECT_NEAR(total, 1.0, 1e-6);
}

TEST(ActivitySparsityTest, IsTheDivergenceOfTheMeanAndItsGradientFiniteDifferences) {
  auto encoder = std::make_shared<Sequential>();
  encoder->add(Linear(3, 2, Key(1), {.placement = f64()})).add(Activation(Activation::Kind::Sigmoid));
  FactorGraph graph;
  const Variable x = graph.real("x", {3});
  graph.add(Network(std::shared_ptr<const Module>(encoder), {x}));
  const State batch = State().set(x, normal(Key(2), {6, 3}, f64()));
  const ActivitySparsity objective(x, encoder, {.target = 0.2, .cost = 3.0});
  Carry carry;
  const auto loss = [&] { return objective.evaluate(graph, batch, carry, Key(0)).metrics.at("loss"); };
  const std::vector<double> h = mean(encoder->forward(batch[x]), {0}).tensor().values();
  double expected = 0.0;
  for (const double p : h) expected += 3.0 * (0.2 * std::log(0.2 / p) + 0.8 * std::log(0.8 / (1.0 - p)));
  EXPECT_NEAR(loss(), expected, 1e-12);
  expect_gradients(graph, objective.evaluate(graph, batch, carry, Key(0)), loss, 1e-7, "activity");
  EXPECT_TRUE(contains(error_of([&] { ActivitySparsity(x, nullptr); }), "an encoder"));
}

}  // namespace
}  // namespace basin::test
