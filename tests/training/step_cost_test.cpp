#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/quadratic.h"
#include "energy/factors/score.h"
#include "energy/factors/sequences/step_likelihood.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/proximal.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/objectives/labels/label_loss.h"
#include "energy/objectives/latents/latent_minimum.h"
#include "energy/objectives/sequence_energy.h"
#include "modules/activation.h"
#include "modules/linear.h"
#include "modules/sequences/recurrent.h"
#include "modules/sequential/sequential.h"
#include "support/contains.h"
#include "support/error_of.h"
#include "tensor/demands.h"
#include "tensor/guard/guard_backend.h"
#include "tensor/random.h"
#include "training/fit.h"
#include "training/optimizers/sgd.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;

// Always the guard device, which counts; rules and kernels are those of any other.
constexpr Placement kGuard{Dtype::F32, Device::Guard};
constexpr Index kRows = 8;

void move_to_guard(const FactorGraph& graph) {
  for (Parameter parameter : graph.parameters()) parameter.set(parameter.tensor().to(kGuard));
}

/// How often a warm step of training waits for the device, as fit() takes it between two checks.
std::uint64_t downloads_of(const FactorGraph& graph, const Objective& objective, const State& batch,
                           const SgdOptions& options = {.learning_rate = 0.01}) {
  const std::vector<Parameter> parameters = graph.parameters();
  Sgd sgd(options);
  Carry carry;
  const Demands demands;
  const auto step = [&](std::uint64_t i) {
    const Evaluation evaluation = objective.evaluate(graph, batch, carry, Key(i), {.metrics = false});
    sgd.step(parameters, evaluation.gradients, {.step = static_cast<Index>(i)});
    objective.finish_step(graph, batch, carry, Key(i).fold("finish"), {});
  };
  constexpr std::uint64_t kCold = 2, kWarm = 3;
  for (std::uint64_t i = 0; i < kCold; ++i) step(i);
  const std::uint64_t before = guard_work().downloads;
  for (std::uint64_t i = kCold; i < kCold + kWarm; ++i) step(i);
  return (guard_work().downloads - before) / kWarm;
}

Tensor one_hot_rows(Index classes) { return largest(uniform(Key(4), {kRows, classes}, kGuard), 1).tensor(); }

struct Classifier {
  Classifier() : image(graph.real("image", {6})), label(graph.categorical("label", {3})) {
    graph.add(Score(label,
                    Sequential()
                        .add(Linear(6, 5, Key(1)))
                        .add(Activation(Activation::Kind::Tanh))
                        .add(Linear(5, 3, Key(2))),
                    image));
    move_to_guard(graph);
    batch.set(image, normal(Key(3), {kRows, 6}, kGuard)).set(label, one_hot_rows(3));
  }

  FactorGraph graph;
  Variable image, label;
  State batch;
};

TEST(StepCost, ANetworkWaitsForNothing) {
  const Classifier net;
  EXPECT_EQ(downloads_of(net.graph, ConditionalLikelihood({net.label}), net.batch), 0u);
  EXPECT_EQ(
      downloads_of(net.graph, ConditionalLikelihood({net.label}), net.batch,
                   {.learning_rate = 0.01, .momentum = 0.9, .restraints = {.clip_norm = 1.0, .l2 = 0.1}}),
      0u);
  EXPECT_EQ(downloads_of(net.graph, LabelLoss(net.label, LabelLoss::Kind::Hinge), net.batch), 0u);
}

TEST(StepCost, RealUnitsThatAreDrawnWaitForNothing) {
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    FactorGraph graph;
    const Variable v = graph.real("v", {5}), h = graph.binary("h", {4});
    graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1))).add(Quadratic(v));
    move_to_guard(graph);
    const State batch = State().set(v, normal(Key(2), {kRows, 5}, kGuard));
    const Contrast cd = ContrastiveDivergence(v, BlockGibbs({{h}, {v}}), {.steps = 2, .fuse = fuse});
    EXPECT_EQ(downloads_of(graph, cd, batch), 0u) << (fuse == Fuse::Off ? "derived" : "fused");
  }
}

TEST(StepCost, ARecurrentNetWaitsForNothing) {
  constexpr Index kSteps = 4, kSymbols = 3;
  FactorGraph graph;
  const Variable x = graph.categorical("input", {0, kSymbols}), y = graph.categorical("next", {0, kSymbols});
  Sequential net;
  net.add(Recurrent(kSymbols, 5, Key(2))).add(Linear(5, kSymbols, Key(3)));
  graph.add(StepLikelihood(y, std::move(net), x));
  move_to_guard(graph);
  const auto symbols = [&](Key key) { return largest(uniform(key, {kRows, kSteps, kSymbols}, kGuard), 1); };
  const State batch = State().set(x, symbols(Key(4))).set(y, symbols(Key(5)));
  EXPECT_EQ(downloads_of(graph, SequenceEnergy(), batch), 0u);
}

/// Sparse codes by `steps` iterations of FISTA and a look at the end of every ten.
std::uint64_t downloads_of_codes(Index steps) {
  FactorGraph graph;
  const Variable y = graph.real("y", {6}), z = graph.real("z", {8});
  graph.add(SquaredError(y, Linear(8, 6, Key(1), {.bias = false}), z)).add(L1(z, 0.1));
  move_to_guard(graph);
  const State batch = State().set(y, normal(Key(2), {kRows, 6}, kGuard));
  const LatentMinimum objective(
      z, std::make_shared<Fista>(z),
      {.infer = {.max_steps = steps, .tolerance = 0.0, .check_every = 10, .fuse = Fuse::Off}});
  return downloads_of(graph, objective, batch);
}

// The Lipschitz constant (its power iterations wait once, at their end), the gap before the first iteration,
// and at every tenth.
TEST(StepCost, FistaWaitsAtItsChecksAlone) {
  EXPECT_EQ(downloads_of_codes(10), 3u);
  EXPECT_EQ(downloads_of_codes(40), 6u);
}

TEST(StepCost, WhatIsDemandedOfAStepIsToldWhenItIsSettled) {
  const Classifier net;
  State batch = net.batch;
  batch.set(net.label, Tensor::full({kRows, 3}, 0.3, kGuard));
  const LabelLoss loss(net.label, LabelLoss::Kind::Hinge);
  Carry carry;
  // Labels are looked at in steps that say their metrics.
  const auto evaluate = [&] { loss.evaluate(net.graph, batch, carry, Key(1)); };
  EXPECT_TRUE(contains(error_of(evaluate), "expected one-hot values of label"));
  Demands demands;
  EXPECT_EQ(error_of(evaluate), "");
  EXPECT_TRUE(contains(error_of([&] { demands.settle(); }), "expected one-hot values of label"));
  demands.settle();  // told once
  batch.set(net.label, Tensor::full({kRows, 3}, std::nan(""), kGuard));
  EXPECT_EQ(error_of(evaluate), "");
  EXPECT_TRUE(contains(error_of([&] { demands.settle(); }), "expected one-hot values of label"));
}

TEST(StepCost, MoreDemandsThanThereAreFlagsAreLookedAtAtOnce) {
  Demands demands;
  const Tensor good = Tensor::full({2}, 1.0, kGuard), bad = Tensor::full({2}, -1.0, kGuard);
  const auto fail = [] { throw Error("it failed"); };
  for (Index i = 0; i < Demands::kMost; ++i)
    demands.check(fmt::format("{}", i), Check::Positive, i == 3 ? bad : good, fail);
  EXPECT_EQ(error_of([&] { demands.check("more", Check::Positive, good, fail); }), "");
  EXPECT_EQ(error_of([&] { demands.check("more", Check::Positive, bad, fail); }), "it failed");
  EXPECT_EQ(error_of([&] { demands.settle(); }), "it failed");
}

TEST(StepCost, FitSaysAtTheFirstStepWhatNeverHeld) {
  FactorGraph graph;
  const Variable v = graph.real("v", {5}), h = graph.binary("h", {4});
  graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
  move_to_guard(graph);
  const Samples samples{real_column("v", normal(Key(2), {kRows, 5}))};
  const Contrast cd = ContrastiveDivergence(v, BlockGibbs({{h}, {v}}), {.fuse = Fuse::Off});
  EXPECT_TRUE(contains(error_of([&] { fit(graph, cd, samples, Sgd(), {.epochs = 1, .batch = kRows}); }),
                       "add Quadratic(v) to the graph"));
}

}  // namespace
}  // namespace basin
