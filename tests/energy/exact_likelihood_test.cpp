#include "energy/objectives/exact_likelihood.h"

#include <gtest/gtest.h>

#include "bipartite_graphs.h"
#include "energy/likelihood/log_likelihood.h"
#include "energy/likelihood/pseudo_likelihood.h"

namespace basin::test {
namespace {

struct Model {
  FactorGraph graph;
  Variable v, h;
};

Model small() {
  Model model;
  model.v = model.graph.binary("v", {4});
  model.h = model.graph.binary("h", {3});
  model.graph.add(Bias(model.v)).add(Bias(model.h)).add(Bilinear(model.v, model.h, Key(1)));
  randomise(model.graph, Key(5));
  return model;
}

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

// Each draw of bits gives an unbiased estimate of sum_i log p(v_i | others); 4000 copies of a sample average
// it to within 4 standard errors.
TEST(PseudoLikelihoodTest, EstimatesTheSumOfConditionalLogProbabilities) {
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
  double expected = 0.0, square = 0.0;
  for (std::size_t i = 0; i < 4; ++i) {
    std::vector<double> other = sample;
    other[i] = 1.0 - other[i];
    const double term = -std::log1p(std::exp(log_marginal(other) - log_marginal(sample)));
    expected += term;
    square += 4.0 * term * term;
  }
  constexpr Index kCopies = 4000;
  const State data = State().set(model.v, repeated(sample, model.v, kCopies));
  const double error = std::sqrt((square - expected * expected) / static_cast<double>(kCopies));
  EXPECT_NEAR(pseudo_likelihood(model.graph, model.v, {model.h}, data, Key(1)), expected, 4.0 * error);
}

TEST(PseudoLikelihoodTest, NeedsABinaryVariable) {
  const Pair pair = bipartite(Domain::Real, Domain::Binary);
  const State data = State().set(pair.v, samples(pair.v, 2, Key(1)));
  EXPECT_TRUE(contains(error_of([&] { pseudo_likelihood(pair.graph, pair.v, {pair.h}, data, Key(1)); }),
                       "expected a binary variable"));
}

}  // namespace
}  // namespace basin::test
