#include <gtest/gtest.h>

#include <cmath>

#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/quadratic.h"
#include "support/contains.h"
#include "support/device.h"
#include "support/error_of.h"
#include "training/measures/chains.h"
#include "training/measures/density.h"
#include "training/measures/sampling.h"
#include "training/plots/sampled.h"

namespace basin::test {
namespace {

Config table(const std::string& text) { return Config::parse(text, "test"); }

/// What the measure puts into a store of a stage.
Store looked_over(Stage& stage, const std::string& keys, std::string* said = nullptr) {
  stage.placement = stage.graph.placement();
  stage.facets.set(read_chains(table(keys), false));
  const Dataset none;
  const Preprocessing plain;
  const Carry carry;
  const StageView view{.stage = stage,
                       .data = [&]() -> const Dataset& { return none; },
                       .preprocessing = [&]() -> const Preprocessing& { return plain; },
                       .carry = carry};
  Store store;
  const std::string text = chains_measure().evaluate(view, store);
  if (said != nullptr) *said = text;
  return store;
}

Stage round_gaussian() {
  Stage stage;
  const Variable x = stage.graph.real("x", {3});
  stage.graph.add(Quadratic(x, {.precision = Precision::Fixed}));
  stage.graph.to({Dtype::F64, device()});
  stage.kind = "energy";
  return stage;
}

/// x' = (1 - e) x + noise: a projection's autocorrelation is rho = 1 - e a move, tau = (1 + rho) / (1 - rho).
TEST(ChainsMeasureTest, AutocorrelationOfLangevinIsThatOfItsRecursion) {
  Stage stage = round_gaussian();
  const Store store =
      looked_over(stage, "transition = \"langevin\"\nstep = 0.1\nchains = 32\ndraws = 4000\nburn_in = 100\n");
  const double tau = 1.9 / 0.1;
  // The longest of nine estimates: above the truth, by the spread of tau at 32 * 4000 / 19 effective draws.
  EXPECT_NEAR(store.number("/evaluation/chains_autocorrelation_time"), tau, 0.15 * tau);
  EXPECT_NEAR(store.number("/evaluation/chains_effective_samples"), 32 * 4000 / tau, 0.15 * 32 * 4000 / tau);
  EXPECT_LT(store.number("/evaluation/chains_r_hat"), 1.02);
  // E = |x|^2 / 2: the square of rho.
  const std::vector<double> seen = store.numbers("/evaluation/chains/autocorrelation");
  for (const int lag : {1, 5, 10})
    EXPECT_NEAR(seen.at(static_cast<std::size_t>(lag)), std::pow(0.9, 2 * lag), 0.03) << lag;
  EXPECT_EQ(store.shape("/evaluation/chains/energy"), (Shape{4000, 32}));
  EXPECT_FALSE(store.has("/evaluation/chains_acceptance"));
}

TEST(ChainsMeasureTest, ThinnedDrawsCountMoves) {
  Stage stage = round_gaussian();
  const Store store = looked_over(stage,
                                  "transition = \"langevin\"\nstep = 0.1\nchains = 32\ndraws = 1000\n"
                                  "thin = 4\nburn_in = 100\n");
  const double rho = std::pow(0.9, 4), tau = 4.0 * (1.0 + rho) / (1.0 - rho);
  EXPECT_NEAR(store.number("/evaluation/chains_autocorrelation_time"), tau, 0.15 * tau);
}

TEST(ChainsMeasureTest, TunedTransitionsReachTheirAcceptance) {
  for (const char* name : {"mala", "hmc", "nuts"}) {
    Stage stage = round_gaussian();
    const Store store = looked_over(
        stage, std::string("transition = \"") + name + "\"\nchains = 20\ndraws = 200\nburn_in = 200\n");
    // Long trajectories through a Gaussian come back to where they were at steps that are not small: their
    // acceptance is no steady function of the step.
    const double accepted = store.number("/evaluation/chains_acceptance");
    EXPECT_GT(accepted, std::string(name) == "mala" ? 0.474 : 0.6) << name;
    EXPECT_LT(accepted, std::string(name) == "mala" ? 0.674 : 0.98) << name;
    EXPECT_LT(store.number("/evaluation/chains_r_hat"), 1.1) << name;
  }
}

Stage small_rbm() {
  Stage stage;
  const Variable v = stage.graph.binary("v", {4}), h = stage.graph.binary("h", {3});
  stage.graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(3)));
  stage.graph.to({Dtype::F64, device()});
  stage.kind = "rbm";
  return stage;
}

TEST(ChainsMeasureTest, BlocksOfAStageAreDrawnInTurnAndTemperedOnDemand) {
  Stage stage = small_rbm();
  stage.facets.set(Sampling{.visible = stage.graph.variables()[0], .hidden = stage.graph.variables()[1]});
  std::string said;
  const Store store =
      looked_over(stage, "temperatures = 4\nhottest = 0.0\nchains = 20\ndraws = 200\nburn_in = 50\n", &said);
  EXPECT_TRUE(contains(store.text("/evaluation/chains/transition"), "ParallelTempering(BlockGibbs("));
  EXPECT_GT(store.number("/evaluation/chains_round_trips"), 1.0);
  EXPECT_LT(store.number("/evaluation/chains_r_hat"), 1.1);
  EXPECT_TRUE(contains(said, "round trips"));
}

TEST(ChainsMeasureTest, UnitsOfModelsWithoutBlocksAreMovedByGradients) {
  for (const char* name : {"gibbs_with_gradients", "metropolis", "chromatic_gibbs"}) {
    Stage stage = small_rbm();
    const Store store = looked_over(
        stage, std::string("transition = \"") + name + "\"\nchains = 10\ndraws = 400\nburn_in = 50\n");
    EXPECT_LT(store.number("/evaluation/chains_r_hat"), 1.1) << name;
  }
}

/// The stage's energy is that of a standard normal in three dimensions: |x|^2 has mean 3 and variance 6.
TEST(ChainsMeasureTest, EnergiesOfSamplesAloneAreSampledByChains) {
  Stage stage = round_gaussian();
  stage.placement = stage.graph.placement();
  const Variable x = stage.graph.variables().front();
  stage.facets.set(free_energy_of(stage.graph, x));
  const Dataset none;
  const Preprocessing plain;
  const Carry carry;
  const StageView view{.stage = stage,
                       .data = [&]() -> const Dataset& { return none; },
                       .preprocessing = [&]() -> const Preprocessing& { return plain; },
                       .carry = carry};
  const Samples drawn = sampled(view, {.count = 2000, .steps = 100});
  ASSERT_EQ(drawn.count, 2000);
  double squares = 0.0;
  for (const double number : drawn.first().reals().values()) squares += number * number;
  EXPECT_NEAR(squares / 2000.0, 3.0, 4.0 * std::sqrt(6.0 / 2000.0));
  EXPECT_TRUE(contains(error_of([&] { (void)sampled(view, {.label = 1}); }), "labels"));
  EXPECT_TRUE(contains(error_of([&] { (void)sampled(view, {.means = true}); }), "hidden units"));
}

TEST(ChainsMeasureTest, TransitionsForOthersAreRefused) {
  Stage bits = small_rbm();
  EXPECT_TRUE(contains(error_of([&] { (void)looked_over(bits, "transition = \"mala\"\n"); }), "real"));
  EXPECT_TRUE(contains(error_of([&] { (void)looked_over(bits, "transition = \"gibbs\"\n"); }), "blocks"));
  Stage real = round_gaussian();
  EXPECT_TRUE(contains(error_of([&] { (void)looked_over(real, "transition = \"metropolis\"\n"); }), "bits"));
  EXPECT_TRUE(contains(error_of([&] {
                         (void)table("transition = \"mla\"\n"),
                             (void)read_chains(table("transition = \"mla\"\n"), false);
                       }),
                       "mala"));
  EXPECT_TRUE(
      contains(error_of([&] { (void)read_chains(table("temperatures = 1\n"), false); }), "at least 2"));
  EXPECT_TRUE(contains(
      error_of([&] { (void)read_chains(table("temperatures = 3\nhottest = 1.0\n"), false); }), "below 1"));
}

}  // namespace
}  // namespace basin::test
