#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/tempered.h"
#include "energy/sample/choose.h"
#include "energy/sample/discrete/chromatic_gibbs.h"
#include "energy/sample/discrete/gibbs_with_gradients.h"
#include "energy/sample/discrete/metropolis.h"
#include "energy/sample/discrete/unit_colours.h"
#include "energy/sample_ops.h"
#include "formula.h"
#include "moments.h"

namespace basin::test {
namespace {

constexpr double kErrors = 4.0;     // standard errors, of a few dozen moments
constexpr double kEffective = 1e4;  // samples, at least

/// Three bits and two codes of three values that all interact, by random numbers.
struct Target {
  FactorGraph graph;
  Variable x = graph.binary("x", {3}), y = graph.categorical("y", {2, 3});

  /// Affine in each unit, or with a function of sums that no gradient knows exactly.
  explicit Target(bool affine) {
    graph.add(Bias(x));
    randomise(graph, Key(5));
    const Value a = numbers(normal(Key(2), {18}, {Dtype::F64, Device::Cpu}).values(), {3, 6}),
                b = numbers(normal(Key(3), {9}, {Dtype::F64, Device::Cpu}).values(), {3, 3}),
                j = numbers({0, 0.9, -0.7, 0, 0, 0.8, 0, 0, 0}, {3, 3});  // products of different bits alone
    const Variable u = x, w = y;
    graph.add(Formula({x, y}, [=](const State& s) {
      const Value bits = s[u], codes = s[w];
      const Index n = codes.dim(0);
      const Value first = reshape(slice(codes, 1, 0, 1), {n, 3}),
                  second = reshape(slice(codes, 1, 1, 2), {n, 3});
      const Value energy = sum_per_sample(matmul(bits, j) * bits) +
                           0.7 * sum_per_sample(matmul(bits, a) * flatten(codes)) +
                           sum_per_sample(matmul(first, b) * second);
      return reshape(affine ? energy : energy + square(sum_per_sample(bits) - 1.0) + tanh(2.0 * energy),
                     {n, 1});
    }));
  }
  State start(Index rows) const {
    return State().set(x, Tensor::zeros({rows, 3}, f64())).set(y, repeated({1, 0, 0, 1, 0, 0}, y, rows));
  }
};

/// 200 chains of a target from a common start, which the burn-in forgets.
MomentErrors errors_of(const Transition& move, bool affine, const Block& block, Index draws) {
  const Target target(affine);
  return moment_errors(move, target.graph, target.start(200),
                       distribution(target.graph, block, target.start(1)), block,
                       {.burn_in = 50, .draws = draws, .key = Key(3)});
}

void expect_exact(const MomentErrors& errors) {
  EXPECT_LT(errors.worst, kErrors);
  EXPECT_GE(errors.effective_samples, kEffective);
}

/// Metropolis with another rule: test of the test.
class Wrong final : public Transition {
 public:
  explicit Wrong(Variable bits) : bits_(std::move(bits)) {}
  std::string name() const override { return "Wrong"; }
  Block moves() const override { return {bits_}; }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override {
    const Value& x = state[bits_];
    const Value flip = largest(Value(uniform(key.fold("units"), x.shape(), x.placement())), 1);
    const State proposed = state.with(bits_, abs(x - flip));
    // Half of the energy's change: what temperature 2 has.
    const Value ratio = 0.5 * (graph.energy(state) - graph.energy(proposed));
    const Value chosen = accepted(ratio.detached(), key.fold("accept"), 0);
    return state.with(bits_, abs(x - per_sample(chosen, flip) * flip));
  }

 private:
  Variable bits_;
};

TEST(DiscreteTest, MetropolisIsExactForAnyEnergyOfBits) {
  if (is_guarded()) GTEST_SKIP() << "many draws; moves of slices are tested on every device";
  const Target target(false);
  expect_exact(errors_of(Metropolis({target.x}), false, {target.x}, 700));
}

TEST(DiscreteTest, AWrongAcceptanceRuleFailsTheSameTest) {
  if (is_guarded()) GTEST_SKIP() << "many draws; moves of slices are tested on every device";
  const Target target(false);
  const MomentErrors errors = errors_of(Wrong(target.x), false, {target.x}, 700);
  EXPECT_GT(errors.worst, 2.0 * kErrors);
  EXPECT_GE(errors.effective_samples, kEffective);
}

TEST(DiscreteTest, GibbsWithGradientsIsExactForBitsAndCodesWhereTheGradientIsNot) {
  if (is_guarded()) GTEST_SKIP() << "many draws; moves of slices are tested on every device";
  const Target target(false);
  expect_exact(errors_of(GibbsWithGradients({target.x, target.y}), false, {target.x, target.y}, 900));
  expect_exact(errors_of(GibbsWithGradients({target.y}, {.proposals = 2}), false, {target.y}, 400));
}

TEST(DiscreteTest, ChromaticGibbsIsExact) {
  if (is_guarded()) GTEST_SKIP() << "many draws; moves of slices are tested on every device";
  const Target target(true);
  expect_exact(errors_of(ChromaticGibbs({target.x, target.y}), true, {target.x, target.y}, 300));
  expect_exact(errors_of(ChromaticGibbs({target.x}), true, {target.x}, 150));
}

// The energies, gradients and chances that a proposal takes over from the one before are those of the state.
TEST(DiscreteTest, ProposalsOfOneMoveAreMovesOneAfterAnother) {
  const Target target(false);
  const State start = target.start(200);
  const auto expect_same = [&](const Transition& many, const Transition& fewer) {
    // The first of two proposals draws what a move of one does, and so does the first of three.
    const State three = many(target.graph, start, Key(5)), two = fewer(target.graph, start, Key(5));
    double moved = 0.0;
    for (const Variable& variable : many.moves())
      moved +=
          sum(abs(three[variable] - two[variable])).item() / (variable.domain == Domain::Binary ? 1.0 : 2.0);
    // Each row either stays at its third proposal or changes one unit.
    const double last =
        sum(3.0 * many.info(three).at("acceptance") - 2.0 * fewer.info(two).at("acceptance")).item();
    EXPECT_NEAR(moved, last, 1e-9);
    EXPECT_GT(last, 0.0);
  };
  expect_same(Metropolis({target.x}, {.proposals = 3}), Metropolis({target.x}, {.proposals = 2}));
  expect_same(GibbsWithGradients({target.x, target.y}, {.proposals = 3}),
              GibbsWithGradients({target.x, target.y}, {.proposals = 2}));
}

TEST(DiscreteTest, ASliceMovesAsTheWholeWould) {
  const Target target(true);
  const State start = target.start(6);
  State part = State().in({.first_row = 4});
  part.set(target.x, start[target.x].tensor().rows(4, 6)).set(target.y, start[target.y].tensor().rows(4, 6));
  const auto expect_same = [&](const Transition& move) {
    const State whole = iterate(move, target.graph, start, 3, Key(8)),
                slice = iterate(move, target.graph, part, 3, Key(8));
    for (const Variable& variable : {target.x, target.y})
      EXPECT_EQ(slice[variable].tensor().values(), whole[variable].tensor().rows(4, 6).values())
          << move.name();
  };
  expect_same(Metropolis({target.x}, {.proposals = 3}));
  expect_same(GibbsWithGradients({target.x, target.y}, {.proposals = 3}));
  expect_same(ChromaticGibbs({target.x, target.y}));
}

// A wall: energies that are infinite are never entered, and what stands beside keeps its numbers.
TEST(DiscreteTest, InfiniteEnergiesAreNeverEntered) {
  FactorGraph graph;
  const Variable x = graph.binary("x", {3});
  graph.add(Formula({x}, [=](const State& s) {
    const Value full = step(sum_per_sample(s[x]) - 2.5);
    return reshape(full / (1.0 - full) + sum_per_sample(s[x]), {full.dim(0), 1});  // 1 / 0 where all are 1
  }));
  const State start = State().set(x, Tensor::zeros({500, 3}, f64()));
  const State end = iterate(Metropolis({x}, {.proposals = 5}), graph, start, 10, Key(1));
  EXPECT_LT(max(sum_per_sample(end[x]), 0).item(), 2.5);
  EXPECT_GT(mean(end[x]).item(), 0.1);
}

/// Neighbours on a grid of free ends interact.
FactorGraph grid(Variable& v, Index rows, Index columns, double coupling = 0.8) {
  FactorGraph graph;
  v = graph.binary("v", {rows, columns});
  const Variable u = v;
  graph.add(Formula({v}, [=](const State& s) {
    const Value spins = 2.0 * s[u] - 1.0;
    const Value down = slice(spins, 1, 0, rows - 1) * slice(spins, 1, 1, rows),
                right = slice(spins, 2, 0, columns - 1) * slice(spins, 2, 1, columns);
    return reshape(-coupling * (sum_per_sample(down) + sum_per_sample(right)), {spins.dim(0), 1});
  }));
  return graph;
}

TEST(ChromaticGibbsTest, AGridHasTwoColoursAndIsDrawnExactly) {
  Variable v;
  const FactorGraph graph = grid(v, 3, 4, 0.4);
  const State start = State().set(v, Tensor::zeros({200, 3, 4}, f64()));
  const auto colours = unit_colours(graph, {v}, start, "test");
  EXPECT_EQ(colours->count, 2);
  EXPECT_TRUE(colours->lasting);
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t c = 0; c < 4; ++c)
      EXPECT_EQ(colours->of[0][r * 4 + c] == colours->of[0][0], (r + c) % 2 == 0);
  }
  EXPECT_EQ(unit_colours(graph, {v}, start, "test"), colours) << "remembered";
  EXPECT_EQ(unit_colours(tempered(graph, numbers({0.5}, {1})), {v}, start, "test"), colours);
  if (is_guarded()) GTEST_SKIP() << "many draws; moves of slices are tested on every device";
  expect_exact(moment_errors(ChromaticGibbs({v}), graph, start, distribution(graph, {v}), {v},
                             {.burn_in = 30, .draws = 350, .key = Key(2)}));
}

TEST(ChromaticGibbsTest, ColoursFollowTheEnergy) {
  const Target target(true);
  const auto colours = unit_colours(target.graph, {target.x, target.y}, target.start(2), "test");
  EXPECT_EQ(colours->count, 5) << "all five units interact";
  EXPECT_EQ(colours->of[1][0], colours->of[1][2]) << "a group has one colour";
  FactorGraph rbm;
  const Variable v = rbm.binary("v", {4}), h = rbm.binary("h", {3});
  rbm.add(Bias(v)).add(Bilinear(v, h, Key(1)));
  randomise(rbm, Key(2));
  EXPECT_EQ(unit_colours(rbm, {v, h}, State(), "test")->count, 2);
  EXPECT_EQ(unit_colours(rbm, {h}, State().set(v, Tensor::zeros({1, 4}, f64())), "test")->count, 1);
  EXPECT_EQ(unit_colours(rbm.scaled(0.0), {v, h}, State(), "test")->count, 1);
}

// A coupling of weight 0 is none, until it learns.
TEST(ChromaticGibbsTest, ACouplingThatGrowsIsSeen) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {2}), h = graph.binary("h", {2});
  graph.add(Bias(v)).add(Bilinear(v, h, Key(1)));
  randomise(graph, Key(2));
  Parameter weight = graph.parameter("v.h.weight");
  weight.set(Tensor::zeros({2, 2}, f64()));
  const State start = State().set(v, Tensor::zeros({200, 2}, f64())).set(h, Tensor::zeros({200, 2}, f64()));
  const auto colours = unit_colours(graph, {v, h}, start, "test");
  EXPECT_EQ(colours->count, 1);
  EXPECT_FALSE(colours->lasting);
  weight.set(numbers({2.0, -1.0, 1.5, -2.0}, {2, 2}));
  expect_exact(moment_errors(ChromaticGibbs({v, h}), graph, start, distribution(graph, {v, h}), {v, h},
                             {.burn_in = 30, .draws = 250, .key = Key(3)}));
  EXPECT_EQ(unit_colours(graph, {v, h}, start, "test")->count, 2);
}

TEST(DiscreteTest, WhatTheyCannotMoveIsAnError) {
  FactorGraph graph;
  const Variable b = graph.binary("b", {2}), c = graph.categorical("c", {3}), r = graph.real("r", {2}),
                 large = graph.binary("large", {kMostUnits + 1});
  EXPECT_TRUE(contains(error_of([&] { Metropolis({c}); }),
                       "expected binary variables, received c, which is categorical"));
  EXPECT_TRUE(contains(error_of([&] { Metropolis({b, b}); }), "b twice"));
  EXPECT_TRUE(contains(error_of([&] { Metropolis({b}, {.proposals = 0}); }), "at least 1 proposal"));
  EXPECT_TRUE(contains(error_of([&] { Metropolis({}); }), "expected a variable to move"));
  EXPECT_TRUE(contains(error_of([&] {
                         GibbsWithGradients({b, r});
                       }),
                       "binary or categorical variables, received r"));
  EXPECT_TRUE(contains(error_of([&] { GibbsWithGradients({b}, {.proposals = 0}); }), "at least 1 proposal"));
  EXPECT_TRUE(contains(error_of([&] { ChromaticGibbs({r}); }), "received r, which is real"));
  graph.add(Bias(b)).add(Bias(large));
  graph.to(f64());
  const State state =
      State().set(b, Tensor::zeros({1, 2}, f64())).set(large, Tensor::zeros({1, large.size()}, f64()));
  EXPECT_TRUE(
      contains(error_of([&] { Metropolis({b}, {.flips = 3})(graph, state, Key(1)); }), "at most 2 flips"));
  EXPECT_TRUE(
      contains(error_of([&] { ChromaticGibbs({large})(graph, state, Key(1)); }), "at most 4096 numbers"));
  graph.add(Formula({b}, [=](const State& s) { return square(sum(s[b], {1}, {.keep = true})); }));
  EXPECT_TRUE(contains(error_of([&] { ChromaticGibbs({b})(graph, state, Key(1)); }), "affine"));
}

}  // namespace
}  // namespace basin::test
