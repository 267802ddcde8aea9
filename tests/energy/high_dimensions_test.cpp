#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "energy/sample/continuous/hmc.h"
#include "energy/sample/continuous/nuts.h"
#include "gaussian_targets.h"

/// Targets that are hard for random walks.
namespace basin::test {
namespace {

constexpr double kErrors = 4.5;  // of 300 moments one run in 500 is further off

/// 100 units of variance 1 and correlation rho^|i - j|: A x is white, and A has two diagonals.
GaussianTarget autoregressive(double rho, Placement placement) {
  constexpr Index kUnits = 100;
  std::vector<double> a(kUnits * kUnits, 0.0);
  const double spread = std::sqrt(1.0 - rho * rho);
  for (std::size_t i = 0; i < kUnits; ++i) {
    a[i * kUnits + i] = i == 0 ? 1.0 : 1.0 / spread;
    if (i > 0) a[i * kUnits + i - 1] = -rho / spread;
  }
  return gaussian_target({kUnits}, a, std::vector<double>(kUnits, 0.0), placement);
}

TEST(HighDimensionsTest, AHundredCorrelatedUnits) {
  if (is_guarded()) GTEST_SKIP() << "thousands of gradients take minutes on guarded pages";
  // Variances along the principal axes from 0.18 to 5.7.
  const GaussianTarget target = autoregressive(0.7, f32());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(target.covariance[i], std::pow(0.7, i), 1e-9);
  constexpr Index kChains = 400;
  const State start = State().set(target.block[0], normal(Key(1), {kChains, 100}, f32()));
  const auto passes = [&](const Transition& transition, SampleOptions options) {
    const Verdict found = verdict(target, transition, start, options, 2);
    EXPECT_LT(found.worst, kErrors) << transition.name();
    EXPECT_GE(found.samples, 1e4) << transition.name();
    EXPECT_LT(found.r_hat, 1.05) << transition.name();
  };
  passes(Hmc(target.block, {.step = 0.2, .leapfrogs = 14, .jitter = 0.5}),
         {.burn_in = 20, .draws = 40, .key = Key(2)});
  passes(Nuts(target.block, {.step = 0.3, .tune = {.moves = 12}}),
         {.burn_in = 12, .draws = 42, .key = Key(3)});
}

/// v of standard deviation `spread` and nine units of variance exp(v), as they are or, where it is not
/// centred, as exp(v / 2) times standard normals.
struct Funnel {
  FactorGraph graph;
  Variable v, x;
  double spread;
  bool centred;

  Funnel(double of, bool is_centred) : spread(of), centred(is_centred) {
    v = graph.real("v", {1});
    x = graph.real("x", {9});
    graph.add(Network(Function([spread = spread, centred = centred](const Value& both, const Context&) {
                        const Value w = slice(both, 1, 0, 1), units = slice(both, 1, 1, 10);
                        const Value squares = reshape(sum_per_sample(square(units)), {both.dim(0), 1});
                        if (!centred) return 0.5 * (square(w) + squares);
                        return 0.5 * square(w / spread) + 4.5 * w + 0.5 * exp(-w) * squares;
                      }),
                      {v, x}));
  }
  /// v, v^2, v^3, and of the first unit log x^2 and exp(-v) x^2.
  Watch watch() const {
    return [this](const FactorGraph&, const State& state) {
      const Value w = reshape(state[v].detached(), {state.batch()}) * (centred ? 1.0 : spread);
      const Value first = reshape(slice(state[x].detached(), 1, 0, 1), {state.batch()});
      const Value scaled = centred ? square(first) * exp(-w) : square(first);
      return stack({w, square(w), w * square(w), w + log(scaled), scaled}, 1);
    };
  }
  std::vector<double> expected() const {
    // E log chi^2 of one degree of freedom: -gamma - log 2.
    return {0.0, spread * spread, 0.0, -std::numbers::egamma - std::numbers::ln2, 1.0};
  }
  State start(Index rows) const {
    return State().set(v, Tensor::zeros({rows, 1}, f64())).set(x, normal(Key(4), {rows, 9}, f64()));
  }
  Verdict verdict_of(const Transition& transition, Index rows, SampleOptions options) const {
    options.watch = {{"funnel", watch()}};
    return verdict(mixing_of_each(sample(transition, graph, start(rows), options).watched.at("funnel")),
                   expected());
  }
};

TEST(HighDimensionsTest, FunnelsThatAreNotCentredAndAMildOneThatIs) {
  if (is_guarded()) GTEST_SKIP() << "thousands of gradients take minutes on guarded pages";
  const auto passes = [](const Verdict& found, const std::string& what) {
    EXPECT_LT(found.worst, kErrors) << what;
    EXPECT_GE(found.samples, 1e4) << what;
  };
  const Funnel neal(3.0, false);  // v ~ N(0, 3^2)
  const Block both{neal.v, neal.x};
  passes(neal.verdict_of(Hmc(both, {.step = 0.6, .leapfrogs = 3, .jitter = 0.4}), 400,
                         {.burn_in = 15, .draws = 50, .key = Key(5)}),
         "Hmc");
  passes(neal.verdict_of(Nuts(both, {.step = 0.5, .tune = {.moves = 15}}), 400,
                         {.burn_in = 16, .draws = 60, .key = Key(6)}),
         "Nuts");
  // As it is stated, of a width that steps of one length can enter.
  const Funnel mild(0.7, true);
  passes(mild.verdict_of(Hmc({mild.v, mild.x}, {.step = 0.25, .leapfrogs = 8, .jitter = 0.3}), 500,
                         {.burn_in = 30, .draws = 70, .key = Key(7)}),
         "centred, Hmc");
  passes(mild.verdict_of(Nuts({mild.v, mild.x}, {.step = 0.3}), 500,
                         {.burn_in = 20, .draws = 80, .key = Key(8)}),
         "centred, Nuts");
}

}  // namespace
}  // namespace basin::test
