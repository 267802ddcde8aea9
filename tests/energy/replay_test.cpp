#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "bipartite_graphs.h"
#include "energy/objectives/contrast/contrast.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/parallel_tempering.h"

namespace basin::test {
namespace {

/// Chains that stand still show where they begin.
class Still final : public Transition {
 public:
  explicit Still(Block block) : block_(std::move(block)) {}
  std::string name() const override { return "Still"; }
  Block moves() const override { return block_; }
  State operator()(const FactorGraph&, const State& state, Key) const override { return state; }

 private:
  Block block_;
};

struct ReplayTest : testing::Test {
  Pair pair = bipartite(Domain::Binary, Domain::Binary);
  State first = State().set(pair.v, samples(pair.v, 400, Key(1))),
        second = State().set(pair.v, samples(pair.v, 400, Key(2)));

  /// Visible units of the chains after an evaluation on the first batch and one on the second.
  std::vector<double> after(ChainsOptions options) const {
    options.persistent = kAsBatch;
    const Contrast contrast({pair.v}, Chains(Still({pair.v, pair.h}), options));
    Carry carry;
    contrast.evaluate(pair.graph, first, carry, Key(3));
    contrast.evaluate(pair.graph, second, carry, Key(4));
    return carry.at("particles.v").values();
  }
};

TEST_F(ReplayTest, ChainsBeginAnewAtTheirRate) {
  const std::vector<double> one = first[pair.v].tensor().values(), two = second[pair.v].tensor().values();
  EXPECT_EQ(after({}), one);
  EXPECT_EQ(after({.restart = 1.0, .restart_at = Restart::Data}), two);
  const auto same_rows = [&](const std::vector<double>& found, const std::vector<double>& as) {
    double count = 0.0;
    for (std::size_t n = 0; n < 400; ++n)
      count += std::equal(found.begin() + static_cast<std::ptrdiff_t>(9 * n),
                          found.begin() + static_cast<std::ptrdiff_t>(9 * n + 9),
                          as.begin() + static_cast<std::ptrdiff_t>(9 * n));
    return count;
  };
  // Each of two evaluations may restart a row: 400 draws, four standard errors; now and then rows are equal.
  const std::vector<double> some = after({.restart = 0.3, .restart_at = Restart::Data});
  EXPECT_NEAR(same_rows(some, two), 0.3 * 400, 4.0 * std::sqrt(400 * 0.3 * 0.7));
  EXPECT_NEAR(same_rows(some, one), 0.7 * 400, 4.0 * std::sqrt(400 * 0.3 * 0.7));
  EXPECT_GE(same_rows(some, one) + same_rows(some, two), 400.0);
  const std::vector<double> noise = after({.restart = 1.0});
  double ones = 0.0;
  for (const double bit : noise) ones += bit;
  EXPECT_NEAR(ones / 3600.0, 0.5, 4.0 * 0.5 / 60.0);
  EXPECT_NE(noise, one);
}

TEST_F(ReplayTest, FusedEqualsDerived) {
  for (const Restart where : {Restart::Data, Restart::Noise}) {
    const Chains chains(
        BlockGibbs({{pair.v}, {pair.h}}),
        {.steps = 2, .persistent = 7, .restart = 0.4, .restart_at = where, .eliminated = Block{pair.h}});
    const Contrast fused({pair.v}, chains), derived({pair.v}, chains, {.fuse = Fuse::Off});
    ASSERT_EQ(fused.rules(pair.graph), Rules{"bipartite"});
    Carry a, b;
    for (std::uint64_t step = 0; step < 3; ++step) {
      const Evaluation x = fused.evaluate(pair.graph, first, a, Key(3).fold(step)),
                       y = derived.evaluate(pair.graph, first, b, Key(3).fold(step));
      for (std::size_t i = 0; i < x.gradients.size(); ++i) {
        const Shape& shape = pair.graph.parameters()[i].tensor().shape();
        EXPECT_LT(largest_difference(x.gradients[i].to_tensor(shape), y.gradients[i].to_tensor(shape)),
                  1e-10);
      }
      for (const auto& [name, tensor] : a) EXPECT_EQ(tensor.values(), b.at(name).values()) << name;
    }
  }
}

TEST_F(ReplayTest, RatesOutOfRangeAreErrors) {
  const auto refused = [&](const ChainsOptions& options) {
    return error_of([&] { Chains(Still({pair.v, pair.h}), options); });
  };
  EXPECT_TRUE(contains(refused({.restart = 0.1}), "persistent chains only"));
  EXPECT_TRUE(contains(refused({.persistent = 3, .restart = 1.5}), "restart rate in [0, 1]"));
  EXPECT_TRUE(contains(refused({.persistent = 3, .restart = NAN}), "restart rate"));
}

// Replicas are part of the carry: chains that go on from it are those that never stopped.
TEST_F(ReplayTest, TemperedChainsGoOnFromTheCarry) {
  const ParallelTempering move(BlockGibbs({{pair.v}, {pair.h}}), {.ladder = even_ladder(0.0, 3)});
  const Contrast contrast({pair.v}, Chains(move, {.persistent = 5, .eliminated = Block{pair.h}}));
  EXPECT_EQ(contrast.rules(pair.graph), Rules{"tempered_bipartite"});
  Carry whole, parts;
  for (std::uint64_t step = 0; step < 3; ++step) {
    contrast.evaluate(pair.graph, first, whole, Key(3).fold(step));
    Carry again;  // as from a checkpoint
    for (const auto& [name, tensor] : parts) again[name] = tensor.clone();
    parts = again;
    contrast.evaluate(pair.graph, first, parts, Key(3).fold(step));
  }
  ASSERT_TRUE(whole.contains("memory.tempering.of.h"));
  EXPECT_EQ(whole.at("memory.tempering.of.h").shape(), (Shape{5, 2, 6}));
  for (const auto& [name, tensor] : whole) EXPECT_EQ(tensor.values(), parts.at(name).values()) << name;
}

}  // namespace
}  // namespace basin::test
