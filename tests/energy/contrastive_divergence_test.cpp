#include "energy/objectives/contrast/contrastive_divergence.h"

#include <gtest/gtest.h>

#include "bipartite_graphs.h"
#include "energy/marginal/conditional.h"
#include "energy/objectives/contrast/exact_likelihood.h"

namespace basin::test {
namespace {

using Options = ContrastiveDivergenceOptions;

/// Three visible and two hidden binary units, or a label beside them.
Pair tiny(Key key = Key(4)) {
  Pair pair;
  pair.v = pair.graph.binary("v", {3});
  pair.h = pair.graph.binary("h", {2});
  pair.graph.add(Bias(pair.v)).add(Bias(pair.h)).add(Bilinear(pair.v, pair.h, Key(1)));
  randomise(pair.graph, key);
  return pair;
}

const std::vector<double> kData{1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1};  // 4 samples of 3 bits

BlockGibbs sweep_of(const Pair& pair) { return BlockGibbs({{pair.h}, {pair.v}}); }

std::vector<double> values(const Gradient& gradient, const Parameter& parameter) {
  return gradient.to_tensor(parameter.tensor().shape()).values();
}

// Chains far beyond mixing sample the model, so that the expectation is the gradient of the exact likelihood.
// A mean of n samples in [0, 1] has a standard deviation of at most 1/2 / sqrt(n).
TEST(ContrastiveDivergenceTest, WithManyLongChainsItIsTheExactGradient) {
  constexpr Index kChains = 20000;
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    const Pair pair = tiny();
    const State batch = State().set(pair.v, numbers(kData, {4, 3}));
    Carry carry;
    const Evaluation exact = ExactLikelihood({pair.v}).evaluate(pair.graph, batch, carry, Key(0));
    const Contrast pcd = ContrastiveDivergence(
        pair.v, sweep_of(pair), {.steps = 30, .persistent = true, .chains = kChains, .fuse = fuse});
    const Evaluation sampled = pcd.evaluate(pair.graph, batch, carry, Key(6));
    const std::vector<Parameter> parameters = pair.graph.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::vector<double> a = values(exact.gradients[i], parameters[i]),
                                b = values(sampled.gradients[i], parameters[i]);
      for (std::size_t j = 0; j < a.size(); ++j)
        EXPECT_NEAR(a[j], b[j], 4.0 * 0.5 / std::sqrt(kChains)) << parameters[i].name();
    }
  }
}

TEST(ContrastiveDivergenceTest, SeveralVisibleVariables) {
  constexpr Index kChains = 20000;
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), y = graph.categorical("y", {3}), h = graph.binary("h", {2});
  graph.add(Bias(v)).add(Bias(y)).add(Bias(h)).add(Bilinear(v, h, Key(1))).add(Bilinear(y, h, Key(2)));
  randomise(graph, Key(3));
  const State batch = State().set(v, numbers(kData, {4, 3})).set(y, samples(y, 4, Key(4)));
  Carry carry;
  const Evaluation exact = ExactLikelihood({v, y}).evaluate(graph, batch, carry, Key(0));
  const Contrast pcd = ContrastiveDivergence({v, y}, BlockGibbs({{h}, {v, y}}),
                                             {.steps = 30, .persistent = true, .chains = kChains});
  const Evaluation sampled = pcd.evaluate(graph, batch, carry, Key(6));
  const std::vector<Parameter> parameters = graph.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::vector<double> a = values(exact.gradients[i], parameters[i]),
                              b = values(sampled.gradients[i], parameters[i]);
    for (std::size_t j = 0; j < a.size(); ++j)
      EXPECT_NEAR(a[j], b[j], 4.0 * 0.5 / std::sqrt(kChains)) << parameters[i].name();
  }
  EXPECT_EQ(carry.at("particles.y").shape(), (Shape{kChains, 3}));
}

TEST(ContrastiveDivergenceTest, ParticlesAreMovedByTheSweepBegunAtTheVisibleBlock) {
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    const Pair pair = tiny();
    const State batch = State().set(pair.v, numbers(kData, {4, 3}));
    Carry carry{{"particles.v", samples(pair.v, 6, Key(1))}, {"particles.h", samples(pair.h, 6, Key(2))}};
    const State before =
        State().set(pair.v, carry["particles.v"].clone()).set(pair.h, carry["particles.h"].clone());
    const Contrast pcd =
        ContrastiveDivergence(pair.v, sweep_of(pair), {.steps = 2, .persistent = true, .fuse = fuse});
    pcd.evaluate(pair.graph, batch, carry, Key(7));
    const State after =
        iterate(BlockGibbs({{pair.v}, {pair.h}}), pair.graph, before, 2, Key(7).fold("gibbs"));
    EXPECT_EQ(carry["particles.v"].values(), after[pair.v].tensor().values());
    EXPECT_EQ(carry["particles.h"].values(), after[pair.h].tensor().values());
  }
}

TEST(ContrastiveDivergenceTest, FastWeightsMoveParticlesAndDecay) {
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    const Pair pair = tiny(), moving = tiny();
    const State batch = State().set(pair.v, numbers(kData, {4, 3}));
    const Contrast fpcd =
        ContrastiveDivergence(pair.v, sweep_of(pair), {.persistent = true, .fast_rate = 0.5, .fuse = fuse});
    const std::vector<Parameter> slow = pair.graph.parameters();
    const std::vector<double> kept = slow[2].tensor().values();
    Carry carry;
    std::vector<std::vector<double>> expected(slow.size());
    for (std::uint64_t step = 0; step < 3; ++step) {
      Carry before;
      for (const auto& [name, tensor] : carry) before[name] = tensor.clone();
      const Evaluation evaluation = fpcd.evaluate(pair.graph, batch, carry, Key(8).fold(step));
      for (std::size_t i = 0; i < slow.size(); ++i) {
        const std::vector<double> g = values(evaluation.gradients[i], slow[i]);
        expected[i].resize(g.size(), 0.0);
        for (std::size_t j = 0; j < g.size(); ++j) expected[i][j] = 0.95 * expected[i][j] - 0.5 * g[j];
        const std::vector<double> fast = carry.at("fast." + slow[i].name()).values();
        for (std::size_t j = 0; j < g.size(); ++j) EXPECT_NEAR(fast[j], expected[i][j], 1e-12);
      }
      if (step == 0) continue;
      // A graph whose parameters are the sum moves the particles to the same places.
      std::vector<Parameter> sum = moving.graph.parameters();
      for (std::size_t i = 0; i < slow.size(); ++i) {
        std::vector<double> both = slow[i].tensor().values();
        const std::vector<double> fast = before.at("fast." + slow[i].name()).values();
        for (std::size_t j = 0; j < both.size(); ++j) both[j] += fast[j];
        sum[i].set(numbers(both, slow[i].tensor().shape()));
      }
      const State start = State().set(pair.v, before.at("particles.v")).set(pair.h, before.at("particles.h"));
      const Key key = Key(8).fold(step).fold("gibbs");
      const State after = iterate(BlockGibbs({{pair.v}, {pair.h}}), moving.graph, start, 1, key);
      EXPECT_EQ(carry["particles.v"].values(), after[pair.v].tensor().values());
    }
    EXPECT_EQ(slow[2].tensor().values(), kept);  // the model itself is where it was
  }
}

TEST(ContrastiveDivergenceTest, SparsityIsDifferentiatedExactly) {
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    const Pair pair = tiny();
    const State batch = State().set(pair.v, numbers(kData, {4, 3}));
    const Sparsity sparsity{.target = 0.2, .cost = 1.7};
    Carry carry;
    const Evaluation plain = ContrastiveDivergence(pair.v, sweep_of(pair), {.fuse = fuse})
                                 .evaluate(pair.graph, batch, carry, Key(1));
    const Contrast penalised =
        ContrastiveDivergence(pair.v, sweep_of(pair), {.sparsity = sparsity, .fuse = fuse});
    const Evaluation evaluation = penalised.evaluate(pair.graph, batch, carry, Key(1));
    const auto penalty = [&] {
      const std::vector<double> q = conditional(pair.graph, {pair.h}, batch).front().mean().tensor().values();
      double total = 0.0;
      for (std::size_t j = 0; j < 2; ++j) {
        const double mean = (q[j] + q[2 + j] + q[4 + j] + q[6 + j]) / 4.0;
        total += 0.5 * sparsity.cost * (sparsity.target - mean) * (sparsity.target - mean);
      }
      return total;
    };
    EXPECT_NEAR(evaluation.metrics.at("sparsity"), penalty(), 1e-12);
    std::vector<Parameter> parameters = pair.graph.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Shape shape = parameters[i].tensor().shape();
      const std::vector<double> with = values(evaluation.gradients[i], parameters[i]),
                                without = values(plain.gradients[i], parameters[i]);
      const std::vector<double> at = parameters[i].tensor().values();
      for (std::size_t j = 0; j < at.size(); ++j) {
        constexpr double kStep = 1e-5;
        std::vector<double> moved = at;
        moved[j] += kStep;
        parameters[i].set(numbers(moved, shape));
        const double up = penalty();
        moved[j] -= 2 * kStep;
        parameters[i].set(numbers(moved, shape));
        const double down = penalty();
        EXPECT_NEAR(with[j] - without[j], (up - down) / (2 * kStep), 1e-9) << parameters[i].name();
      }
      parameters[i].set(numbers(at, shape));
    }
  }
}

TEST(ContrastiveDivergenceTest, MetricsSayWhatTheyAre) {
  const Pair pair = tiny();
  const State batch = State().set(pair.v, numbers(kData, {4, 3}));
  Carry carry;
  const Contrast cd = ContrastiveDivergence(pair.v, sweep_of(pair), {});
  EXPECT_TRUE(cd.evaluate(pair.graph, batch, carry, Key(1), {.metrics = false}).metrics.empty());
  const std::map<std::string, double> metrics = cd.evaluate(pair.graph, batch, carry, Key(1)).metrics;
  const Value q = conditional(pair.graph, {pair.h}, batch).front().mean();
  const std::vector<double> hidden = q.tensor().values();
  double sum = 0.0;
  for (const double x : hidden) sum += x;
  EXPECT_NEAR(metrics.at("hidden_mean"), sum / 8.0, 1e-12);
  const std::vector<double> mean =
      conditional(pair.graph, {pair.v}, State().set(pair.h, q)).front().mean().tensor().values();
  double error = 0.0;
  for (std::size_t i = 0; i < mean.size(); ++i) error += (mean[i] - kData[i]) * (mean[i] - kData[i]) / 4.0;
  EXPECT_NEAR(metrics.at("reconstruction_error"), error, 1e-12);
}

TEST(ContrastiveDivergenceTest, LatentsThatInteractAreSummedOutByEnumeration) {
  constexpr Index kChains = 5000;
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), h1 = graph.binary("h1", {2}), h2 = graph.binary("h2", {2});
  graph.add(Bilinear(v, h1, Key(1))).add(Bilinear(h1, h2, Key(2)));
  randomise(graph, Key(3));
  const State batch = State().set(v, numbers(kData, {4, 3}));
  const Contrast pcd = ContrastiveDivergence({v}, BlockGibbs({{h1}, {v, h2}}),
                                             {.steps = 30, .persistent = true, .chains = kChains});
  Carry carry;
  const Evaluation exact = ExactLikelihood({v}).evaluate(graph, batch, carry, Key(0));
  const Evaluation sampled = pcd.evaluate(graph, batch, carry, Key(6));
  const std::vector<Parameter> parameters = graph.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::vector<double> a = values(exact.gradients[i], parameters[i]),
                              b = values(sampled.gradients[i], parameters[i]);
    for (std::size_t j = 0; j < a.size(); ++j)
      EXPECT_NEAR(a[j], b[j], 4.0 * 0.5 / std::sqrt(kChains)) << parameters[i].name();
  }
}

TEST(ContrastiveDivergenceTest, OptionsThatContradictAreErrors) {
  const Pair pair = tiny();
  const auto error = [&](Options options) {
    return error_of([&] { ContrastiveDivergence(pair.v, sweep_of(pair), options); });
  };
  EXPECT_TRUE(contains(error({.steps = 0}), "at least 1 step"));
  EXPECT_TRUE(contains(error({.chains = 10}), "persistent"));
  EXPECT_TRUE(contains(error({.fast_rate = 0.1}), "persistent"));
  EXPECT_TRUE(contains(error({.centring = 1.5}), "centring"));
  EXPECT_TRUE(contains(error({.sparsity = {0.1, -1.0}}), "sparsity"));
  EXPECT_TRUE(
      contains(error_of([&] { ContrastiveDivergence(pair.v, BlockGibbs({{pair.h}})); }), "moves none"));
}

TEST(ContrastiveDivergenceTest, CarriedTensorsOfAnotherModelAreAnError) {
  const Pair pair = tiny();
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    Carry carry{{"particles.v", Tensor::zeros({4, 5}, f64())}, {"particles.h", Tensor::zeros({4, 2}, f64())}};
    const Contrast pcd = ContrastiveDivergence(pair.v, sweep_of(pair), {.persistent = true, .fuse = fuse});
    const std::string error = error_of([&] {
      pcd.evaluate(pair.graph, State().set(pair.v, numbers(kData, {4, 3})), carry, Key(1));
    });
    EXPECT_TRUE(contains(error, "particles.v of shape [4, 3], received [4, 5]")) << error;
    Carry part{{"particles.h", Tensor::zeros({4, 2}, f64())}};
    const std::string half = error_of([&] {
      pcd.evaluate(pair.graph, State().set(pair.v, numbers(kData, {4, 3})), part, Key(1));
    });
    EXPECT_TRUE(contains(half, "particles of all 2 variables")) << half;
  }
}

TEST(ContrastiveDivergenceTest, Names) {
  const Pair pair = tiny();
  EXPECT_EQ(ContrastiveDivergence(pair.v, sweep_of(pair), {.steps = 25}).name(), "cd-25");
  EXPECT_EQ(ContrastiveDivergence(pair.v, sweep_of(pair), {.persistent = true}).name(), "pcd-1");
  EXPECT_EQ(ContrastiveDivergence(pair.v, sweep_of(pair), {.persistent = true, .fast_rate = 0.1}).name(),
            "fpcd-1");
}

}  // namespace
}  // namespace basin::test
