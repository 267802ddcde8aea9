#include "energy/likelihood/annealed_importance.h"

#include <gtest/gtest.h>

#include <numeric>

#include "autograd/ops.h"
#include "bipartite_graphs.h"
#include "energy/eliminate/eliminate.h"

namespace basin::test {
namespace {

AnnealedImportanceOptions options(Index chains, Index temperatures, Key key = Key(3)) {
  return {.chains = chains, .temperatures = uniform_ladder(temperatures), .key = key};
}

double exact_log_z(const Pair& pair) { return log_partition(pair.graph).item(); }

Tensor base_of(const Pair& pair, const Tensor& data) {
  return base_bias(pair.graph, pair.v, sum(flatten(Value(data)), {0}).tensor(), data.dim(0));
}

/// Pairs of units of which one side can be enumerated.
std::vector<Pair> enumerable_pairs() {
  std::vector<Pair> pairs;
  for (const Domain visible : kDomains) {
    for (const Domain hidden : kDomains) {
      const auto discrete = [](Domain d) { return d == Domain::Binary || d == Domain::Categorical; };
      if (discrete(visible) || discrete(hidden)) pairs.push_back(bipartite(visible, hidden));
    }
  }
  return pairs;
}

TEST(AnnealedImportanceTest, FindsTheExactLogPartitionOfAllKindsOfUnits) {
  for (const Pair& pair : enumerable_pairs()) {
    const PartitionEstimate estimate = annealed_importance(pair.graph, {pair.v}, {pair.h}, options(200, 20));
    SCOPED_TRACE(to_string(pair.v.domain) + "-" + to_string(pair.h.domain));
    EXPECT_NEAR(estimate.log_z, exact_log_z(pair), 4.0 * estimate.standard_error);
    EXPECT_LT(estimate.standard_error, 0.1);
    EXPECT_LE(estimate.low, estimate.log_z);
    EXPECT_GE(estimate.high, estimate.log_z);
    EXPECT_GT(estimate.effective_samples, 20.0);
  }
}

TEST(AnnealedImportanceTest, ReverseRunsFindItToo) {
  for (const Pair& pair : enumerable_pairs()) {
    const State start = State().set(pair.v, samples(pair.v, 200, Key(8)));
    const PartitionEstimate estimate =
        reverse_annealed_importance(pair.graph, {pair.v}, {pair.h}, start, options(0, 20), {.burn_in = 20});
    SCOPED_TRACE(to_string(pair.v.domain) + "-" + to_string(pair.h.domain));
    EXPECT_NEAR(estimate.log_z, exact_log_z(pair), 4.0 * estimate.standard_error);
    EXPECT_LT(estimate.standard_error, 0.1);
    EXPECT_EQ(estimate.log_weights.size(), 200u);
  }
}

TEST(AnnealedImportanceTest, FusedEqualsDerived) {
  for (const Pair& pair : enumerable_pairs()) {
    SCOPED_TRACE(to_string(pair.v.domain) + "-" + to_string(pair.h.domain));
    if (pair.h.domain != Domain::Binary) {  // no rule: one path only
      EXPECT_TRUE(annealed_importance(pair.graph, {pair.v}, {pair.h}, options(1, 1)).rules.empty());
      continue;
    }
    AnnealedImportanceOptions fused = options(12, 5);
    fused.batch = 7;  // two batches, the last one smaller
    for (const bool with_base : {false, true}) {
      if (with_base) fused.base["v"] = base_of(pair, samples(pair.v, 30, Key(2)));
      AnnealedImportanceOptions derived = fused;
      derived.fuse = Fuse::Off;
      const PartitionEstimate a = annealed_importance(pair.graph, {pair.v}, {pair.h}, fused);
      const PartitionEstimate b = annealed_importance(pair.graph, {pair.v}, {pair.h}, derived);
      EXPECT_EQ(a.rules, std::vector<std::string>{"bipartite"});
      EXPECT_TRUE(b.rules.empty());
      ASSERT_EQ(a.log_weights.size(), 12u);
      for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(a.log_weights[i], b.log_weights[i], 1e-9);
      const State start = State().set(pair.v, samples(pair.v, 12, Key(8)));
      const PartitionEstimate c =
          reverse_annealed_importance(pair.graph, {pair.v}, {pair.h}, start, fused, {.burn_in = 2});
      const PartitionEstimate d =
          reverse_annealed_importance(pair.graph, {pair.v}, {pair.h}, start, derived, {.burn_in = 2});
      for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(c.log_weights[i], d.log_weights[i], 1e-9);
    }
  }
}

// With strong weights and one step from base to model, weights are far apart: few chains under-estimate log Z
// on average, and over-estimate it in reverse. Unbiased in Z itself: the mean of w over very many chains is
// right.
TEST(AnnealedImportanceTest, ABadLadderErrsOnTheStatedSide) {
  Pair pair;
  pair.v = pair.graph.binary("v", {8});
  pair.h = pair.graph.binary("h", {6});
  pair.graph.add(Bias(pair.v)).add(Bias(pair.h)).add(Bilinear(pair.v, pair.h, Key(1)));
  randomise(pair.graph, Key(2), 1.5);
  const double exact = log_partition(pair.graph).item();
  constexpr std::uint64_t kRuns = 100;
  double forward = 0.0, reverse = 0.0;
  const State start = State().set(pair.v, samples(pair.v, 5, Key(8)));
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    forward += annealed_importance(pair.graph, {pair.v}, {pair.h}, options(5, 1, Key(run))).log_z / kRuns;
    reverse += reverse_annealed_importance(pair.graph, {pair.v}, {pair.h}, start, options(0, 1, Key(run)),
                                           {.burn_in = 30})
                   .log_z /
               kRuns;
  }
  EXPECT_LT(forward, exact - 0.1);
  EXPECT_GT(reverse, exact + 0.1);
  const PartitionEstimate good = annealed_importance(pair.graph, {pair.v}, {pair.h}, options(500, 300));
  EXPECT_NEAR(good.log_z, exact, 4.0 * good.standard_error);
  EXPECT_LT(good.standard_error, 0.1);
  const State many = State().set(pair.v, samples(pair.v, 2000, Key(8)));
  const PartitionEstimate back =
      reverse_annealed_importance(pair.graph, {pair.v}, {pair.h}, many, options(0, 30), {.burn_in = 60});
  EXPECT_NEAR(back.log_z, exact, 4.0 * back.standard_error);
  EXPECT_LT(back.standard_error, 0.1);
}

// Reverse chains that have mixed, that need longer than asked, and that get no longer; too few weights.
TEST(AnnealedImportanceTest, SaysWhatIsNotToBeTrusted) {
  Pair pair;
  pair.v = pair.graph.binary("v", {8});
  pair.h = pair.graph.binary("h", {1});
  pair.graph.add(Bias(pair.v)).add(Bias(pair.h)).add(Bilinear(pair.v, pair.h, Key(1)));
  pair.graph.to(f64());
  pair.graph.parameter("v.bias").tensor().fill(-1.5);
  pair.graph.parameter("v.h.weight").tensor().fill(3.0);
  pair.graph.parameter("h.bias").tensor().fill(-12.0);
  const State off = State().set(pair.v, Tensor::zeros({200, 8}, f64()));
  const PartitionEstimate mixed =
      reverse_annealed_importance(pair.graph, {pair.v}, {pair.h}, off, options(0, 50), {.burn_in = 400});
  EXPECT_EQ(mixed.warning, "");
  EXPECT_GE(mixed.burn_in, 400);
  EXPECT_NEAR(mixed.log_z, exact_log_z(pair), 4.0 * mixed.standard_error);

  // A wide machine that takes long to forget where it was: the burn-in grows until the drift ends, or says
  // so.
  Pair slow;
  slow.v = slow.graph.binary("v", {40});
  slow.h = slow.graph.binary("h", {40});
  slow.graph.add(Bias(slow.v)).add(Bias(slow.h)).add(Bilinear(slow.v, slow.h, Key(1)));
  slow.graph.to(f64());
  const std::vector<double> ones(40, 1.0);
  std::vector<double> coupled(1600, 0.0);
  for (std::size_t i = 0; i < 40; ++i) coupled[i * 41] = 8.0;
  slow.graph.parameter("v.h.weight").tensor().copy_from(numbers(coupled, {40, 40}));
  slow.graph.parameter("v.bias").tensor().fill(-5.0);
  slow.graph.parameter("h.bias").tensor().fill(-3.0);
  const State on = State().set(slow.v, repeated(ones, slow.v, 100));
  const auto reversed = [&](ReverseOptions how) {
    return reverse_annealed_importance(slow.graph, {slow.v}, {slow.h}, on, options(0, 400), how);
  };
  const PartitionEstimate drifting = reversed({.burn_in = 4, .times = 2});
  EXPECT_EQ(drifting.burn_in, 8);
  EXPECT_TRUE(contains(drifting.warning, "drift after 8 sweeps")) << drifting.warning;
  EXPECT_EQ(drifting.standard_error, INFINITY);
  const PartitionEstimate longer = reversed({.burn_in = 4, .times = 1000});
  EXPECT_GT(longer.burn_in, 8);
  EXPECT_FALSE(contains(longer.warning, "drift")) << longer.warning;

  // Few chains carry a forward estimate of one step; a model without numbers has none.
  const PartitionEstimate few = annealed_importance(slow.graph, {slow.v}, {slow.h}, options(100, 1));
  EXPECT_TRUE(contains(few.warning, "of 100 chains carry")) << few.warning << few.effective_samples;
  EXPECT_EQ(few.standard_error, INFINITY);
  EXPECT_EQ(few.low, -INFINITY);
  EXPECT_EQ(few.high, INFINITY);
}

TEST(AnnealedImportanceTest, ADeepBoltzmannMachineInTwoBlocks) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {4}), h1 = graph.binary("h1", {3}), h2 = graph.binary("h2", {2});
  graph.add(Bias(v)).add(Bias(h1)).add(Bias(h2)).add(Bilinear(v, h1, Key(1))).add(Bilinear(h1, h2, Key(2)));
  randomise(graph, Key(3));
  const double exact = log_partition(graph).item();
  const PartitionEstimate estimate = annealed_importance(graph, {v, h2}, {h1}, options(200, 50));
  EXPECT_NEAR(estimate.log_z, exact, 4.0 * estimate.standard_error);
  EXPECT_LT(estimate.standard_error, 0.1);
}

TEST(AnnealedImportanceTest, TheBaseModelHasTheMeanOfTheData) {
  const Pair pair = bipartite(Domain::Binary, Domain::Binary);
  const Tensor data = numbers({1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0}, {2, 9});
  const std::vector<double> bias = base_of(pair, data).values();
  EXPECT_NEAR(bias[0], std::log(3.0), 1e-12);        // (2 + 1) of (2 + 2)
  EXPECT_NEAR(bias[1], 0.0, 1e-12);                  // (1 + 1)
  EXPECT_NEAR(bias[2], std::log(1.0 / 3.0), 1e-12);  // (0 + 1)
  // A normal with this bias has the mean of the data: b / precision.
  const Pair real = bipartite(Domain::Real, Domain::Binary);
  const std::vector<double> b = base_of(real, data).values();
  const std::vector<double> s = real.graph.parameters()[1].tensor().values();
  EXPECT_NEAR(b[1] / std::exp(s[1]), 0.5, 1e-12);
}

TEST(AnnealedImportanceTest, TheBaseLogPartitionIsExact) {
  const Pair pair = bipartite(Domain::Binary, Domain::Binary);
  const std::vector<double> b = pair.graph.parameters()[0].tensor().values();
  double expected = 6 * std::log(2.0);
  for (const double x : b) expected += std::log1p(std::exp(x));
  EXPECT_NEAR(annealed_importance(pair.graph, {pair.v}, {pair.h}, options(2, 1)).base_log_z, expected, 1e-12);
}

TEST(AnnealedImportanceTest, SinglePrecisionAgrees) {
  const Pair pair = bipartite(Domain::Binary, Domain::Binary);
  const double exact = exact_log_z(pair);
  pair.graph.to(f32());
  const PartitionEstimate estimate = annealed_importance(pair.graph, {pair.v}, {pair.h}, options(200, 50));
  EXPECT_NEAR(estimate.log_z, exact, 4.0 * estimate.standard_error + 1e-4);
}

TEST(AnnealedImportanceTest, MistakesAreErrors) {
  const Pair pair = bipartite(Domain::Binary, Domain::Binary);
  const auto run = [&](const Block& v, const Block& h, const AnnealedImportanceOptions& o) {
    return error_of([&] { annealed_importance(pair.graph, v, h, o); });
  };
  EXPECT_TRUE(contains(run({pair.v}, {}, options(2, 2)), "in one of the two blocks"));
  EXPECT_TRUE(contains(run({pair.v}, {pair.v}, options(2, 2)), "in one of the two blocks"));
  EXPECT_TRUE(contains(run({pair.v}, {pair.h}, {.temperatures = {0.0, 0.5, 0.4, 1.0}}), "rise from 0 to 1"));
  EXPECT_TRUE(contains(run({pair.v}, {pair.h}, {.temperatures = {0.1, 1.0}}), "rise from 0 to 1"));
  EXPECT_TRUE(contains(run({pair.v}, {pair.h}, {.chains = 0}), "chains"));
}

TEST(LadderTest, EndsAndParts) {
  for (const std::vector<double>& ladder :
       {uniform_ladder(7), three_part_ladder(14500), three_part_ladder(3), three_part_ladder(100)}) {
    EXPECT_EQ(ladder.front(), 0.0);
    EXPECT_EQ(ladder.back(), 1.0);
    for (std::size_t k = 1; k < ladder.size(); ++k) EXPECT_GT(ladder[k], ladder[k - 1]);
  }
  const std::vector<double> ladder = three_part_ladder(14500);
  ASSERT_EQ(ladder.size(), 14501u);
  EXPECT_EQ(ladder[500], 0.5);
  EXPECT_EQ(ladder[4500], 0.9);
  EXPECT_NEAR(ladder[4501] - ladder[4500], 1e-5, 1e-12);
  EXPECT_TRUE(contains(error_of([] { three_part_ladder(2); }), "at least 3"));
  EXPECT_TRUE(contains(error_of([] { uniform_ladder(0); }), "at least 1"));
}

}  // namespace
}  // namespace basin::test
