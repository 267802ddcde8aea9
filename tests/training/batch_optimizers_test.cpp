#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <span>

#include "energy/factors/score.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/sample/block_gibbs.h"
#include "models/rbm.h"
#include "modules/activation.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "support/device.h"
#include "support/error_of.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/experiment/checkpoint.h"
#include "training/fit.h"
#include "training/optimizers/conjugate_gradient.h"
#include "training/optimizers/diagonal_newton.h"
#include "training/optimizers/lbfgs.h"
#include "training/optimizers/sgd.h"

namespace basin::test {
namespace {

using Numbers = std::vector<double>;

/// f(x) and its gradient.
using Function2 = std::function<double(const Numbers& x, Numbers& gradient)>;

/// A function of one parameter [n] as a loss that an optimizer may look at, and how often it has.
struct Problem {
  Function2 function;
  std::vector<Parameter> parameters;
  int evaluations = 0;

  Problem(Function2 f, const Numbers& start)
      : function(std::move(f)),
        parameters{Parameter("x", Tensor::from(start, {static_cast<Index>(start.size())}, f64()))} {}

  Evaluation evaluate() {
    ++evaluations;
    const Numbers x = parameters[0].tensor().values();
    Numbers g(x.size(), 0.0);
    Evaluation evaluation;
    evaluation.metrics["loss"] = function(x, g);
    evaluation.gradients.emplace_back(Tensor::from(g, {static_cast<Index>(x.size())}, f64()));
    return evaluation;
  }
  void step(Optimizer& optimizer) {
    const Evaluation now = evaluate();
    optimizer.step(parameters, now.gradients, {},
                   {.loss = now.metrics.at("loss"), .evaluate = [this] { return evaluate(); }});
  }
  Numbers x() const { return parameters[0].tensor().values(); }
};

double rosenbrock(const Numbers& x, Numbers& g) {
  double value = 0.0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double rest = x[i + 1] - x[i] * x[i], away = 1.0 - x[i];
    value += 100.0 * rest * rest + away * away;
    g[i] += -400.0 * x[i] * rest - 2.0 * away;
    g[i + 1] += 200.0 * rest;
  }
  return value;
}

/// Logistic regression of 60 samples with 8 features and an L2 penalty of 0.005 |w|^2.
double logistic(const Numbers& w, Numbers& g) {
  double value = 0.0;
  for (int n = 0; n < 60; ++n) {
    Numbers x(8);
    for (int j = 0; j < 8; ++j) x[static_cast<std::size_t>(j)] = std::sin(1.7 * n + 2.3 * j + 0.1 * n * j);
    const double t = std::sin(0.9 * n) + x[0] - x[3] > 0.0 ? 1.0 : -1.0;
    const double margin = t * std::inner_product(x.begin(), x.end(), w.begin(), 0.0);
    value += (std::log1p(std::exp(-std::abs(margin))) + std::fmax(-margin, 0.0)) / 60.0;
    for (std::size_t j = 0; j < 8; ++j) g[j] -= x[j] * t / (1.0 + std::exp(margin)) / 60.0;
  }
  for (std::size_t j = 0; j < 8; ++j) {
    value += 0.005 * w[j] * w[j];
    g[j] += 0.01 * w[j];
  }
  return value;
}

struct Case {
  const char* name;
  Function2 function;
  Numbers start;
  double minimum, tolerance;
  int lbfgs, cg;  // evaluations of SciPy 1.10: L-BFGS-B (gtol 1e-7, ftol 0), CG (gtol 1e-7, norm 2)
};

std::vector<Case> cases() {
  return {
      {"rosenbrock of 2", rosenbrock, {-1.2, 1.0}, 0.0, 1e-14, 45, 80},
      {"rosenbrock of 10", rosenbrock, {-1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1, -1.2, 1}, 0.0, 1e-13, 95, 479},
      {"logistic", logistic, Numbers(8, 0.0), 0.375100105704225, 1e-12, 12, 30}};
}

TEST(BatchOptimizersTest, LbfgsReachesTheMinimumInAsFewLooks) {
  for (const Case& each : cases()) {
    Problem problem(each.function, each.start);
    Lbfgs lbfgs({.iterations = 1000, .tolerance = 1e-7});
    problem.step(lbfgs);
    Numbers g(each.start.size(), 0.0);
    EXPECT_NEAR(each.function(problem.x(), g), each.minimum, each.tolerance) << each.name;
    EXPECT_LE(problem.evaluations, 1.5 * each.lbfgs) << each.name;
    RecordProperty(each.name, problem.evaluations);
  }
}

TEST(BatchOptimizersTest, ConjugateGradientsToo) {
  for (const Case& each : cases()) {
    Problem problem(each.function, each.start);
    ConjugateGradient cg({.iterations = 2000, .tolerance = 1e-7});
    problem.step(cg);
    Numbers g(each.start.size(), 0.0);
    EXPECT_NEAR(each.function(problem.x(), g), each.minimum, each.tolerance) << each.name;
    EXPECT_LE(problem.evaluations, 1.5 * each.cg) << each.name;
    RecordProperty(each.name, problem.evaluations);
  }
}

TEST(BatchOptimizersTest, AQuadraticIsSolvedInAsManyMovesAsItHasDimensions) {
  const Function2 bowl = [](const Numbers& x, Numbers& g) {
    double value = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double k = 1.0 + 3.0 * static_cast<double>(i);
      value += 0.5 * k * (x[i] - 2.0) * (x[i] - 2.0);
      g[i] = k * (x[i] - 2.0);
    }
    return value;
  };
  Problem problem(bowl, Numbers(5, 0.0));
  Lbfgs lbfgs({.iterations = 30, .tolerance = 1e-9});
  problem.step(lbfgs);
  for (const double x : problem.x()) EXPECT_NEAR(x, 2.0, 1e-8);
}

/// log(x): falls without end towards 0 and is no number beyond.
TEST(BatchOptimizersTest, WhatIsNotFiniteIsTooFar) {
  const Function2 barrier = [](const Numbers& x, Numbers& g) {
    g[0] = 1.0 - 1.0 / x[0];
    return x[0] > 0.0 ? x[0] - std::log(x[0]) : std::nan("");
  };
  for (const bool is_lbfgs : {true, false}) {
    Problem problem(barrier, {0.01});
    Lbfgs lbfgs({.iterations = 50});
    ConjugateGradient cg({.iterations = 50});
    problem.step(is_lbfgs ? static_cast<Optimizer&>(lbfgs) : cg);
    EXPECT_NEAR(problem.x()[0], 1.0, 1e-6);
  }
}

TEST(DiagonalNewtonTest, FindsADiagonalAtOnceAndStepsByIt) {
  const Numbers k{0.5, 4.0, 20.0};
  const Function2 bowl = [&](const Numbers& x, Numbers& g) {
    for (std::size_t i = 0; i < 3; ++i) g[i] = k[i] * (x[i] - 1.0);
    return 0.0;
  };
  Problem problem(bowl, {3, -2, 0});
  DiagonalNewton newton({.learning_rate = 0.5, .damping = 0.1, .every = 2});
  Numbers x{3, -2, 0};
  for (int t = 0; t < 6; ++t) {
    problem.step(newton);
    for (std::size_t i = 0; i < 3; ++i) x[i] -= 0.5 * k[i] * (x[i] - 1.0) / (k[i] + 0.1);
  }
  EXPECT_EQ(problem.evaluations, 6 + 2 * 3);
  const Numbers moved = problem.x(), h = newton.state().at("curvature.x").values();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(h[i], k[i], 1e-10);
    EXPECT_NEAR(moved[i], x[i], 1e-10);
  }
}

TEST(DiagonalNewtonTest, ItsMeanIsTheDiagonal) {
  const double hessian[3][3] = {{2, 0.5, -0.3}, {0.5, 1, 0.4}, {-0.3, 0.4, 3}};
  const Function2 bowl = [&](const Numbers& x, Numbers& g) {
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) g[i] += hessian[i][j] * x[j];
    return 0.0;
  };
  Problem problem(bowl, {1, 1, 1});
  constexpr double keep = 0.998;
  DiagonalNewton newton({.learning_rate = 0.0, .keep = keep, .every = 1});
  for (int t = 0; t < 3000; ++t) problem.step(newton);
  const Numbers h = newton.state().at("curvature.x").values();
  for (std::size_t i = 0; i < 3; ++i) {
    double square = 0.0;  // variance of a look: what is beside the diagonal
    for (std::size_t j = 0; j < 3; ++j) square += i == j ? 0.0 : hessian[i][j] * hessian[i][j];
    EXPECT_NEAR(h[i], hessian[i][i], 4.0 * std::sqrt(square * (1 - keep) / (1 + keep)));
  }
}

/// A classifier of 40 samples.
struct Classifier {
  FactorGraph graph;
  Variable x, y;
  Source source;

  Classifier() {
    x = graph.real("x", {4});
    y = graph.categorical("y", {3});
    graph.add(Score(y,
                    Sequential()
                        .add(Linear(4, 6, Key(1), {.placement = f64()}))
                        .add(Activation(Activation::Kind::Tanh))
                        .add(Linear(6, 3, Key(2), {.placement = f64()})),
                    x));
    const Numbers features = normal(Key(3), {40, 4}, f64()).values();
    source = Source(40, [=, x = x, y = y](std::span<const Index> rows, Key) {
      Numbers inputs, labels(3 * rows.size(), 0.0);
      for (std::size_t n = 0; n < rows.size(); ++n) {
        const auto row = features.begin() + 4 * rows[n];
        inputs.insert(inputs.end(), row, row + 4);
        labels[3 * n + (row[0] > 0.3 ? 0 : row[1] > 0.0 ? 1 : 2)] = 1.0;
      }
      const auto count = static_cast<Index>(rows.size());
      return State()
          .set(x, Tensor::from(inputs, {count, 4}, f64()))
          .set(y, Tensor::from(labels, {count, 3}, f64()));
    });
  }
};

std::vector<Numbers> values_of(const FactorGraph& graph) {
  std::vector<Numbers> all;
  for (const Parameter& parameter : graph.parameters()) all.push_back(parameter.tensor().values());
  return all;
}

template <class Kind, class Options>
void expect_fit_resumes(const Options& options) {
  const auto run = [&](bool broken) {
    const Classifier made;
    const Contrast objective = ConditionalLikelihood({made.y});
    Kind first(options), second(options);
    FitState state;
    const FitOptions settings{.epochs = 3, .batch = 20, .metrics_every = 3};
    fit(made.graph, objective, {made.source}, first, settings, state,
        [&](const FitReport& report) { return !(broken && report.step == 3); });
    if (broken) {
      Store store;  // as a checkpoint keeps it
      write_checkpoint(store, made.graph.parameters(), first, nullptr, state, 1);
      state = read_checkpoint(store, made.graph.parameters(), second, nullptr);
      fit(made.graph, objective, {made.source}, second, settings, state);
    }
    EXPECT_EQ(state.step, 6);
    return values_of(made.graph);
  };
  EXPECT_EQ(run(true), run(false));
}

TEST(BatchOptimizersTest, AFitThatIsResumedEqualsOneUnbroken) {
  expect_fit_resumes<Lbfgs>(LbfgsOptions{.iterations = 3, .history = 4, .weight_decay = 0.01});
  expect_fit_resumes<ConjugateGradient>(ConjugateGradientOptions{.iterations = 3, .weight_decay = 0.01});
  expect_fit_resumes<DiagonalNewton>(DiagonalNewtonOptions{.learning_rate = 0.05, .every = 2});
}

TEST(BatchOptimizersTest, AFitLowersTheLossOfAllSamples) {
  const auto loss_after = [](Optimizer& optimizer, Index epochs) {
    const Classifier made;
    FitState state;
    fit(made.graph, ConditionalLikelihood({made.y}), {made.source}, optimizer,
        {.epochs = epochs, .batch = 40}, state);
    Carry carry;
    std::vector<Index> rows(40);
    std::iota(rows.begin(), rows.end(), Index{0});
    return ConditionalLikelihood({made.y})
        .evaluate(made.graph, made.source.batch(rows, Key(0)), carry, Key(0))
        .metrics.at("loss");
  };
  Sgd none({.learning_rate = 0.0});
  Lbfgs lbfgs({.weight_decay = 1e-3});
  ConjugateGradient cg({.weight_decay = 1e-3});
  DiagonalNewton newton({.learning_rate = 0.1, .every = 5});
  const double start = loss_after(none, 1);
  EXPECT_LT(loss_after(lbfgs, 5), 0.1 * start);
  EXPECT_LT(loss_after(cg, 5), 0.1 * start);
  EXPECT_LT(loss_after(newton, 60), 0.5 * start);
}

TEST(BatchOptimizersTest, FrozenParametersKeepTheirBitsAndOtherRatesAreRefused) {
  const Classifier made;
  const Numbers before = made.graph.parameter("0.weight").tensor().values();
  FitState state;
  Lbfgs lbfgs({.rates = {{"0.weight", 0.0}}});
  fit(made.graph, ConditionalLikelihood({made.y}), {made.source}, lbfgs, {.epochs = 1, .batch = 40}, state);
  EXPECT_EQ(made.graph.parameter("0.weight").tensor().values(), before);
  EXPECT_EQ(lbfgs.state().at("steps").dim(1), 6 + 18 + 3);
  ConjugateGradient half({.rates = {{"0.weight", 0.5}}});
  FitState other;
  EXPECT_NE(error_of([&] {
              fit(made.graph, ConditionalLikelihood({made.y}), {made.source}, half,
                  {.epochs = 1, .batch = 40}, other);
            }).find("rates of 0 or 1, received 0.weight with rate 0.5"),
            std::string::npos);
}

TEST(BatchOptimizersTest, MistakesAreErrors) {
  const std::vector<Parameter> p{Parameter("p", Tensor::zeros({1}, f64()))};
  EXPECT_NE(error_of([&] {
              Lbfgs().step(p, {Gradient(Tensor::zeros({1}, f64()))}, {});
            }).find("[lbfgs] expected a way"),
            std::string::npos);
  EXPECT_NE(error_of([] { Lbfgs({.history = 0}); }).find("history >= 1"), std::string::npos);
  EXPECT_NE(error_of([] { ConjugateGradient({.iterations = 0}); }).find("iterations >= 1"),
            std::string::npos);
  EXPECT_NE(error_of([] { DiagonalNewton({.damping = 0.0}); }).find("damping"), std::string::npos);
  // Chains move on from step to step: there is no loss to look at again.
  const auto model = rbm({.visible_shape = {4}, .hidden_units = 3, .key = Key(1)});
  const Tensor samples = bernoulli(Key(2), Tensor::full({20, 4}, 0.5, f32()));
  EXPECT_NE(error_of([&] {
              fit(model.graph,
                  Contrast({model.v}, Chains(BlockGibbs({{model.h}, {model.v}}), {.persistent = 5})), samples,
                  Lbfgs(), {.batch = 10});
            }).find("[fit] expected an objective that says its loss and carries nothing"),
            std::string::npos);
}

}  // namespace
}  // namespace basin::test
