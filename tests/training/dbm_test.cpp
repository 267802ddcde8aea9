#include <gtest/gtest.h>

#include <cmath>

#include "data/generators/bars_and_stripes.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/likelihood/log_likelihood.h"
#include "energy/objectives/contrast/contrast.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/sample/block_gibbs.h"
#include "support/device.h"
#include "training/fit.h"
#include "training/optimizers/sgd.h"

namespace basin::test {
namespace {

/// 9 - 6 - 4 bits.
struct Deep {
  FactorGraph graph;
  Variable v, h1, h2;
};

Deep deep(Key key) {
  FactorGraph dbm;
  const Variable v = dbm.binary("v", {9}), h1 = dbm.binary("h1", {6}), h2 = dbm.binary("h2", {4});
  dbm.add(Bias(v)).add(Bias(h1)).add(Bias(h2));
  dbm.add(Bilinear(v, h1, key.fold("1"), {.scale = 0.1}));
  dbm.add(Bilinear(h1, h2, key.fold("2"), {.scale = 0.1}));
  dbm.to(f32());
  return {dbm, v, h1, h2};
}

// The 14 patterns of bars and stripes 3x3, 1,000 updates from the same initialisations by the exact gradient
// and by mean field with 500 persistent chains; log-likelihoods by enumeration. Independent bits have -9 log
// 2 nats, no model more than -log 14.
TEST(DeepBoltzmannMachine, LearnsBarsAndStripesLikeTheExactGradient) {
  if (test::is_guarded()) GTEST_SKIP() << "a whole training takes minutes on guarded pages";
  const Samples data = bars_and_stripes({.side = 3});
  constexpr int kStarts = 3;
  double exact = 0.0, learned = 0.0;
  for (std::uint64_t seed = 1; seed <= kStarts; ++seed) {
    const Key key(seed);
    const auto log_likelihood = [&](const auto& objective_of) {
      const Deep m = deep(key);
      fit(m.graph, objective_of(m), data,
          Sgd({.learning_rate = Schedule::linear(0.5, 0.025), .momentum = 0.5}),
          {.epochs = 1000, .batch = 14, .key = key.fold("fit"), .metrics_every = 100});
      const State patterns =
          source(m.v, data, f32())
              .batch(std::vector<Index>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, Key(0));
      return average_log_likelihood(m.graph, {m.h1, m.h2}, patterns, log_partition(m.graph).item());
    };
    exact += log_likelihood([](const Deep& m) { return ExactLikelihood({m.v}); }) / kStarts;
    learned += log_likelihood([](const Deep& m) {
                 return Contrast({m.v}, MeanField({m.h1, m.h2}, {.iterations = 10}),
                                 Chains(BlockGibbs({{m.h1}, {m.v, m.h2}}), {.steps = 5, .persistent = 500}));
               }) /
               kStarts;
  }
  EXPECT_LE(exact, -std::log(14.0));
  EXPECT_GE(exact, -9.0 * std::log(2.0) + 2.0);
  EXPECT_GE(learned, exact - 0.1) << exact;
}

}  // namespace
}  // namespace basin::test
