#include "energy/sample/diagnostics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/quadratic.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/continuous/langevin.h"
#include "energy/sample/sample_run.h"
#include "oracle.h"

namespace basin::test {
namespace {

constexpr Placement kHost{Dtype::F64, Device::Cpu};

/// x_t = phi x_t-1 + sqrt(1 - phi^2) xi from the stationary N(0, 1), in every chain: rho_t = phi^t,
/// tau = (1 + phi) / (1 - phi).
std::vector<double> autoregression(double phi, Index draws, Index chains, Key key) {
  std::vector<double> x = normal(key, {draws, chains}, kHost).values();
  const double spread = std::sqrt(1.0 - phi * phi);
  for (std::size_t i = static_cast<std::size_t>(chains); i < x.size(); ++i)
    x[i] = phi * x[i - static_cast<std::size_t>(chains)] + spread * x[i];
  return x;
}

TEST(MixingTest, KnowsTheAutocorrelationTimeOfAnAutoregression) {
  constexpr Index kDraws = 20000, kChains = 10;
  // An estimate of tau over a window of some 5 tau has the relative error sqrt(20 tau / (draws chains)):
  // 1 to 4 % here (Sokal 1997, equation 3.19); four of them.
  for (const double phi : {0.9, 0.5, 0.0, -0.5}) {
    const Tensor draws = Tensor::from(autoregression(phi, kDraws, kChains, Key(1)), {kDraws, kChains}, f64());
    const Mixing found = mixing(draws);
    const double tau = (1.0 + phi) / (1.0 - phi);
    EXPECT_NEAR(found.autocorrelation_time / tau, 1.0, phi == 0.9 ? 0.16 : 0.08) << phi;
    EXPECT_NEAR(found.effective_samples * found.autocorrelation_time, 200000.0, 1e-6);
    EXPECT_NEAR(found.deviation, 1.0, 0.03) << phi;
    EXPECT_NEAR(found.mean, 0.0, 4.0 * found.standard_error);
    EXPECT_LT(found.r_hat, 1.003) << phi;
    const std::vector<double> rho = autocorrelations(draws, 3);
    for (int t = 0; t < 4; ++t) EXPECT_NEAR(rho[static_cast<std::size_t>(t)], std::pow(phi, t), 0.03);
  }
}

TEST(MixingTest, EqualsAnIndependentProgram) {
  // numpy and scipy: autocovariances by Fourier transforms, scipy.stats.rankdata and norm.ppf.
  const std::vector<double> a = {0.3, 1.1, -0.4, 0.9, 2.0, 1.7, -0.2, 0.5, 0.8, 1.9, -1.2},
                            b = {2.3, 1.4, 2.4, 0.9, 3.0, 2.7, 1.2, 2.5, 2.8, 1.9, 1.2};
  std::vector<double> both;
  for (std::size_t t = 0; t < a.size(); ++t) both.push_back(a[t]), both.push_back(b[t]);
  const Mixing odd = mixing(numbers(both, {11, 2}));
  EXPECT_NEAR(odd.mean, 1.35, 1e-12);
  EXPECT_NEAR(odd.deviation, 1.162282237668631, 1e-12);
  EXPECT_NEAR(odd.autocorrelation_time, 2.6621215485972307, 1e-10);
  EXPECT_NEAR(odd.effective_samples, 8.264085466568048, 1e-10);
  EXPECT_NEAR(odd.standard_error, 1.162282237668631 / std::sqrt(8.264085466568048), 1e-10);
  EXPECT_NEAR(odd.r_hat, 1.307448098882425, 1e-10);
  std::vector<double> tied;  // integers that repeat
  for (Index i = 0; i < 40; ++i) tied.push_back(static_cast<double>((7 * i * i + 3 * i) % 11));
  const Mixing ties = mixing_of_each(numbers(tied, {20, 2, 1})).front();
  EXPECT_NEAR(ties.deviation, 3.4241787336527865, 1e-12);
  EXPECT_NEAR(ties.autocorrelation_time, 1.6553470741530445, 1e-10);
  EXPECT_NEAR(ties.r_hat, 0.9569020269352615, 1e-10);
}

TEST(MixingTest, ChainsThatDisagreeShow) {
  constexpr Index kDraws = 2000, kChains = 4;
  const std::vector<double> same = autoregression(0.0, kDraws, kChains, Key(2));
  const auto changed = [&](auto change) {
    std::vector<double> x = same;
    for (Index t = 0; t < kDraws; ++t)
      for (Index c = 0; c < kChains; ++c) change(x[static_cast<std::size_t>(t * kChains + c)], t, c);
    return mixing(numbers(x, {kDraws, kChains}));
  };
  // Means 0, 0, 3, 3: var+ is 1 + 8 (3/2)^2 / 7 over eight halves; normal scores shrink its root a bit.
  const Mixing apart = changed([](double& x, Index, Index c) { x += c < 2 ? 0.0 : 3.0; });
  EXPECT_NEAR(apart.deviation * apart.deviation, 1.0 + 18.0 / 7.0, 0.1);
  EXPECT_GT(apart.r_hat, 1.5);
  EXPECT_LT(apart.effective_samples, 20.0);  // barely more than chains
  // One scale of two: means agree, distances from the median do not.
  EXPECT_GT(changed([](double& x, Index, Index c) { x *= c < 2 ? 1.0 : 3.0; }).r_hat, 1.1);
  // A common drift: only halves see it.
  EXPECT_GT(changed([](double& x, Index t, Index) { x += 2.0 * static_cast<double>(t) / kDraws; }).r_hat,
            1.1);
}

TEST(MixingTest, WhatSaysNothingIsNoNumber) {
  const Mixing constant = mixing(Tensor::full({100, 3}, 0.1, f64()));
  EXPECT_EQ(constant.mean, 0.1);
  EXPECT_EQ(constant.deviation, 0.0);
  EXPECT_TRUE(std::isnan(constant.r_hat) && std::isnan(constant.effective_samples) &&
              std::isnan(constant.autocorrelation_time) && std::isnan(constant.standard_error));
  EXPECT_TRUE(std::isnan(autocorrelations(Tensor::full({100, 3}, 0.1, f64()), 5).back()));
  // Stuck, each in a place of its own: no more samples than chains.
  std::vector<double> stuck;
  for (Index t = 0; t < 100; ++t) stuck.insert(stuck.end(), {0.1, 0.7, 0.9});
  const Mixing apart = mixing(numbers(stuck, {100, 3}));
  EXPECT_TRUE(std::isinf(apart.r_hat));
  EXPECT_LT(apart.effective_samples, 4.0);
}

TEST(MixingTest, BadDrawsAreErrors) {
  EXPECT_TRUE(contains(error_of([] {
                         mixing(numbers(std::vector<double>(14, 1.0), {7, 2}));
                       }),
                       "at least 8"));
  EXPECT_TRUE(contains(error_of([] { mixing(Tensor()); }), "undefined"));
  EXPECT_TRUE(contains(error_of([] { mixing(Tensor::zeros({10, 0}, f64())); }), "take more draws"));
  EXPECT_TRUE(contains(error_of([] { mixing(Tensor::zeros({10, 2, 2}, f64())); }), "[draws, chains]"));
  std::vector<double> bad(20, 1.0);
  bad[7] = NAN;
  EXPECT_TRUE(contains(error_of([&] { mixing(numbers(bad, {10, 2})); }), "draw 3 of chain 1"));
  bad[7] = INFINITY;
  EXPECT_TRUE(contains(error_of([&] { mixing(numbers(bad, {10, 2})); }), "inf"));
  EXPECT_TRUE(contains(error_of([&] { autocorrelations(Tensor::zeros({10, 2}, f64()), 10); }), "lags < 10"));
}

/// Bits of mean sigma(1) and sigma(-1), which Gibbs draws independently.
struct Bits {
  FactorGraph graph;
  Variable b;
};

Bits bits() {
  Bits made;
  made.b = made.graph.binary("b", {2});
  made.graph.add(Bias(made.b));
  made.graph.parameters().front().set(numbers({1.0, -1.0}, {2}));
  return made;
}

/// Flips nothing, and says how it went; the first 5 moves of a chain tune it.
class Standing final : public Transition {
 public:
  explicit Standing(Block moved) : moved_(std::move(moved)) {}
  std::string name() const override { return "Standing"; }
  State operator()(const FactorGraph&, const State& state, Key) const override {
    State moved = state;
    const Value count = state.recall("standing.count");
    moved.remember("standing.count",
                   count.defined() ? count + 1.0 : ones_like(sum_per_sample(state[moved_[0]])));
    return moved;
  }
  Block moves() const override { return moved_; }
  Info info(const State& after) const override {
    return {{"acceptance", 0.25 * after.recall("standing.count")}};
  }
  Index adapting(const State& state) const override {
    return state.recall("standing.count").defined() ? 0 : 5;
  }

 private:
  Block moved_;
};

TEST(SampleRunTest, GivesMomentsAndScalarsOfEveryChain) {
  constexpr Index kChains = 50, kDraws = 400;
  const Bits made = bits();
  const State start = State().set(made.b, Tensor::zeros({kChains, 2}, f64()));
  const SampleRun run =
      sample(BlockGibbs({{made.b}}), made.graph, start,
             {.burn_in = 2,
              .draws = kDraws,
              .thin = 2,
              .key = Key(5),
              .watch = {{"b", [&](const FactorGraph&, const State& state) { return state[made.b]; }}}});
  EXPECT_EQ(run.moves, 802);
  EXPECT_EQ(run.watched.at("energy").shape(), (Shape{kDraws, kChains}));
  EXPECT_EQ(run.watched.at("b").shape(), (Shape{kDraws, kChains, 2}));
  const double p = 1.0 / (1.0 + std::exp(-1.0));
  const std::vector<Mixing> found = mixing_of_each(run.watched.at("b"));
  for (std::size_t i = 0; i < 2; ++i) {
    const double mean = i == 0 ? p : 1.0 - p;
    EXPECT_NEAR(run.mean.at("b").values()[i], mean, 4.0 * std::sqrt(p * (1.0 - p) / 20000.0));
    EXPECT_NEAR(run.mean.at("b").values()[i], found[i].mean, 1e-12);
    EXPECT_NEAR(run.square.at("b").values()[i], found[i].mean, 1e-12);  // bits are their squares
    EXPECT_GT(found[i].effective_samples, 17000.0);                     // independent draws
  }
  EXPECT_NEAR(run.mixing("energy").mean, -p + (1.0 - p), 4.0 * run.mixing("energy").standard_error);
  EXPECT_TRUE(std::isnan(run.mean_info("acceptance")));  // BlockGibbs says nothing
  EXPECT_EQ(run.state[made.b].tensor().values().size(), 100U);
}

TEST(SampleRunTest, ATransitionTunesItselfInTheBurnInAlone) {
  const Bits made = bits();
  const State start = State().set(made.b, Tensor::zeros({3, 2}, f64()));
  const Standing standing({made.b});
  EXPECT_TRUE(contains(error_of([&] { sample(standing, made.graph, start, {.burn_in = 4, .draws = 8}); }),
                       "set burn_in >= 5, received 4"));
  const SampleRun run = sample(standing, made.graph, start, {.burn_in = 5, .draws = 8});
  EXPECT_NEAR(run.mean_info("acceptance"), 0.25 * (6 + 13) / 2.0, 1e-12);
  EXPECT_EQ(run.info.at("acceptance").shape(), (Shape{8, 3}));
  // Chains that have been tuned go on without burn-in.
  EXPECT_EQ(sample(standing, made.graph, run.state, {.draws = 8}).moves, 8);
}

TEST(SampleRunTest, WhatCannotBeSampledIsAnError) {
  const Bits made = bits();
  const State start = State().set(made.b, Tensor::zeros({3, 2}, f64()));
  const BlockGibbs gibbs({{made.b}});
  const auto with = [&](Watch watch) {
    return error_of([&] { sample(gibbs, made.graph, start, {.draws = 8, .watch = {{"mine", watch}}}); });
  };
  EXPECT_TRUE(contains(error_of([&] { sample(gibbs, made.graph, start, {.draws = 0}); }), "draws >= 1"));
  EXPECT_TRUE(contains(error_of([&] { sample(gibbs, made.graph, start, {.thin = 0}); }), "thin >= 1"));
  EXPECT_TRUE(contains(
      with([](const FactorGraph&, const State&) { return Value(Tensor::zeros({2}, f64())); }), "'mine'"));
  EXPECT_TRUE(contains(
      with([](const FactorGraph&, const State&) { return Value(Tensor::full({3}, NAN, f64())); }), "draw 0"));
  EXPECT_TRUE(contains(error_of([&] { sample(gibbs, made.graph, start, {.draws = 8}).mixing("energies"); }),
                       "energies"));
  // An unadjusted step beyond 2 / h runs away.
  FactorGraph graph;
  const Variable x = graph.real("x", {1});
  graph.add(Quadratic(x, {.precision = Precision::Fixed, .log_precision = 0.0}));
  EXPECT_TRUE(contains(error_of([&] {
                         sample(Langevin({x}, {.step = 1e3}), graph,
                                State().set(x, Tensor::full({2, 1}, 1.0, f64())), {.draws = 1000});
                       }),
                       "smaller step"));
}

}  // namespace
}  // namespace basin::test
