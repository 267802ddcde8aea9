// An objective of another graph as a term: where its gradients go.
#include "energy/objectives/bound_objective.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "energy/factors/squared_error.h"
#include "energy/objectives/mean_energy.h"
#include "energy/objectives/prepared.h"
#include "energy/objectives/sum_objective.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "support/device.h"
#include "support/error_of.h"
#include "tensor/random.h"

namespace basin::test {
namespace {

/// Two regressions on x by one layer: y of the host, and x back through a layer that is the other's alone.
struct Pair {
  Placement where{Dtype::F64, device()};
  Linear shared{3, 2, Key(1), {.placement = where}}, back{2, 3, Key(2), {.placement = where}};
  FactorGraph host, other;
  Variable x = host.real("x", {3}), y = host.real("y", {2}), z = other.real("z", {3});

  Pair() {
    host.add(SquaredError(y, shared, x));
    Sequential both;
    both.add(shared).add(back);
    other.add(SquaredError(z, both, z, {.label = ""}));
  }
  State host_batch() const {
    return State().set(x, Value(normal(Key(3), {5, 3}, where))).set(y, Value(normal(Key(4), {5, 2}, where)));
  }
  State other_batch() const { return State().set(z, Value(normal(Key(5), {4, 3}, where))); }
};

std::vector<double> numbers(const Gradient& gradient, const Tensor& like) {
  return gradient.to_tensor(like.shape()).values();
}

TEST(BoundObjective, GradientsGoToWhatIsShared) {
  const Pair pair;
  const auto bound = std::make_shared<const BoundObjective>(pair.other, std::make_shared<const MeanEnergy>(),
                                                            "decoder", pair.host.parameters());
  ASSERT_EQ(bound->parameters().size(), 2u) << "the layer that the host has not";
  EXPECT_TRUE(bound->parameters()[0].name().starts_with("decoder."));
  const SumObjective sum({{1.0, MeanEnergy()}, {0.25, bound, 1}});
  Carry carry;
  const std::vector<State> batches = {pair.host_batch(), pair.other_batch()};
  const Evaluation all = sum.evaluate_all(pair.host, batches, carry, Key(6));
  const Evaluation first = MeanEnergy().evaluate(pair.host, batches[0], carry, Key(6)),
                   second = MeanEnergy().evaluate(pair.other, batches[1], carry, Key(6));
  ASSERT_EQ(all.gradients.size(), 4u);
  EXPECT_NEAR(all.metrics.at("loss"), first.metrics.at("loss") + 0.25 * second.metrics.at("loss"), 1e-12);
  const std::vector<Parameter> host = pair.host.parameters(), other = pair.other.parameters();
  for (std::size_t p = 0; p < 2; ++p) {
    const std::vector<double> sums = numbers(all.gradients[p], host[p].tensor()),
                              a = numbers(first.gradients[p], host[p].tensor()),
                              b = numbers(second.gradients[p], other[p].tensor());
    for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(sums[i], a[i] + 0.25 * b[i], 1e-12);
    const std::vector<double> own = numbers(all.gradients[2 + p], other[2 + p].tensor()),
                              c = numbers(second.gradients[2 + p], other[2 + p].tensor());
    for (std::size_t i = 0; i < own.size(); ++i) EXPECT_NEAR(own[i], 0.25 * c[i], 1e-12);
  }
}

TEST(BoundObjective, ATermOfSeveralSourcesTakesThemAll) {
  const Pair pair;
  const auto twice = std::make_shared<const SumObjective>(
      std::vector<SumObjective::Term>{{1.0, MeanEnergy()}, {2.0, MeanEnergy(), 1}});
  const BoundObjective bound(pair.other, twice, "decoder", pair.host.parameters());
  Carry carry;
  const std::vector<State> batches = {pair.other_batch(),
                                      State().set(pair.z, Value(normal(Key(8), {6, 3}, pair.where)))};
  const Evaluation all = bound.evaluate_all(pair.host, batches, carry, Key(6));
  double expected = 0.0;
  for (std::size_t i = 0; i < 2; ++i)
    expected += (i == 0 ? 1.0 : 2.0) *
                MeanEnergy().evaluate(pair.other, batches[i], carry, Key(6)).metrics.at("loss");
  EXPECT_NEAR(all.metrics.at("loss"), expected, 1e-12);
}

/// What is inferred before an objective sees it is seen by all that an objective is asked.
TEST(Prepared, EveryBatchAndTheHeldLossAreThoseOfWhatIsPrepared) {
  const Pair pair;
  const auto twice = std::make_shared<const SumObjective>(
      std::vector<SumObjective::Term>{{1.0, MeanEnergy()}, {2.0, MeanEnergy(), 1}});
  const Prepared doubled(
      twice, [&](const State& batch, Key) { return State(batch).set(pair.z, batch[pair.z] * 2.0); });
  Carry carry;
  const std::vector<State> batches = {pair.other_batch(), pair.other_batch()},
                           by_hand = {State().set(pair.z, batches[0][pair.z] * 2.0), batches[1]};
  const double loss = doubled.evaluate_all(pair.other, batches, carry, Key(6)).metrics.at("loss");
  EXPECT_NEAR(loss, twice->evaluate_all(pair.other, by_hand, carry, Key(6)).metrics.at("loss"), 1e-12);
  const HeldLoss held = held_loss(doubled, pair.other, batches, carry, Key(6));
  ASSERT_TRUE(held.value) << held.why_none;
  EXPECT_NEAR(held.value(), loss, 1e-12);
}

TEST(BoundObjective, WhatIsFrozenTakesNone) {
  const Pair pair;
  const BoundObjective bound(pair.other, std::make_shared<const MeanEnergy>(), "decoder",
                             pair.host.parameters());
  Carry carry;
  const Evaluation some =
      bound.evaluate(pair.host, pair.other_batch(), carry, Key(6), {.wants = {false, true, true, false}});
  const auto is_given = [&](std::size_t p) {
    return some.gradients[p].dense().defined() || !some.gradients[p].products().empty();
  };
  EXPECT_FALSE(is_given(0));
  EXPECT_TRUE(is_given(1));
  EXPECT_TRUE(is_given(2));
  EXPECT_FALSE(is_given(3));
}

TEST(BoundObjective, MistakesAreErrors) {
  const Pair pair, stranger;
  const auto energy = std::make_shared<const MeanEnergy>();
  EXPECT_NE(error_of([&] {
              BoundObjective(pair.other, nullptr, "a", pair.host.parameters());
            }).find("expected an objective"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              BoundObjective(pair.other, energy, "a", stranger.host.parameters());
            }).find("received none"),
            std::string::npos);
  Carry carry;
  const BoundObjective bound(pair.other, energy, "a", pair.host.parameters());
  EXPECT_NE(error_of([&] {
              bound.evaluate(pair.other, pair.other_batch(), carry, Key(1));
            }).find("expected the graph that it was made for"),
            std::string::npos);
}

}  // namespace
}  // namespace basin::test
