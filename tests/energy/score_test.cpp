#include "energy/factors/score.h"

#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/factors/network.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "gradients.h"
#include "modules/activation.h"
#include "modules/dropout.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

namespace basin::test {
namespace {

struct Classifier {
  FactorGraph graph;
  Variable x, y;
};

Classifier classifier(double dropout) {
  Classifier made;
  made.x = made.graph.real("x", {4});
  made.y = made.graph.categorical("y", {3});
  made.graph.add(Score(made.y,
                       Sequential()
                           .add(Linear(4, 5, Key(1), {.placement = f64()}))
                           .add(Activation(Activation::Kind::Tanh))
                           .add(Dropout(dropout))
                           .add(Linear(5, 3, Key(2), {.placement = f64()})),
                       made.x));
  randomise(made.graph, Key(3), 0.7);
  return made;
}

State batch_of(const Classifier& made) {
  return State()
      .set(made.x, normal(Key(4), {4, 4}, f64()))
      .set(made.y, numbers({1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1}, {4, 3}));
}

/// loss = mean [-f_y(x) + log sum exp f(x)] by the module itself.
double cross_entropy(const Classifier& made, const State& batch) {
  const Score& score = *made.graph.factors<Score>().front().factor;
  const Context context =
      batch.context().fold(std::uint64_t{0});  // as the graph gives it to its first factor
  const std::vector<double> f = score.module().forward(batch[made.x], context).tensor().values(),
                            y = batch[made.y].tensor().values();
  double total = 0.0;
  for (std::size_t n = 0; n < 4; ++n) {
    double sum = 0.0, chosen = 0.0;
    for (std::size_t k = 0; k < 3; ++k) sum += std::exp(f[3 * n + k]), chosen += y[3 * n + k] * f[3 * n + k];
    total += (std::log(sum) - chosen) / 4.0;
  }
  return total;
}

double loss(const Classifier& made, const State& batch) {
  Carry carry;
  return ConditionalLikelihood({made.y}).evaluate(made.graph, batch, carry, Key(0)).metrics.at("loss");
}

TEST(ScoreTest, ConditionalLikelihoodIsSoftmaxCrossEntropyAndItsGradient) {
  for (const bool noisy : {false, true}) {
    const Classifier made = classifier(0.5);
    State batch = batch_of(made);
    if (noisy) batch.in({.key = Key(9)});
    EXPECT_NEAR(loss(made, batch), cross_entropy(made, batch), 1e-12);
    Carry carry;
    const Evaluation evaluation = ConditionalLikelihood({made.y}).evaluate(made.graph, batch, carry, Key(0));
    test::expect_gradients(
        made.graph, evaluation, [&] { return cross_entropy(made, batch); }, 1e-8, "ConditionalLikelihood");
  }
}

TEST(ScoreTest, DropoutIsOnInTrainingOffInEvaluationAndTheSameInSlices) {
  const Classifier made = classifier(0.5);
  const State quiet = batch_of(made);
  State noisy = quiet;
  noisy.in({.key = Key(9)});
  EXPECT_NE(loss(made, quiet), loss(made, noisy));
  EXPECT_NE(loss(made, State(noisy).in({.key = Key(10)})), loss(made, noisy));
  EXPECT_EQ(loss(made, quiet), loss(classifier(0.0), quiet));
  const auto slice = [&](Index begin, Index end) {
    State part = State().set(made.x, quiet[made.x].tensor().rows(begin, end));
    part.set(made.y, quiet[made.y].tensor().rows(begin, end));
    return part.in({.key = Key(9), .first_row = begin});
  };
  EXPECT_NEAR(0.25 * loss(made, slice(0, 1)) + 0.75 * loss(made, slice(1, 4)), loss(made, noisy), 1e-12);
}

TEST(ScoreTest, SequencesMayBeOfAnyLength) {
  FactorGraph graph;
  const Variable x = graph.real("x", {0, 3}), y = graph.categorical("y", {3});
  const auto mean_of = [](const Value& steps, const Context&) { return mean(steps, {1}); };
  graph.add(Score(y, Function(mean_of), x)).add(Network(Function(mean_of), {x}));
  for (const Index length : {2, 5}) {
    const State batch =
        State().set(x, Tensor::full({1, length, 3}, 0.5, f64())).set(y, numbers({0, 1, 0}, {1, 3}));
    EXPECT_NEAR(graph.energy(batch).item(), -0.5 + 1.5, 1e-12);
  }
}

TEST(ScoreTest, WhatDoesNotFitIsAnError) {
  FactorGraph graph;
  const Variable x = graph.real("x", {4}), y = graph.categorical("y", {3});
  EXPECT_TRUE(contains(error_of([&] { Score(y, Linear(4, 2, Key(1)), x); }), "3 scores of y"));
  EXPECT_EQ(Score(y, Linear(4, 3, Key(1)), x).parameters().front().name(), "weight");
  EXPECT_EQ(Score(y, Linear(4, 3, Key(1)), x, {.label = "head"}).parameters().front().name(), "head.weight");
}

}  // namespace
}  // namespace basin::test
