#include "energy/sample/block_gibbs.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/quadratic.h"
#include "energy/marginal/conditional.h"
#include "oracle.h"

namespace basin::test {
namespace {

constexpr Index kChains = 20000;
constexpr Index kSweeps = 25;  // from a common start: far beyond the mixing time of these models

/// Counts of the joint states of `block` (binary variables) over the chains, in the order of
/// enumerate_states.
std::vector<double> histogram(const State& state, const Block& block) {
  std::vector<std::size_t> code(static_cast<std::size_t>(state.batch()), 0);
  for (const Variable& variable : block) {
    const std::vector<double> values = state[variable].tensor().values();
    const auto size = static_cast<std::size_t>(variable.size());
    for (std::size_t n = 0; n < code.size(); ++n) {
      for (std::size_t i = 0; i < size; ++i) code[n] = 2 * code[n] + (values[n * size + i] > 0.5 ? 1 : 0);
    }
  }
  std::vector<double> counts(static_cast<std::size_t>(state_count(block)), 0.0);
  for (const std::size_t c : code) counts[c] += 1.0;
  return counts;
}

/// Chains are independent, so that counts are multinomial: every cell within 4.5 standard deviations, and
/// Pearson's sum within 4 of its own (mean cells - 1, variance 2 (cells - 1)).
void expect_distribution(const std::vector<double>& counts, const std::vector<double>& p) {
  ASSERT_EQ(counts.size(), p.size());
  double chi_squared = 0.0;
  for (std::size_t s = 0; s < p.size(); ++s) {
    const double expected = p[s] * static_cast<double>(kChains);
    EXPECT_LT(std::abs(counts[s] - expected), 4.5 * std::sqrt(expected * (1 - p[s])) + 1.0) << "state " << s;
    chi_squared += (counts[s] - expected) * (counts[s] - expected) / expected;
  }
  const auto cells = static_cast<double>(p.size());
  EXPECT_LT(std::abs(chi_squared - (cells - 1)), 4.0 * std::sqrt(2 * (cells - 1)));
}

Tensor zeros(const Variable& variable, Index batch = kChains) {
  return Tensor::zeros(batched(variable, batch), f64());
}

TEST(BlockGibbsTest, ATinyRbm) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), h = graph.binary("h", {2});
  graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
  randomise(graph, Key(2));
  const State end = iterate(BlockGibbs({{h}, {v}}), graph, State().set(v, zeros(v)), kSweeps, Key(3));
  expect_distribution(histogram(end, {v, h}), distribution(graph, {v, h}).weight);
}

TEST(BlockGibbsTest, ASmallDeepBoltzmannMachine) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), h1 = graph.binary("h1", {2}), h2 = graph.binary("h2", {2});
  graph.add(Bias(v)).add(Bias(h1)).add(Bias(h2)).add(Bilinear(v, h1, Key(1))).add(Bilinear(h1, h2, Key(1)));
  randomise(graph, Key(5));
  const State end = iterate(BlockGibbs({{h1}, {v, h2}}), graph, State().set(v, zeros(v)).set(h2, zeros(h2)),
                            kSweeps, Key(3));
  expect_distribution(histogram(end, {v, h1, h2}), distribution(graph, {v, h1, h2}).weight);
}

TEST(BlockGibbsTest, AGaussianBinaryRbm) {
  FactorGraph graph;
  const Variable v = graph.real("v", {2}), h = graph.binary("h", {2});
  graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1))).add(Quadratic(v));
  randomise(graph, Key(2), 0.7);
  const State end = iterate(BlockGibbs({{h}, {v}}), graph, State().set(v, zeros(v)), kSweeps, Key(3));

  const State states = enumerate_states({h}, 0, 4, f64());
  std::vector<double> p;
  double total = 0.0;
  for (const double f : free_energy(graph, {v}, states).tensor().values()) total += std::exp(-f);
  for (const double f : free_energy(graph, {v}, states).tensor().values()) p.push_back(std::exp(-f) / total);
  expect_distribution(histogram(end, {h}), p);

  // v is a mixture of four normals: its mean and second moment, |z| < 4.5.
  const Conditional given = conditional(graph, {v}, states)[0];
  const std::vector<double> means = given.mean().tensor().values(),
                            precision = given.precision.tensor().values(), drawn = end[v].tensor().values();
  for (std::size_t i = 0; i < 2; ++i) {
    double one = 0.0, two = 0.0, four = 0.0;
    for (std::size_t s = 0; s < 4; ++s) {
      const double m = means[s * 2 + i], variance = 1.0 / precision[s * 2 + i];
      one += p[s] * m;
      two += p[s] * (m * m + variance);
      four += p[s] * (m * m * m * m + 6 * m * m * variance + 3 * variance * variance);
    }
    double first = 0.0, second = 0.0;
    for (std::size_t n = 0; n < kChains; ++n) {
      first += drawn[n * 2 + i] / kChains;
      second += drawn[n * 2 + i] * drawn[n * 2 + i] / kChains;
    }
    EXPECT_LT(std::abs(first - one), 4.5 * std::sqrt((two - one * one) / kChains));
    EXPECT_LT(std::abs(second - two), 4.5 * std::sqrt((four - two * two) / kChains));
  }
}

TEST(BlockGibbsTest, WhatNoBlockNamesIsClamped) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {2}), h1 = graph.binary("h1", {2}), h2 = graph.binary("h2", {2});
  graph.add(Bias(h1)).add(Bilinear(v, h1, Key(1))).add(Bilinear(h1, h2, Key(1)));
  randomise(graph, Key(2));
  const Tensor data = repeated({1, 0}, v, kChains);
  const State end =
      iterate(BlockGibbs({{h1}, {h2}}), graph, State().set(v, data).set(h2, zeros(h2)), kSweeps, Key(3));
  EXPECT_EQ(end[v].tensor().values(), data.values());
  expect_distribution(histogram(end, {h1, h2}),
                      distribution(graph, {h1, h2}, State().set(v, numbers({1, 0}, {1, 2}))).weight);
}

struct BlockGibbsSmall : testing::Test {
  BlockGibbsSmall() {
    graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
    randomise(graph, Key(2));
  }
  FactorGraph graph;
  Variable v = graph.binary("v", {6}), h = graph.binary("h", {5});
  State start = State().set(v, zeros(v, 10));
};

TEST_F(BlockGibbsSmall, IsAFunctionOfTheKey) {
  const BlockGibbs gibbs({{h}, {v}});
  const auto moved = [&](Key key) { return gibbs(graph, start, key)[v].tensor().values(); };
  EXPECT_EQ(moved(Key(1)), moved(Key(1)));
  EXPECT_NE(moved(Key(1)), moved(Key(2)));
}

TEST_F(BlockGibbsSmall, DrawsBlockIUnderKeyFoldI) {
  const Tensor hidden = conditional(graph, {h}, start)[0].sample(Key(1).fold(std::uint64_t{0}));
  const Tensor visible =
      conditional(graph, {v}, State().set(h, hidden))[0].sample(Key(1).fold(std::uint64_t{1}));
  const State end = BlockGibbs({{h}, {v}})(graph, start, Key(1));
  EXPECT_EQ(end[h].tensor().values(), hidden.values());
  EXPECT_EQ(end[v].tensor().values(), visible.values());
  EXPECT_FALSE(end[v].tracked());
}

TEST_F(BlockGibbsSmall, IterateFoldsTheStep) {
  const BlockGibbs gibbs({{h}, {v}});
  State by_hand = start;
  for (std::uint64_t i = 0; i < 3; ++i) by_hand = gibbs(graph, by_hand, Key(4).fold(i));
  EXPECT_EQ(iterate(gibbs, graph, start, 3, Key(4))[v].tensor().values(), by_hand[v].tensor().values());
  EXPECT_EQ(iterate(gibbs, graph, start, 0, Key(4))[v].tensor().values(), start[v].tensor().values());
  EXPECT_TRUE(contains(error_of([&] { iterate(gibbs, graph, start, -1, Key(4)); }), "steps >= 0"));
}

TEST_F(BlockGibbsSmall, RefusesInteractingBlocksAlsoAfterTheGraphChanged) {
  EXPECT_TRUE(contains(error_of([&] {
                         BlockGibbs({{v, h}})(graph, start.with(h, zeros(h, 10)), Key(1));
                       }),
                       "block {v, h} interacts with itself"));
  FactorGraph apart;
  const Variable a = apart.binary("a", {2}), b = apart.binary("b", {2});
  apart.add(Bias(a)).add(Bias(b));
  apart.to(f64());
  const BlockGibbs both({{a, b}});
  const State state = State().set(a, zeros(a, 3));
  EXPECT_EQ(error_of([&] { both(apart, state, Key(1)); }), "");
  FactorGraph coupled;  // as many factors, but others
  coupled.variable(a.name, a.domain, a.shape);
  coupled.variable(b.name, b.domain, b.shape);
  coupled.add(Bias(a)).add(Bilinear(a, b, Key(1)));
  coupled.to(f64());
  EXPECT_TRUE(contains(error_of([&] { both(coupled, state, Key(1)); }), "{a, b} interacts"));
  apart.add(Bilinear(a, b, Key(1)));
  apart.to(f64());
  EXPECT_TRUE(contains(error_of([&] { both(apart, state, Key(1)); }), "{a, b} interacts"));
  EXPECT_EQ(error_of([&] { both(apart.scaled(0.0), state, Key(1)); }), "")
      << "without weight nothing couples";
}

TEST_F(BlockGibbsSmall, RefusesBadBlocksAndMissingValues) {
  EXPECT_TRUE(contains(error_of([&] { BlockGibbs({}); }), "at least one block"));
  EXPECT_TRUE(contains(error_of([&] { BlockGibbs({{h}, {}}); }), "received an empty one"));
  EXPECT_TRUE(contains(error_of([&] { BlockGibbs({{h, h}}); }), "variable h twice"));
  EXPECT_TRUE(contains(error_of([&] {
                         BlockGibbs({{v}, {h}})(graph, start, Key(1));
                       }),
                       "variable h has no value"));
}

}  // namespace
}  // namespace basin::test
