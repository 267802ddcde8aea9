#include <gtest/gtest.h>

#include <functional>

#include "bipartite_graphs.h"
#include "energy/factors/penalties/l1.h"
#include "energy/marginal/bipartite.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/sample/gibbs.h"
#include "tensor/backend.h"

namespace basin::test {
namespace {

using Options = ContrastiveDivergenceOptions;

std::string name_of(Domain visible, Domain hidden) { return to_string(visible) + "-" + to_string(hidden); }

/// Three evaluations with a small step of descent after each, by both paths from the same parameters: the
/// same gradients, metrics and carry throughout.
void expect_parity(const std::function<Pair()>& make, Options options, double tolerance,
                   Dtype dtype = Dtype::F64) {
  Pair a = make(), b = make();
  const Placement placement{dtype, device()};
  a.graph.to(placement);
  b.graph.to(placement);
  options.fuse = Fuse::Auto;
  const Contrast fused = ContrastiveDivergence(a.v, BlockGibbs({{a.h}, {a.v}}), options);
  options.fuse = Fuse::Off;
  const Contrast derived = ContrastiveDivergence(b.v, BlockGibbs({{b.h}, {b.v}}), options);
  ASSERT_EQ(fused.rules(a.graph), std::vector<std::string>{"bipartite"});
  ASSERT_TRUE(derived.rules(b.graph).empty());
  Carry carry_a, carry_b;
  for (std::uint64_t step = 0; step < 3; ++step) {
    const State batch = State().set(a.v, samples(a.v, 8, Key(3).fold(step)).to(placement));
    const Key key = Key(5).fold(step);
    const Evaluation x = fused.evaluate(a.graph, batch, carry_a, key);
    const Evaluation y = derived.evaluate(b.graph, batch, carry_b, key);
    const std::vector<Parameter> pa = a.graph.parameters(), pb = b.graph.parameters();
    for (std::size_t i = 0; i < pa.size(); ++i) {
      const Shape& shape = pa[i].tensor().shape();
      EXPECT_LT(largest_difference(x.gradients[i].to_tensor(shape), y.gradients[i].to_tensor(shape)),
                tolerance)
          << pa[i].name() << " " << step;
      x.gradients[i].accumulate(pa[i].tensor(), -0.05, 1.0);
      y.gradients[i].accumulate(pb[i].tensor(), -0.05, 1.0);
    }
    ASSERT_EQ(x.metrics.size(), y.metrics.size());
    for (const auto& [metric, value] : x.metrics)
      EXPECT_NEAR(value, y.metrics.at(metric), 10 * tolerance) << metric;
    ASSERT_EQ(carry_a.size(), carry_b.size());
    for (const auto& [carried, tensor] : carry_a) {
      EXPECT_EQ(tensor.shape(), carry_b.at(carried).shape());
      EXPECT_LT(largest_difference(tensor, carry_b.at(carried)), tolerance) << carried << " " << step;
    }
  }
}

TEST(BipartiteTest, FusedEqualsDerivedForEveryPairOfUnits) {
  for (const Domain visible : kDomains) {
    for (const Domain hidden : kDomains) {
      SCOPED_TRACE(name_of(visible, hidden));
      const auto make = [&] { return bipartite(visible, hidden); };
      expect_parity(make, {.steps = 1}, 1e-10);
      expect_parity(make, {.steps = 2, .persistent = true}, 1e-10);
      expect_parity(make, {.steps = 1, .persistent = true, .fast_rate = 0.05, .centring = 0.1}, 1e-10);
    }
  }
}

TEST(BipartiteTest, FusedEqualsDerivedForEveryOption) {
  const auto make = [] { return bipartite(Domain::Binary, Domain::Binary); };
  expect_parity(make, {.steps = 3}, 1e-10);
  expect_parity(make, {.persistent = true, .chains = 5}, 1e-10);
  expect_parity(make, {.persistent = true, .chains = 19}, 1e-10);
  expect_parity(make, {.centring = 0.3}, 1e-10);
  expect_parity(make, {.centring = 0.3, .offsets = Offsets::Average}, 1e-10);
  expect_parity(make, {.sparsity = {.target = 0.1, .cost = 3.0}}, 1e-10);
  expect_parity(make,
                {.persistent = true,
                 .fast_rate = 0.1,
                 .centring = 0.2,
                 .offsets = Offsets::Average,
                 .sparsity = {0.1, 2.0}},
                1e-10);
}

TEST(BipartiteTest, FusedEqualsDerivedForEveryKindOfPrecisionAndOrderOfTheBilinear) {
  for (const Precision precision : {Precision::PerUnit, Precision::Fixed}) {
    for (const Domain hidden : {Domain::Binary, Domain::Real, Domain::NonNegative}) {
      SCOPED_TRACE(static_cast<int>(precision));
      expect_parity([&] { return bipartite(Domain::Real, hidden, precision); }, {}, 1e-10);
      expect_parity([&] { return bipartite(Domain::NonNegative, hidden, precision, false); },
                    {.persistent = true, .centring = 0.1}, 1e-10);
    }
  }
}

TEST(BipartiteTest, FusedIsCloseToDerivedInSinglePrecision) {
  expect_parity([] { return bipartite(Domain::Binary, Domain::Binary); }, {.steps = 2}, 1e-5, Dtype::F32);
  expect_parity([] { return bipartite(Domain::Real, Domain::Binary); }, {.persistent = true}, 1e-4,
                Dtype::F32);
}

TEST(BipartiteTest, BiasesMayBeMissing) {
  const auto make = [] {
    Pair pair;
    pair.v = pair.graph.binary("v", {2, 3});
    pair.h = pair.graph.binary("h", {4});
    pair.graph.add(Bilinear(pair.v, pair.h, Key(1))).add(Bias(pair.h));
    randomise(pair.graph, Key(2));
    return pair;
  };
  expect_parity(make, {.persistent = true}, 1e-10);
}

TEST(BipartiteTest, RecognisesByFactorsAndDomainsOnly) {
  EXPECT_TRUE(recognise_bipartite(bipartite(Domain::Real, Domain::Categorical).graph));

  FactorGraph penalised = bipartite(Domain::NonNegative, Domain::Binary).graph;
  penalised.add(L1(penalised.find("v"), 0.1));
  EXPECT_FALSE(recognise_bipartite(penalised));

  FactorGraph twice = bipartite(Domain::Binary, Domain::Binary).graph;
  twice.add(Bilinear(twice.find("v"), twice.find("h"), Key(1), {.label = "more"}));
  EXPECT_FALSE(recognise_bipartite(twice));

  FactorGraph biased = bipartite(Domain::Binary, Domain::Binary).graph;
  biased.add(Bias(biased.find("v"), {.label = "more"}));
  EXPECT_FALSE(recognise_bipartite(biased));

  EXPECT_FALSE(recognise_bipartite(bipartite(Domain::Binary, Domain::Binary).graph.scaled(0.5)));

  FactorGraph flat;  // a real variable without a Quadratic has no normal conditional
  const Variable v = flat.real("v", {3}), h = flat.binary("h", {2});
  flat.add(Bilinear(v, h, Key(1)));
  EXPECT_FALSE(recognise_bipartite(flat));

  FactorGraph curved;  // a Quadratic on a binary variable acts as a bias
  const Variable x = curved.binary("v", {3}), y = curved.binary("h", {2});
  curved.add(Bilinear(x, y, Key(1))).add(Quadratic(x));
  EXPECT_FALSE(recognise_bipartite(curved));

  FactorGraph three = bipartite(Domain::Binary, Domain::Binary).graph;
  three.binary("label", {2});
  EXPECT_FALSE(recognise_bipartite(three));
}

TEST(BipartiteTest, SweepsItDoesNotKnowAreDerived) {
  const Pair pair = bipartite(Domain::Binary, Domain::Real);
  const auto rules = [&](BlockGibbs sweep, Options options = {}) {
    return ContrastiveDivergence(pair.v, std::move(sweep), options).rules(pair.graph);
  };
  EXPECT_EQ(rules(BlockGibbs({{pair.h}, {pair.v}})).size(), 1u);
  EXPECT_EQ(rules(BlockGibbs({{pair.h}, {pair.v}, {pair.h}})).size(), 0u);
  EXPECT_EQ(rules(BlockGibbs({{pair.h}, {pair.v}}), {.sparsity = {0.1, 1.0}}).size(),
            0u);  // penalised latents must be binary
}

TEST(BipartiteTest, WarmEvaluationsAllocateNoTensor) {
  for (const Options& options :
       {Options{}, Options{.steps = 3}, Options{.persistent = true}, Options{.persistent = true, .chains = 5},
        Options{.centring = 0.1},
        Options{.persistent = true, .fast_rate = 0.1, .centring = 0.1, .offsets = Offsets::Average},
        Options{.sparsity = {0.1, 1.0}}}) {
    for (const Domain visible : kDomains) {
      const Pair pair = bipartite(visible, Domain::Binary);
      const Contrast cd = ContrastiveDivergence(pair.v, BlockGibbs({{pair.h}, {pair.v}}), options);
      const State batch = State().set(pair.v, samples(pair.v, 8, Key(1)));
      Carry carry;
      std::uint64_t before = 0;
      for (std::uint64_t step = 0; step < 5; ++step) {
        if (step == 2) before = allocation_count(device());
        cd.evaluate(pair.graph, batch, carry, Key(step), {.metrics = false});
      }
      EXPECT_EQ(allocation_count(device()) - before, 0u) << cd.name() << " " << to_string(visible);
    }
  }
}

TEST(GibbsTest, FusedSweepsEqualIteratedOnes) {
  for (const Domain visible : kDomains) {
    for (const Domain hidden : kDomains) {
      const Pair pair = bipartite(visible, hidden);
      const State start =
          State().set(pair.v, samples(pair.v, 7, Key(1))).set(pair.h, samples(pair.h, 7, Key(2)));
      for (const BlockGibbs& sweep :
           {BlockGibbs({{pair.h}, {pair.v}}), BlockGibbs({{pair.v}, {pair.h}}), BlockGibbs({{pair.h}})}) {
        const State fused = gibbs(pair.graph, sweep, start, 3, Key(9));
        const State derived = gibbs(pair.graph, sweep, start, 3, Key(9), Fuse::Off);
        for (const Variable& variable : {pair.v, pair.h}) {
          EXPECT_EQ(fused[variable].shape(), derived[variable].shape());
          EXPECT_LT(largest_difference(fused[variable].tensor(), derived[variable].tensor()), 1e-10)
              << name_of(visible, hidden);
        }
      }
      // What was given is not written to.
      EXPECT_EQ(largest_difference(start[pair.v].tensor(), samples(pair.v, 7, Key(1))), 0.0);
    }
  }
}

TEST(GibbsTest, TheFirstBlockNeedsNoValue) {
  const Pair pair = bipartite(Domain::Binary, Domain::Binary);
  const State end = gibbs(pair.graph, BlockGibbs({{pair.h}, {pair.v}}),
                          State().set(pair.v, samples(pair.v, 4, Key(1))), 2, Key(2));
  EXPECT_EQ(end[pair.h].shape(), (Shape{4, 6}));
}

TEST(GibbsTest, SamplesPlacedElsewhereAreAnError) {
  const Pair pair = bipartite(Domain::Binary, Domain::Binary);
  const State start = State().set(pair.v, samples(pair.v, 4, Key(1)).to(Dtype::F32));
  const std::string error = error_of([&] {
    gibbs(pair.graph, BlockGibbs({{pair.h}, {pair.v}}), start, 1, Key(2));
  });
  EXPECT_TRUE(contains(error, "[bipartite] expected v as f64")) << error;
}

}  // namespace
}  // namespace basin::test
