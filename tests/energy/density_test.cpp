#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "density_graphs.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/penalties/l1.h"
#include "energy/objectives/density/denoising_score_matching.h"
#include "energy/objectives/density/minimum_probability_flow.h"
#include "energy/objectives/density/noise_contrastive.h"
#include "energy/objectives/density/pseudo_likelihood_loss.h"
#include "energy/objectives/density/ratio_matching.h"
#include "energy/objectives/density/score_matching.h"
#include "energy/objectives/density/sliced_score_matching.h"
#include "gradients.h"

namespace basin::test {
namespace {

using Objectives = std::vector<std::shared_ptr<const Objective>>;

template <class O>
std::shared_ptr<const Objective> shared(O objective) {
  return std::make_shared<const O>(std::move(objective));
}

std::shared_ptr<const GraphDensity> independent(const DensityGraph& made) {
  FactorGraph density = independent_density(made.graph, {made.x});
  randomise(density, Key(9), 0.3);
  return std::make_shared<const GraphDensity>(density, Block{made.x});
}

Objectives of_reals(const DensityGraph& made) {
  const Block x{made.x};
  return {
      shared(ScoreMatching(x)),
      shared(SlicedScoreMatching(x, {.projections = 2})),
      shared(SlicedScoreMatching(x, {.square = SlicedSquare::Projected})),
      shared(DenoisingScoreMatching(x, {.noise = 0.3})),
      shared(NoiseContrastive(independent(made), {.noise_samples = 3, .placement = f64()})),
      shared(NoiseContrastive(std::make_shared<UniformDensity>(made.x, -6.0, 7.0), {.placement = f64()}))};
}

Objectives of_bits(const DensityGraph& made) {
  const Block x{made.x};
  return {shared(PseudoLikelihoodLoss(x)),
          shared(PseudoLikelihoodLoss(x, {.bits = 2})),
          shared(RatioMatching(x)),
          shared(MinimumProbabilityFlow(x)),
          shared(MinimumProbabilityFlow(x, {.bits = 3})),
          shared(NoiseContrastive(independent(made), {.noise_samples = 2, .placement = f64()}))};
}

double loss_of(const Objective& objective, const FactorGraph& graph, const State& batch, Key key) {
  Carry carry;
  return objective.evaluate(graph, batch, carry, key).metrics.at("loss");
}

State reals(const DensityGraph& made, Index rows) {
  return State().set(made.x, normal(Key(5), {rows, made.x.size()}, f64()));
}

State bits(const DensityGraph& made, Index rows) {
  const Tensor half = Tensor::full({rows, made.x.size()}, 0.5, f64());
  return State().set(made.x, bernoulli(Key(6), half));
}

/// Central differences of h = 1e-5 err by about 1e-10 of losses of order 1 to 10.
void expect_all_gradients(const DensityGraph& made, const State& batch, const Objectives& objectives) {
  for (const auto& objective : objectives) {
    Carry carry;
    const Evaluation found = objective->evaluate(made.graph, batch, carry, Key(7));
    const auto loss = [&] { return loss_of(*objective, made.graph, batch, Key(7)); };
    expect_gradients(made.graph, found, loss, 1e-7, objective->name());
    const std::vector<Parameter> own = objective->parameters();
    for (std::size_t i = 0; i < own.size(); ++i) {
      Parameter moved = own[i];
      const double at = moved.tensor().item();
      const auto shifted = [&](double shift) {
        moved.set(Tensor::full({1}, at + shift, f64()));
        return loss();
      };
      const double slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
      moved.set(Tensor::full({1}, at, f64()));
      const std::size_t where = made.graph.parameters().size() + i;
      EXPECT_NEAR(found.gradients.at(where).to_tensor({1}).item(), slope, 1e-7) << objective->name();
    }
  }
}

TEST(DensityTest, GradientsOfRealDensitiesAreFiniteDifferences) {
  for (const DensityGraph& made :
       {gaussian_rbm(), network_energy(Activation::Kind::Tanh), network_energy(Activation::Kind::Softplus)})
    expect_all_gradients(made, reals(made, 4), of_reals(made));
}

TEST(DensityTest, GradientsOfBinaryDensitiesAreFiniteDifferences) {
  DensityGraph visible = pairwise(Domain::Binary, 4);
  randomise(visible.graph, Key(8));
  for (const DensityGraph& made : {binary_rbm(), visible})
    expect_all_gradients(made, bits(made, 5), of_bits(made));
}

/// dF/dx and the trace of its Hessian by differences of F.
TEST(DensityTest, TheScoreOfAGraphWithLatentsIsTheSlopeOfItsFreeEnergy) {
  const DensityGraph made = gaussian_rbm();
  const State batch = reals(made, 3);
  const std::vector<double> at = batch[made.x].tensor().values();
  const Block latents{made.graph.find("h")};
  constexpr double kStep = 1e-4;
  double expected = 0.0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const auto total = [&](double shift) {
      std::vector<double> values = at;
      values[i] += shift;
      const State moved = State().set(made.x, numbers(values, {3, 3}));
      return sum(free_energy(made.graph, latents, moved)).item();
    };
    const double up = total(kStep), down = total(-kStep), slope = (up - down) / (2 * kStep);
    expected += (0.5 * slope * slope - (up - 2 * total(0.0) + down) / (kStep * kStep)) / 3.0;
  }
  EXPECT_NEAR(loss_of(ScoreMatching({made.x}), made.graph, batch, Key(1)), expected, 1e-5);
}

/// Signs v of +-1 give v'Hv = tr H where H is diagonal.
TEST(DensityTest, SlicesOfADiagonalHessianAreItsTrace) {
  DensityGraph made;
  made.x = made.graph.real("x", {3});
  made.graph.add(Bias(made.x)).add(Quadratic(made.x));
  randomise(made.graph, Key(2), 0.5);
  const State batch = reals(made, 6);
  EXPECT_NEAR(loss_of(SlicedScoreMatching({made.x}), made.graph, batch, Key(1)),
              loss_of(ScoreMatching({made.x}), made.graph, batch, Key(1)), 1e-12);
}

/// The mean of 400 keys within 4 standard errors of the whole loss.
TEST(DensityTest, DrawnDirectionsAndBitsAreTheWholeOnAverage) {
  if (is_guarded()) GTEST_SKIP() << "many draws; one of each is tested on every device";
  const DensityGraph network = network_energy(Activation::Kind::Tanh), rbm = binary_rbm();
  const State real = reals(network, 4), binary = bits(rbm, 4);
  const auto expect_mean = [](const Objective& drawn, const Objective& whole, const DensityGraph& made,
                              const State& batch) {
    constexpr int kDraws = 400;
    double sum = 0.0, squares = 0.0;
    for (std::uint64_t i = 0; i < kDraws; ++i) {
      const double loss = loss_of(drawn, made.graph, batch, Key(1).fold(i));
      sum += loss, squares += loss * loss;
    }
    const double mean = sum / kDraws, error = std::sqrt((squares / kDraws - mean * mean) / kDraws);
    EXPECT_NEAR(mean, loss_of(whole, made.graph, batch, Key(1)), 4.0 * error) << drawn.name();
    EXPECT_GT(error, 0.0);
  };
  expect_mean(SlicedScoreMatching({network.x}), ScoreMatching({network.x}), network, real);
  expect_mean(SlicedScoreMatching({network.x}, {.square = SlicedSquare::Projected}),
              ScoreMatching({network.x}), network, real);
  expect_mean(RatioMatching({rbm.x}, {.bits = 1}), RatioMatching({rbm.x}), rbm, binary);
}

/// Each loss of bits by enumeration of all probabilities.
TEST(DensityTest, LossesOfBitsAreThoseOfTheEnumeratedProbabilities) {
  const DensityGraph made = binary_rbm();
  const State batch = bits(made, 6);
  const Distribution all = distribution(made.graph, {made.x, made.graph.find("h")});
  const std::vector<double> states = all.states[made.x].tensor().values(),
                            x = batch[made.x].tensor().values();
  const auto probability = [&](std::size_t row, std::size_t flipped) {
    double p = 0.0;
    for (std::size_t s = 0; s < all.weight.size(); ++s) {
      bool same = true;
      for (std::size_t i = 0; i < 4; ++i) {
        const double bit = i == flipped ? 1.0 - x[row * 4 + i] : x[row * 4 + i];
        same = same && states[s * 4 + i] == bit;
      }
      if (same) p += all.weight[s];
    }
    return p;
  };
  double pseudo = 0.0, ratio = 0.0, flow = 0.0;
  for (std::size_t n = 0; n < 6; ++n) {
    const double p = probability(n, 4);
    for (std::size_t i = 0; i < 4; ++i) {
      const double q = probability(n, i);
      pseudo -= std::log(p / (p + q)) / 6.0;
      ratio += std::pow(1.0 / (1.0 + p / q), 2) / 6.0;
      flow += std::sqrt(q / p) / 6.0;
    }
  }
  EXPECT_NEAR(loss_of(PseudoLikelihoodLoss({made.x}), made.graph, batch, Key(1)), pseudo, 1e-10);
  EXPECT_NEAR(loss_of(RatioMatching({made.x}), made.graph, batch, Key(1)), ratio, 1e-10);
  EXPECT_NEAR(loss_of(MinimumProbabilityFlow({made.x}), made.graph, batch, Key(1)), flow, 1e-10);
}

TEST(DensityTest, SlicesOfABatchDrawWhatTheWholeDoes) {
  const DensityGraph network = network_energy(Activation::Kind::Tanh), rbm = binary_rbm();
  const auto expect_slices = [](const Objectives& objectives, const DensityGraph& made, const State& batch) {
    const Tensor x = batch[made.x].tensor();
    State tail = State().in({.first_row = 2});
    tail.set(made.x, x.rows(2, 5));
    const State head = State().set(made.x, x.rows(0, 2));
    for (const auto& objective : objectives) {
      const double whole = loss_of(*objective, made.graph, batch, Key(3));
      const double parts = (2.0 * loss_of(*objective, made.graph, head, Key(3)) +
                            3.0 * loss_of(*objective, made.graph, tail, Key(3))) /
                           5.0;
      EXPECT_NEAR(whole, parts, 1e-12) << objective->name();
    }
  };
  expect_slices(of_reals(network), network, reals(network, 5));
  expect_slices(of_bits(rbm), rbm, bits(rbm, 5));
}

/// Several variables are one x: the same model as one variable of two numbers and as two of one.
TEST(DensityTest, ABlockOfVariablesIsOneVector) {
  FactorGraph parts;
  const Variable a = parts.binary("a", {2}), b = parts.binary("b", {3});
  parts.add(Bias(a)).add(Bias(b)).add(Bilinear(a, b, Key(1)));
  randomise(parts, Key(3));
  const State batch =
      State().set(a, numbers({0, 1, 1, 1}, {2, 2})).set(b, numbers({1, 0, 1, 0, 0, 1}, {2, 3}));
  const std::vector<double> energy = parts.energy(batch).tensor().values();
  double flow = 0.0;
  for (Index i = 0; i < 5; ++i) {
    State flipped = batch;
    const Variable& own = i < 2 ? a : b;
    std::vector<double> values = batch[own].tensor().values();
    for (std::size_t n = 0; n < 2; ++n) {
      double& bit =
          values[n * static_cast<std::size_t>(own.size()) + static_cast<std::size_t>(i < 2 ? i : i - 2)];
      bit = 1.0 - bit;
    }
    flipped.set(own, numbers(values, batched(own, 2)));
    const std::vector<double> risen = parts.energy(flipped).tensor().values();
    for (std::size_t n = 0; n < 2; ++n) flow += 0.5 * std::exp(0.5 * (energy[n] - risen[n]));
  }
  EXPECT_NEAR(loss_of(MinimumProbabilityFlow({a, b}), parts, batch, Key(1)), flow, 1e-12);
}

/// Densities of noise: log q sums to 1, draws have its moments within 4 standard errors, fits have those of
/// the samples.
TEST(NoiseDensityTest, FitsDrawsAndLogDensityAgree) {
  const DensityGraph made = network_energy(Activation::Kind::Tanh);
  const FactorGraph density = independent_density(made.graph, {made.x});
  const State samples = State().set(made.x, 1.5 + 0.5 * Value(normal(Key(5), {400, 3}, f32())));
  for (Parameter parameter : density.parameters()) parameter.to(f32());
  fit_independent(density, {made.x}, samples);
  const GraphDensity noise(density, {made.x});
  const std::vector<double> at = samples[made.x].tensor().values();
  constexpr Index kDraws = 20000;
  const std::vector<double> drawn = noise.draw(kDraws, 0, f32(), Key(2))[made.x].tensor().values();
  double log_q = 0.0;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto moments = [i](const std::vector<double>& x) {
      double mean = 0.0, square = 0.0;
      const double n = static_cast<double>(x.size()) / 3.0;
      for (std::size_t k = i; k < x.size(); k += 3) mean += x[k] / n, square += x[k] * x[k] / n;
      return std::pair(mean, square - mean * mean);
    };
    const auto [mean, variance] = moments(at);
    const auto [drawn_mean, drawn_variance] = moments(drawn);
    EXPECT_NEAR(drawn_mean, mean, 4.0 * std::sqrt(variance / kDraws));
    EXPECT_NEAR(drawn_variance, variance, 4.0 * variance * std::sqrt(2.0 / kDraws));
    log_q -= 0.5 * (std::pow(at[i] - mean, 2) / variance + std::log(2.0 * M_PI * variance));
  }
  EXPECT_NEAR(noise.log_density(samples).tensor().values().front(), log_q, 1e-4);
}

template <class F>
void expect_error(F asked, const char* says) {
  EXPECT_TRUE(contains(error_of(asked), says)) << error_of(asked) << " lacks " << says;
}

TEST(DensityTest, WhatIsNotDefinedIsAnErrorThatSaysWhatToTake) {
  const DensityGraph rbm = binary_rbm(), real = network_energy(Activation::Kind::Tanh),
                     kinked = network_energy(Activation::Kind::Relu);
  const auto evaluate = [](const Objective& objective, const DensityGraph& made, const State& batch) {
    return [&objective, &made, batch] { (void)loss_of(objective, made.graph, batch, Key(1)); };
  };
  expect_error([&] { ScoreMatching({rbm.x}); }, "take ratio_matching or pseudo_likelihood");
  expect_error([&] { RatioMatching({real.x}); }, "take score_matching of real variables");
  expect_error([&] { MinimumProbabilityFlow({}); }, "at least one binary variable");
  expect_error([&] { NoiseContrastive(nullptr); }, "expected a noise density, received none");
  expect_error([&] { DenoisingScoreMatching({real.x}, {.noise = 0.0}); }, "noise > 0");
  expect_error([&] { SlicedScoreMatching({real.x}, {.projections = 0}); }, "at least 1 projection");
  const ScoreMatching exact({real.x}, {.most_numbers = 2});
  expect_error(evaluate(exact, real, reals(real, 2)), "take sliced_score_matching");
  const ScoreMatching of_kinks({kinked.x});
  expect_error(evaluate(of_kinks, kinked, reals(kinked, 2)), "'relu', whose slope jumps");
  EXPECT_NO_THROW((void)loss_of(DenoisingScoreMatching({kinked.x}), kinked.graph, reals(kinked, 2), Key(1)));
  DensityGraph rough = network_energy(Activation::Kind::Tanh);
  rough.graph.add(L1(rough.x, 0.1));
  const DenoisingScoreMatching denoising({rough.x});
  expect_error(evaluate(denoising, rough, reals(rough, 2)), "take noise_contrastive");
  const RatioMatching ratio({rbm.x});
  expect_error(evaluate(ratio, rbm, State().set(rbm.x, Tensor::full({2, 4}, 0.5, f64()))), "expected bits");
  const PseudoLikelihoodLoss many({rbm.x}, {.bits = 5});
  expect_error(evaluate(many, rbm, bits(rbm, 2)), "0 (all) to 4 bits");
  const NoiseContrastive boxed(std::make_shared<UniformDensity>(real.x, 5.0, 6.0), {.placement = f64()});
  expect_error(evaluate(boxed, real, reals(real, 2)), "inside [5, 6]");
  expect_error([&] { UniformDensity(real.x, 1.0, 1.0); }, "low < high");
}

}  // namespace
}  // namespace basin::test
