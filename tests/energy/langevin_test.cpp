#include "energy/sample/continuous/langevin.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/quadratic.h"
#include "energy/factors/sequences/chain.h"
#include "energy/sample/sample_run.h"
#include "modules/linear.h"
#include "oracle.h"

namespace basin::test {
namespace {

struct Gaussian {
  FactorGraph graph;
  Variable x;
};

/// Precision h = exp(s) = 2, mean 0.75.
Gaussian gaussian() {
  Gaussian made;
  made.x = made.graph.real("x", {2});
  made.graph.add(Bias(made.x))
      .add(Quadratic(made.x, {.precision = Precision::Fixed, .log_precision = std::log(2.0)}));
  made.graph.parameters().front().set(numbers({1.5, 1.5}, {2}));
  return made;
}

TEST(LangevinTest, SamplesAGaussianWithTheVarianceOfItsStep) {
  constexpr Index kChains = 20000;
  constexpr double kStep = 0.1, kCurvature = 2.0;
  const Gaussian made = gaussian();
  const State start = State().set(made.x, Tensor::zeros({kChains, 2}, f64()));
  const State end = iterate(Langevin({made.x}, {.step = kStep}), made.graph, start, 60, Key(3));
  const std::vector<double> x = end[made.x].tensor().values();
  double sum = 0.0, squares = 0.0;
  for (const double value : x) sum += value, squares += (value - 0.75) * (value - 0.75);
  const double n = static_cast<double>(x.size());
  const double variance = 1.0 / (kCurvature * (1.0 - kStep * kCurvature / 2.0));
  EXPECT_NEAR(sum / n, 0.75, 4.0 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n, variance, 4.0 * variance * std::sqrt(2.0 / n));
}

TEST(LangevinTest, ItsBiasShrinksWithTheStep) {
  constexpr Index kChains = 2000;
  constexpr double kCurvature = 2.0;
  const Gaussian made = gaussian();
  const State start = State().set(made.x, Tensor::zeros({kChains, 2}, f64()));
  const auto squares = [&](const FactorGraph&, const State& state) {
    return square(state[made.x].detached() - 0.75);
  };
  double last = INFINITY;
  for (const double step : {0.4, 0.1, 0.04}) {
    // 1 / (h (1 - e h / 2)): as many time units of burn-in and between draws for every step.
    const auto moves = static_cast<Index>(std::lround(1.0 / step));
    const SampleRun run = sample(
        Langevin({made.x}, {.step = step}), made.graph, start,
        {.burn_in = 4 * moves, .draws = 10, .thin = moves, .key = Key(8), .watch = {{"squares", squares}}});
    const double expected = 1.0 / (kCurvature * (1.0 - step * kCurvature / 2.0));
    for (const Mixing& found : mixing_of_each(run.watched.at("squares"))) {
      EXPECT_NEAR(found.mean, expected, 4.0 * found.standard_error) << step;
      EXPECT_GT(found.effective_samples, 1e4);
      // The bias is seen: the variance of the target is out of reach but at the smallest step.
      if (step > 0.05) {
        EXPECT_GT(found.mean - 1.0 / kCurvature, 8.0 * found.standard_error) << step;
      }
    }
    const double bias = expected - 1.0 / kCurvature;
    EXPECT_LT(bias, 0.45 * last);
    last = bias;
  }
}

TEST(LangevinTest, AClipHasTheBiasOfTheEnergyWhoseSlopeItIs) {
  // Units do not interact: the law is that of E' = 1/2 h u^2 within |h u| <= c, else c |u| - c^2 / (2 h).
  constexpr double kCurvature = 2.0, kClip = 1.0, kStep = 0.05;
  const Gaussian made = gaussian();
  double weight = 0.0, second = 0.0;
  for (int i = -8000; i <= 8000; ++i) {
    const double u = 1e-3 * i, slope = kCurvature * std::abs(u);
    const double energy =
        slope <= kClip ? 0.5 * kCurvature * u * u : kClip * std::abs(u) - kClip * kClip / (2.0 * kCurvature);
    weight += std::exp(-energy), second += std::exp(-energy) * u * u;
  }
  const State start = State().set(made.x, Tensor::full({2000, 2}, 0.75, f64()));
  const auto squares = [&](const FactorGraph&, const State& state) {
    return square(state[made.x].detached() - 0.75);
  };
  const SampleRun run =
      sample(Langevin({made.x}, {.step = kStep, .clip = kClip}), made.graph, start,
             {.burn_in = 300, .draws = 10, .thin = 30, .key = Key(9), .watch = {{"squares", squares}}});
  for (const Mixing& found : mixing_of_each(run.watched.at("squares"))) {
    // The step's own bias is of the first order, below e h / 2 = 5 % of what no clip has.
    EXPECT_NEAR(found.mean, second / weight, 4.0 * found.standard_error + 0.05 * second / weight);
    EXPECT_GT(found.mean, 1.5 / kCurvature);  // far from what is sampled without
  }
  // A slope of 1e3 moves by no more than the clip.
  const State far = State().set(made.x, numbers({1e3, -1e3}, {1, 2}));
  const State end = Langevin({made.x}, {.step = 0.5, .noise = 0.0, .clip = kClip})(made.graph, far, Key(1));
  EXPECT_EQ(end[made.x].tensor().values(), (std::vector<double>{999.5, -999.5}));
}

TEST(LangevinTest, WithoutNoiseItIsAStepOfGradientDescent) {
  const Gaussian made = gaussian();
  const State start = State().set(made.x, numbers({1.0, -2.0}, {1, 2}));
  const Langevin move({made.x}, {.step = 0.25, .noise = 0.0});
  const State end = move(made.graph, start, Key(1));
  const std::vector<double> x = end[made.x].tensor().values();
  EXPECT_NEAR(x[0], 1.0 - 0.25 * (2.0 - 1.5), 1e-12);
  EXPECT_NEAR(x[1], -2.0 - 0.25 * (-4.0 - 1.5), 1e-12);
}

TEST(LangevinTest, ASliceMovesAsTheWholeWould) {
  const Gaussian made = gaussian();
  const Langevin move({made.x}, {.step = 0.1});
  const Tensor rows = normal(Key(4), {5, 2}, f64());
  const std::vector<double> whole =
      move(made.graph, State().set(made.x, rows), Key(1))[made.x].tensor().values();
  State slice = State().set(made.x, rows.rows(3, 5));
  slice.in({.first_row = 3});
  const std::vector<double> part = move(made.graph, slice, Key(1))[made.x].tensor().values();
  EXPECT_EQ(part, std::vector<double>(whole.begin() + 6, whole.end()));
}

TEST(LangevinTest, ASliceOfSequencesMovesAsTheWholeWould) {
  FactorGraph graph;
  const Variable x = graph.categorical("x", {0, 2}), s = graph.real("s", {0, 2});
  graph.add(Chain(x, Linear(2, 2, Key(1)), s));
  randomise(graph, Key(2));
  const Tensor codes = numbers({1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0}, {3, 2, 2}),
               sources = normal(Key(4), {3, 2, 2}, f64());
  const Langevin move({s}, {.step = 0.1});
  const Tensor whole = move(graph, State().set(x, codes).set(s, sources), Key(1))[s].tensor();
  State slice = State().in({.first_row = 1});
  slice.set(x, codes.rows(1, 3)).set(s, sources.rows(1, 3));
  EXPECT_EQ(move(graph, slice, Key(1))[s].tensor().values(), whole.rows(1, 3).values());
}

TEST(LangevinTest, WhatItCannotMoveIsAnError) {
  FactorGraph graph;
  const Variable b = graph.binary("b", {2}), x = graph.real("x", {2});
  EXPECT_TRUE(contains(error_of([&] { Langevin({b}); }), "b, which is binary"));
  EXPECT_TRUE(contains(error_of([&] { Langevin({x}, {.step = 0.0}); }), "step > 0"));
  EXPECT_TRUE(contains(error_of([&] { Langevin({x}, {.step = 0.1, .noise = INFINITY}); }), "finite"));
  EXPECT_TRUE(contains(error_of([&] { Langevin({}); }), "a variable"));
}

}  // namespace
}  // namespace basin::test
