// Deep belief nets of which everything can be enumerated: bounds against log p(v), draws against q and p.
#include "energy/likelihood/deep_bound.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "autograd/ops.h"
#include "belief_nets.h"
#include "energy/eliminate/eliminate.h"
#include "energy/sample_ops.h"

namespace basin::test {
namespace {

double log_add(const std::vector<double>& terms) {
  const double highest = *std::max_element(terms.begin(), terms.end());
  double sum = 0.0;
  for (const double term : terms) sum += std::exp(term - highest);
  return highest + std::log(sum);
}

/// log p(x = wanted | known) for each state x of a variable, its states in order.
std::vector<double> log_conditional(const FactorGraph& graph, const Variable& wanted, const Variable& known,
                                    const Tensor& given) {
  const Distribution all = distribution(graph, {wanted}, State().set(known, given));
  std::vector<double> logs;
  for (const double p : all.weight) logs.push_back(std::log(p));
  return logs;
}

Tensor row_of(const Value& states, Index row) { return states.tensor().rows(row, row + 1); }

/// log p(v) and E_q[log p(v, x) - log q(x | v)] of one sample, by all states of both layers between.
struct Exact {
  double log_p = 0.0, bound = 0.0;
};

Exact enumerated(const DeepBelief& net, const Tensor& v) {
  const BeliefLayer &a = net.layers[0], &b = net.layers[1];
  const State x1 = enumerate_states({a.above}, 0, state_count({a.above}), f64()),
              x2 = enumerate_states({b.above}, 0, state_count({b.above}), f64());
  const double log_z = log_partition(net.top).item();
  const std::vector<double> q1 = log_conditional(a.up(), a.above, a.below, v);
  std::vector<double> joint;
  Exact found;
  for (Index i = 0; i < x1.batch(); ++i) {
    const Tensor h1 = row_of(x1[a.above], i);
    // p(v | h1) from the energies themselves.
    const State both = State().set(a.below, v).set(a.above, h1);
    const double v_given = -a.generation.energy(both).item() -
                           distribution(a.generation, {a.below}, State().set(a.above, h1)).log_total;
    const std::vector<double> q2 = log_conditional(b.up(), b.above, b.below, h1);
    for (Index j = 0; j < x2.batch(); ++j) {
      const Tensor h2 = row_of(x2[b.above], j);
      const State pair = State().set(b.below, h1).set(b.above, h2);
      const double h1_given = -b.generation.energy(pair).item() -
                              distribution(b.generation, {b.below}, State().set(b.above, h2)).log_total;
      const double top = distribution(net.top, net.latents, State().set(net.visible, h2)).log_total - log_z;
      joint.push_back(v_given + h1_given + top);
      const double log_q = q1[static_cast<std::size_t>(i)] + q2[static_cast<std::size_t>(j)];
      found.bound += std::exp(log_q) * (joint.back() - log_q);
    }
  }
  found.log_p = log_add(joint);
  return found;
}

/// The bound of one sample by `draws` draws.
DeepBound drawn(const DeepBelief& net, const Tensor& v, Index draws) {
  // Many rows of one sample are as many draws of it.
  const State rows = State().set(net.samples(), repeated(v.values(), net.samples(), draws));
  const std::vector<double> logs = deep_log_weights(net, rows, 1, Key(5));
  return deep_bound(logs, draws, log_partition(net.top).item());
}

TEST(DeepBoundTest, IsTheEnumeratedOneAndBelowTheLogLikelihood) {
  const Net net;
  for (const std::vector<double>& v : {std::vector<double>{1, 0, 1, 1}, {0, 0, 0, 1}, {0, 1, 1, 0}}) {
    const Tensor sample = numbers(v, {1, 4});
    const Exact exact = enumerated(net.deep, sample);
    const DeepBound found = drawn(net.deep, sample, 8000);
    EXPECT_LT(exact.bound, exact.log_p - 0.05);  // or it would tell nothing
    EXPECT_NEAR(found.bound, exact.bound, 4.0 * found.standard_error);
    EXPECT_LT(found.standard_error, 0.02);
    EXPECT_NEAR(found.importance, exact.log_p, 0.05);
  }
}

TEST(DeepBoundTest, HoldsForRecognitionWeightsOfTheirOwn) {
  const Net net;
  DeepBelief untied = net.deep;
  untied.layers[0].recognition = small_rbm(4, 3, Key(11)).graph;
  untied.layers[1].recognition = small_rbm(3, 2, Key(12)).graph;
  const Tensor sample = numbers({1, 1, 0, 1}, {1, 4});
  const Exact exact = enumerated(untied, sample), tied = enumerated(net.deep, sample);
  EXPECT_NEAR(exact.log_p, tied.log_p, 1e-10);  // of the generation alone
  EXPECT_GT(std::abs(exact.bound - tied.bound), 0.05);
  const DeepBound found = drawn(untied, sample, 8000);
  EXPECT_NEAR(found.bound, exact.bound, 4.0 * found.standard_error);
}

// Salakhutdinov and Murray 2008, section 5: a second layer that begins as the first, turned over, leaves p(v)
// as it is, and the bound is tight, draw by draw.
TEST(DeepBoundTest, OfATransposedSecondLayerIsTheFirstOnesLogLikelihood) {
  const Layer first = small_rbm(4, 3, Key(1)), second = small_rbm(3, 4, Key(2));
  const auto copy = [&](const char* to, const Value& from) {
    second.graph.parameter(to).set(from.detached().tensor());
  };
  copy("v.bias", first.graph.parameter("h.bias").value());
  copy("h.bias", first.graph.parameter("v.bias").value());
  copy("v.h.weight", transpose(first.graph.parameter("v.h.weight").value(), {1, 0}));
  const DeepBelief net{.layers = {{first.graph, first.v, first.h}},
                       .top = second.graph,
                       .visible = second.v,
                       .latents = {second.h}};
  const State v = State().set(first.v, numbers({1, 0, 1, 1, 0, 0, 1, 0}, {2, 4}));
  const double log_z = log_partition(first.graph).item();
  const Value exact = -free_energy(first.graph, {first.h}, v) - log_z;
  for (Index n = 0; n < 2; ++n)
    EXPECT_NEAR(deep_log_weights(net, v, Key(7)).tensor().values()[static_cast<std::size_t>(n)] -
                    log_partition(second.graph).item(),
                exact.tensor().values()[static_cast<std::size_t>(n)], 1e-10);
}

TEST(DeepBoundTest, SumsOutLabelsOfTheTop) {
  Net net;
  const Variable y = net.third.graph.categorical("y", {3});
  net.third.graph.add(Bias(y)).add(Bilinear(y, net.third.h, Key(4)));
  randomise(net.third.graph, Key(6));
  net.deep.top = net.third.graph;
  net.deep.latents = {y, net.third.h};
  const Tensor sample = numbers({0, 1, 1, 1}, {1, 4});
  const DeepBound found = drawn(net.deep, sample, 8000);
  EXPECT_NEAR(found.bound, enumerated(net.deep, sample).bound, 4.0 * found.standard_error);
}

TEST(DeepBoundTest, DescendingDrawsFromTheGeneration) {
  const Net net;
  constexpr Index kRows = 8000;
  const Value top = repeated({1, 0}, net.third.v, kRows);
  const std::vector<Value> x = descend(net.deep, top, Key(3), Bottom::States);
  // E[v | x_2] by all states of x_1.
  const BeliefLayer &a = net.deep.layers[0], &b = net.deep.layers[1];
  const Distribution h1 =
      distribution(b.generation, {b.below}, State().set(b.above, numbers({1, 0}, {1, 2})));
  std::vector<double> wanted(4, 0.0);
  for (std::size_t s = 0; s < h1.weight.size(); ++s) {
    const Tensor state = row_of(h1.states[b.below], static_cast<Index>(s));
    const std::vector<double> mean =
        distribution(a.generation, {a.below}, State().set(a.above, state)).mean(a.below);
    for (std::size_t i = 0; i < 4; ++i) wanted[i] += h1.weight[s] * mean[i];
  }
  const std::vector<double> found = mean(x[0], {0}).tensor().values();
  const std::vector<double> means =
      mean(descend(net.deep, top, Key(3), Bottom::Means)[0], {0}).tensor().values();
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(found[i], wanted[i], 4.0 * 0.5 / std::sqrt(kRows));
    EXPECT_NEAR(means[i], wanted[i], 4.0 * 0.5 / std::sqrt(kRows));
  }
}

TEST(DeepBoundTest, RowsDrawWhatTheyDrawInTheWholeBatch) {
  const Net net;
  const State all = State().set(net.first.v, numbers({1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0}, {3, 4}));
  const std::vector<double> whole = deep_log_weights(net.deep, all, 2, Key(9)),
                            last = deep_log_weights(net.deep, rows_of(net.first.graph, all, 1, 3), 2, Key(9));
  EXPECT_EQ(std::vector<double>(whole.begin() + 2, whole.end()), last);
}

TEST(DeepBoundTest, LayersThatDoNotFitAreRefused) {
  Net net;
  net.deep.layers.pop_back();
  const State v = State().set(net.first.v, numbers({1, 0, 1, 1}, {1, 4}));
  EXPECT_TRUE(contains(error_of([&] { (void)deep_log_weights(net.deep, v, Key(1)); }),
                       "[deep_belief] expected units above layer 0 that are those below the next, 2 binary"));
  EXPECT_TRUE(contains(error_of([] {
                         (void)deep_bound({1.0, 2.0, 3.0}, 2, 0.0);
                       }),
                       "[deep_bound] expected 2 or more draws of each sample, received 3 weights"));
}

}  // namespace
}  // namespace basin::test
