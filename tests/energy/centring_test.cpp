#include "energy/objectives/contrast/centring.h"

#include <gtest/gtest.h>

#include "bipartite_graphs.h"
#include "energy/marginal/conditional.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/objectives/contrast/exact_likelihood.h"

namespace basin::test {
namespace {

constexpr std::size_t kVisible = 4, kHidden = 3;
const std::vector<double> kData{1, 0, 0, 1, 1, 1, 0, 1, 0, 0,
                                1, 1, 1, 0, 1, 1, 0, 1, 0, 1};  // 5 samples of 4 bits

Pair small() {
  Pair pair;
  pair.v = pair.graph.binary("v", {4});
  pair.h = pair.graph.binary("h", {3});
  pair.graph.add(Bias(pair.v)).add(Bias(pair.h)).add(Bilinear(pair.v, pair.h, Key(1)));
  randomise(pair.graph, Key(2));
  return pair;
}

std::vector<std::vector<double>> tensors(const std::vector<Gradient>& gradients, const FactorGraph& graph) {
  std::vector<std::vector<double>> all;
  const std::vector<Parameter> parameters = graph.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i)
    all.push_back(gradients[i].to_tensor(parameters[i].tensor().shape()).values());
  return all;
}

/// The centred gradient of the exact likelihood, offsets the means of the data and of the hidden units given
/// them.
std::vector<std::vector<double>> centred_exact(const Pair& pair, const State& batch) {
  Carry carry;
  std::vector<Gradient> gradients =
      ExactLikelihood({pair.v}).evaluate(pair.graph, batch, carry, Key(0)).gradients;
  CentringOffsets offsets(2);
  const std::vector<double> q = conditional(pair.graph, {pair.h}, batch).front().mean().tensor().values();
  const std::vector<double> v = batch[pair.v].tensor().values();
  std::vector<double> mu(kVisible, 0.0), lambda(kHidden, 0.0);
  for (std::size_t n = 0; n < 5; ++n) {
    for (std::size_t i = 0; i < kVisible; ++i) mu[i] += v[n * kVisible + i] / 5.0;
    for (std::size_t j = 0; j < kHidden; ++j) lambda[j] += q[n * kHidden + j] / 5.0;
  }
  offsets[0] = numbers(mu, {4});
  offsets[1] = numbers(lambda, {3});
  Scratch scratch;
  centre(pair.graph, offsets, gradients, scratch);
  return tensors(gradients, pair.graph);
}

// The point of the paper: with a data bit flipped and the model re-parametrised to match (W_i -> -W_i, b_i ->
// -b_i, c -> c + W_i, which is the same distribution), the centred step leads to the same distribution again,
// i.e. it transforms by the same linear map.
TEST(CentringTest, IsInvariantToFlippingAVisibleBit) {
  const Pair pair = small(), flipped = small();
  constexpr std::size_t kBit = 2;
  std::vector<Parameter> p = flipped.graph.parameters();  // b, c, W
  std::vector<double> b = p[0].tensor().values(), c = p[1].tensor().values(), w = p[2].tensor().values();
  b[kBit] = -b[kBit];
  for (std::size_t j = 0; j < kHidden; ++j) {
    c[j] += w[kBit * kHidden + j];
    w[kBit * kHidden + j] = -w[kBit * kHidden + j];
  }
  p[0].set(numbers(b, {4}));
  p[1].set(numbers(c, {3}));
  p[2].set(numbers(w, {4, 3}));
  std::vector<double> data = kData;
  for (std::size_t n = 0; n < 5; ++n) data[n * kVisible + kBit] = 1.0 - data[n * kVisible + kBit];

  const auto there = centred_exact(pair, State().set(pair.v, numbers(kData, {5, 4})));
  const auto here = centred_exact(flipped, State().set(flipped.v, numbers(data, {5, 4})));
  for (std::size_t i = 0; i < kVisible; ++i) {
    const double sign = i == kBit ? -1.0 : 1.0;
    EXPECT_NEAR(here[0][i], sign * there[0][i], 1e-12);
    for (std::size_t j = 0; j < kHidden; ++j)
      EXPECT_NEAR(here[2][i * kHidden + j], sign * there[2][i * kHidden + j], 1e-12);
  }
  for (std::size_t j = 0; j < kHidden; ++j)
    EXPECT_NEAR(here[1][j], there[1][j] + there[2][kBit * kHidden + j], 1e-12);
}

TEST(CentringTest, PlainGradientsAreNotInvariant) {
  // Guards the test above: it must be able to fail. Offsets 0 give the plain gradient, whose weights change
  // otherwise under the flip.
  const Pair pair = small();
  Carry carry;
  const State batch = State().set(pair.v, numbers(kData, {5, 4}));
  const auto plain =
      tensors(ExactLikelihood({pair.v}).evaluate(pair.graph, batch, carry, Key(0)).gradients, pair.graph);
  const auto centred = centred_exact(pair, batch);
  double difference = 0.0;
  for (std::size_t i = 0; i < plain[2].size(); ++i)
    difference = std::max(difference, std::abs(plain[2][i] - centred[2][i]));
  EXPECT_GT(difference, 1e-2);
}

TEST(CentringTest, OffsetsOfZeroChangeNothing) {
  const Pair pair = small();
  Carry carry;
  const State batch = State().set(pair.v, numbers(kData, {5, 4}));
  const Contrast exact = ExactLikelihood({pair.v});
  std::vector<Gradient> gradients = exact.evaluate(pair.graph, batch, carry, Key(0)).gradients;
  const auto plain = tensors(gradients, pair.graph);
  const CentringOffsets offsets{Tensor::zeros({4}, f64()), Tensor::zeros({3}, f64())};
  Scratch scratch;
  centre(pair.graph, offsets, gradients, scratch);
  const auto centred = tensors(gradients, pair.graph);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    for (std::size_t j = 0; j < plain[i].size(); ++j) EXPECT_NEAR(centred[i][j], plain[i][j], 1e-15);
  }
}

// Melchior, Fischer, Wiskott 2016: dW = <(v - mu)(h - lambda)'>_d - <...>_m, db = <v>_d - <v>_m - dW lambda,
// dc = <h>_d - <h>_m - dW' mu, by loops over the samples that contrastive divergence used.
TEST(CentringTest, ContrastiveDivergenceFollowsThePapersFormula) {
  for (const Offsets which : {Offsets::Data, Offsets::Average}) {
    for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
      const Pair pair = small();
      const Contrast cd =
          ContrastiveDivergence(pair.v, BlockGibbs({{pair.h}, {pair.v}}),
                                {.persistent = true, .centring = 0.25, .offsets = which, .fuse = fuse});
      Carry carry;
      std::vector<double> mu(kVisible), lambda(kHidden);
      for (std::uint64_t step = 0; step < 3; ++step) {
        const Tensor data = samples(pair.v, 6, Key(3).fold(step));
        const State batch = State().set(pair.v, data);
        const auto g =
            tensors(cd.evaluate(pair.graph, batch, carry, Key(4).fold(step)).gradients, pair.graph);
        const State chain = State().set(pair.v, carry.at("particles.v").clone());
        struct Phase {
          std::vector<double> v, h;
        };
        Phase phases[2];
        for (int k = 0; k < 2; ++k) {
          const State& state = k == 0 ? batch : chain;
          phases[k] = {state[pair.v].tensor().values(),
                       conditional(pair.graph, {pair.h}, state).front().mean().tensor().values()};
        }
        const auto mean = [](const std::vector<double>& x, std::size_t i, std::size_t width) {
          double total = 0.0;
          for (std::size_t n = 0; n < 6; ++n) total += x[n * width + i] / 6.0;
          return total;
        };
        const double share = which == Offsets::Data ? 0.0 : 0.5;
        const double keep = step == 0 ? 0.0 : 0.75;
        for (std::size_t i = 0; i < kVisible; ++i) {
          const double now =
              (1 - share) * mean(phases[0].v, i, kVisible) + share * mean(phases[1].v, i, kVisible);
          mu[i] = keep * mu[i] + (1 - keep) * now;
          EXPECT_NEAR(carry.at("offset.v").values()[i], mu[i], 1e-12);
        }
        for (std::size_t j = 0; j < kHidden; ++j) {
          const double now =
              (1 - share) * mean(phases[0].h, j, kHidden) + share * mean(phases[1].h, j, kHidden);
          lambda[j] = keep * lambda[j] + (1 - keep) * now;
          EXPECT_NEAR(carry.at("offset.h").values()[j], lambda[j], 1e-12);
        }
        std::vector<double> dw(kVisible * kHidden, 0.0);
        for (std::size_t n = 0; n < 6; ++n) {
          for (std::size_t i = 0; i < kVisible; ++i) {
            for (std::size_t j = 0; j < kHidden; ++j) {
              for (int k = 0; k < 2; ++k) {
                dw[i * kHidden + j] += (k == 0 ? 1.0 : -1.0) / 6.0 * (phases[k].v[n * kVisible + i] - mu[i]) *
                                       (phases[k].h[n * kHidden + j] - lambda[j]);
              }
            }
          }
        }
        for (std::size_t i = 0; i < kVisible; ++i) {
          double db = mean(phases[0].v, i, kVisible) - mean(phases[1].v, i, kVisible);
          for (std::size_t j = 0; j < kHidden; ++j) {
            db -= dw[i * kHidden + j] * lambda[j];
            EXPECT_NEAR(g[2][i * kHidden + j], -dw[i * kHidden + j], 1e-12);
          }
          EXPECT_NEAR(g[0][i], -db, 1e-12);
        }
        for (std::size_t j = 0; j < kHidden; ++j) {
          double dc = mean(phases[0].h, j, kHidden) - mean(phases[1].h, j, kHidden);
          for (std::size_t i = 0; i < kVisible; ++i) dc -= dw[i * kHidden + j] * mu[i];
          EXPECT_NEAR(g[1][j], -dc, 1e-12);
        }
      }
    }
  }
}

TEST(CentringTest, NeedsBiases) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {4}), h = graph.binary("h", {3});
  graph.add(Bias(v)).add(Bilinear(v, h, Key(1)));
  randomise(graph, Key(2));
  Carry carry;
  const Contrast cd = ContrastiveDivergence(v, BlockGibbs({{h}, {v}}), {.centring = 0.1});
  const std::string error = error_of([&] {
    cd.evaluate(graph, State().set(v, numbers(kData, {5, 4})), carry, Key(1));
  });
  EXPECT_TRUE(contains(error, "[centring] expected a Bias on h")) << error;
}

}  // namespace
}  // namespace basin::test
