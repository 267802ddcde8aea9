#include "energy/objectives/contrast/exact_likelihood.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "bipartite_graphs.h"
#include "energy/eliminate/eliminate.h"
#include "energy/likelihood/log_likelihood.h"
#include "energy/likelihood/pseudo_likelihood.h"

namespace basin::test {
namespace {

struct Model {
  FactorGraph graph;
  Variable v, h;
};

Model model_of(Index visible, Index hidden) {
  Model model;
  model.v = model.graph.binary("v", {visible});
  model.h = model.graph.binary("h", {hidden});
  model.graph.add(Bias(model.v)).add(Bias(model.h)).add(Bilinear(model.v, model.h, Key(1)));
  randomise(model.graph, Key(5));
  return model;
}

Model small() { return model_of(4, 3); }

const std::vector<double> kData{1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1};  // 3 samples

/// sum over joint states of p(state) * statistics b, c, W, with v clamped to `sample` when given.
std::vector<std::vector<double>> expectations(const Model& model, const State& fixed, const Block& free) {
  const Distribution all = distribution(model.graph, free, fixed);
  const std::vector<double> v = all.states[model.v].tensor().values(),
                            h = all.states[model.h].tensor().values();
  std::vector<std::vector<double>> result{std::vector<double>(4, 0.0), std::vector<double>(3, 0.0),
                                          std::vector<double>(12, 0.0)};
  for (std::size_t s = 0; s < all.weight.size(); ++s) {
    for (std::size_t i = 0; i < 4; ++i) result[0][i] += all.weight[s] * v[4 * s + i];
    for (std::size_t j = 0; j < 3; ++j) result[1][j] += all.weight[s] * h[3 * s + j];
    for (std::size_t k = 0; k < 12; ++k) result[2][k] += all.weight[s] * v[4 * s + k / 3] * h[3 * s + k % 3];
  }
  return result;
}

TEST(ExactLikelihoodTest, GradientIsDataMinusModelExpectations) {
  const Model model = small();
  const State batch = State().set(model.v, numbers(kData, {3, 4}));
  Carry carry;
  const Evaluation evaluation = ExactLikelihood({model.v}).evaluate(model.graph, batch, carry, Key(0));
  const auto expected_model = expectations(model, {}, {model.v, model.h});
  std::vector<std::vector<double>> expected_data{std::vector<double>(4), std::vector<double>(3),
                                                 std::vector<double>(12)};
  for (Index n = 0; n < 3; ++n) {
    const auto one =
        expectations(model, State().set(model.v, batch[model.v].tensor().rows(n, n + 1)), {model.h});
    for (std::size_t p = 0; p < one.size(); ++p) {
      for (std::size_t i = 0; i < one[p].size(); ++i) expected_data[p][i] += one[p][i] / 3.0;
    }
  }
  const std::vector<Parameter> parameters = model.graph.parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const std::vector<double> g = evaluation.gradients[p].to_tensor(parameters[p].tensor().shape()).values();
    for (std::size_t i = 0; i < g.size(); ++i)
      EXPECT_NEAR(g[i], expected_model[p][i] - expected_data[p][i], 1e-12) << parameters[p].name();
  }
}

TEST(ExactLikelihoodTest, LossIsTheMeanNegativeLogLikelihood) {
  const Model model = small();
  const State batch = State().set(model.v, numbers(kData, {3, 4}));
  Carry carry;
  const Evaluation evaluation = ExactLikelihood({model.v}).evaluate(model.graph, batch, carry, Key(0));
  const Distribution joint = distribution(model.graph, {model.v, model.h});
  double expected = 0.0;  // -log p(v) = log Z - log sum_h exp(-E)
  for (Index n = 0; n < 3; ++n) {
    const State one = State().set(model.v, batch[model.v].tensor().rows(n, n + 1));
    expected += (joint.log_total - distribution(model.graph, {model.h}, one).log_total) / 3.0;
  }
  EXPECT_NEAR(evaluation.metrics.at("loss"), expected, 1e-12);
  for (const Index size : {1, 2, 3, 100}) {
    EXPECT_NEAR(average_log_likelihood(model.graph, {model.h}, batch, joint.log_total, size), -expected,
                1e-12);
  }
}

TEST(ExactLikelihoodTest, LatentsThatInteract) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), a = graph.binary("a", {2}), b = graph.binary("b", {2});
  graph.add(Bilinear(v, a, Key(1))).add(Bilinear(a, b, Key(2)));
  randomise(graph, Key(3));
  Carry carry;
  const Contrast exact = ExactLikelihood({v});
  const State zeros = State().set(v, Tensor::zeros({2, 3}, f64()));
  const double all = distribution(graph, {v, a, b}).log_total;
  const double clamped = distribution(graph, {a, b}, State().set(v, Tensor::zeros({1, 3}, f64()))).log_total;
  EXPECT_NEAR(exact.evaluate(graph, zeros, carry, Key(1)).metrics.at("loss"), all - clamped, 1e-12);
}

TEST(MeanFreeEnergyTest, NeedsSamples) {
  const Model model = small();
  EXPECT_TRUE(
      contains(error_of([&] {
                 mean_free_energy(model.graph, {model.h}, State().set(model.v, Tensor::zeros({0, 4}, f64())));
               }),
               "expected samples"));
}

/// sum_i log p(v_i | others) of each sample, from the free energies of all flips.
std::vector<double> log_pseudo_likelihoods(const Model& model, const Tensor& v) {
  const auto free = [&](const Tensor& x) {
    return free_energy(model.graph, {model.h}, State().set(model.v, x)).tensor().values();
  };
  const std::vector<double> at = free(v), states = v.values();
  const auto bits = static_cast<std::size_t>(model.v.size());
  std::vector<double> sums(at.size(), 0.0);
  for (std::size_t i = 0; i < bits; ++i) {
    std::vector<double> flipped = states;
    for (std::size_t n = 0; n < at.size(); ++n) flipped[n * bits + i] = 1.0 - states[n * bits + i];
    const std::vector<double> there = free(numbers(flipped, v.shape()));
    for (std::size_t n = 0; n < at.size(); ++n) sums[n] -= std::log1p(std::exp(at[n] - there[n]));
  }
  return sums;
}

double mean_of(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

TEST(PseudoLikelihoodTest, OfAllBitsIsTheSumOfConditionalLogProbabilities) {
  const Model model = small();
  const std::vector<double> sample{1, 0, 1, 1};
  const Distribution joint = distribution(model.graph, {model.v, model.h});
  const std::vector<double> v = joint.states[model.v].tensor().values();
  const auto log_marginal = [&](const std::vector<double>& x) {
    double total = 0.0;
    for (std::size_t s = 0; s < joint.weight.size(); ++s) {
      bool same = true;
      for (std::size_t i = 0; i < 4; ++i) same = same && v[4 * s + i] == x[i];
      if (same) total += joint.weight[s];
    }
    return std::log(total);
  };
  double expected = 0.0;
  for (std::size_t i = 0; i < 4; ++i) {
    std::vector<double> other = sample;
    other[i] = 1.0 - other[i];
    expected -= std::log1p(std::exp(log_marginal(other) - log_marginal(sample)));
  }
  const State data = State().set(model.v, repeated(sample, model.v, 1));
  const PseudoLikelihood all =
      pseudo_likelihood(model.graph, model.v, {model.h}, data, Key(1), {.error = 0.0});
  EXPECT_NEAR(all.mean, expected, 1e-12);
  EXPECT_EQ(all.standard_error, 0.0);
  EXPECT_EQ(all.bits, 4);
}

// Of 40 bits a few are flipped: over 200 keys the estimates scatter about the truth by as much as they say.
TEST(PseudoLikelihoodTest, ErrsByItsStandardError) {
  const Model model = model_of(40, 12);
  const Tensor v = bernoulli(Key(2), Tensor::full({60, 40}, 0.5, f64()));
  const State data = State().set(model.v, v);
  const double truth = mean_of(log_pseudo_likelihoods(model, v));
  constexpr std::uint64_t kKeys = 200;
  double bias = 0.0, spread = 0.0, error = 0.0;
  for (std::uint64_t k = 0; k < kKeys; ++k) {
    const PseudoLikelihood estimate =
        pseudo_likelihood(model.graph, model.v, {model.h}, data, Key(3).fold(k), {.error = INFINITY});
    EXPECT_EQ(estimate.bits, 2);
    const double off = (estimate.mean - truth) / estimate.standard_error;
    bias += off / kKeys;
    spread += off * off / kKeys;
    error += estimate.standard_error / kKeys;
  }
  EXPECT_NEAR(bias, 0.0, 4.0 / std::sqrt(double{kKeys}));
  EXPECT_NEAR(spread, 1.0, 4.0 * std::sqrt(2.0 / kKeys));
  // Bits are added until the error is as asked for.
  const PseudoLikelihood better =
      pseudo_likelihood(model.graph, model.v, {model.h}, data, Key(3), {.error = 0.4 * error});
  EXPECT_GT(better.bits, 4);
  EXPECT_LT(better.bits, 40);
  EXPECT_LT(better.standard_error, 0.4 * error);
  EXPECT_NEAR(better.mean, truth, 4.0 * better.standard_error);
}

TEST(PseudoLikelihoodTest, ASliceFlipsTheBitsOfTheWhole) {
  const Model model = model_of(40, 12);
  const Tensor v = bernoulli(Key(2), Tensor::full({200, 40}, 0.5, f64()));
  const auto of_rows = [&](Index begin, Index end) {
    const State rows = State().in({.first_row = begin}).set(model.v, v.rows(begin, end));
    return pseudo_likelihood(model.graph, model.v, {model.h}, rows, Key(1), {.error = INFINITY});
  };
  EXPECT_EQ(of_rows(0, 200).bits, 2);
  EXPECT_NEAR(0.5 * (of_rows(0, 100).mean + of_rows(100, 200).mean), of_rows(0, 200).mean, 1e-10);
}

TEST(PseudoLikelihoodTest, NeedsABinaryVariable) {
  const Pair pair = bipartite(Domain::Real, Domain::Binary);
  const State data = State().set(pair.v, samples(pair.v, 2, Key(1)));
  EXPECT_TRUE(contains(error_of([&] { pseudo_likelihood(pair.graph, pair.v, {pair.h}, data, Key(1)); }),
                       "expected a binary variable"));
}

}  // namespace
}  // namespace basin::test
