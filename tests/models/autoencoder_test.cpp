#include "models/autoencoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin::test {
namespace {

std::vector<std::string> names(const FactorGraph& graph) {
  std::vector<std::string> result;
  for (const Parameter& parameter : graph.parameters()) result.push_back(parameter.name());
  return result;
}

std::vector<Value> leaves(const FactorGraph& graph) {
  std::vector<Value> result;
  for (const Parameter& parameter : graph.parameters()) result.push_back(parameter.value());
  return result;
}

TEST(Autoencoder, EnergyOfEachKindByHand) {
  const Tensor x = uniform(Key(1), {4, 2, 3}, f64());
  for (const CodeUnit units :
       {CodeUnit::Sigmoid, CodeUnit::Tanh, CodeUnit::Relu, CodeUnit::Softplus, CodeUnit::Linear}) {
    for (const Reconstruction kind :
         {Reconstruction::Linear, Reconstruction::Sigmoid, Reconstruction::Logits}) {
      for (const bool tied : {false, true}) {
        const Autoencoder model = autoencoder({.sample_shape = {2, 3},
                                               .codes = 4,
                                               .units = units,
                                               .reconstruction = kind,
                                               .tied = tied,
                                               .key = Key(2)});
        model.graph.to(f64());
        EXPECT_EQ(model.graph.parameters().size(), tied ? 3U : 4U);
        const std::vector<Value> p = leaves(model.graph);
        const Value a = matmul(flatten(Value(x)), p[0]) + p[1];
        const Value h = units == CodeUnit::Sigmoid    ? sigmoid(a)
                        : units == CodeUnit::Tanh     ? tanh(a)
                        : units == CodeUnit::Relu     ? relu(a)
                        : units == CodeUnit::Softplus ? softplus(a)
                                                      : a;
        const Value out = (tied ? matmul(h, p[0], {.transpose_b = true}) : matmul(h, p[2])) + p.back();
        const Value r = kind == Reconstruction::Linear ? out : sigmoid(out);
        const Value flat = flatten(Value(x));
        const Value expected = kind == Reconstruction::Logits
                                   ? -sum_per_sample(flat * log(r) + (1.0 - flat) * log(1.0 - r))
                                   : sum_per_sample(square(flat - r)) * 0.5;
        const std::vector<double> energy = model.graph.energy(State().set(model.x, x)).tensor().values();
        for (std::size_t n = 0; n < 4; ++n) EXPECT_NEAR(energy[n], expected.tensor().values()[n], 1e-12);
        EXPECT_EQ(model.encode(Value(x)).tensor().values(), h.tensor().values());
        EXPECT_EQ(model.decode(h).tensor().values(), r.tensor().values());
      }
    }
  }
}

TEST(Autoencoder, GradientsWithTiedWeightsAndContraction) {
  const Tensor x = uniform(Key(1), {3, 6}, f64());
  const Autoencoder model = autoencoder({.sample_shape = {6}, .codes = 4, .contractive = 0.3, .key = Key(2)});
  model.graph.to(f64());
  EXPECT_EQ(names(model.graph),
            (std::vector<std::string>{"x.x.encoder.1.weight", "x.x.encoder.1.bias", "x.x.decoder.bias"}));
  EXPECT_EQ(gradcheck([&] { return model.graph.energy(State().set(model.x, x)); }, leaves(model.graph)), "");
  EXPECT_EQ(model.objective()->rules(model.graph), std::vector<std::string>{"contraction"});
}

/// The penalties by hand: c(a) of each kind of unit, |h|_1, beside the energy without them.
TEST(Autoencoder, SaturatingAndSparsePenaltiesByHand) {
  const Tensor x = uniform(Key(1), {5, 6}, f64());
  for (const CodeUnit units : {CodeUnit::Sigmoid, CodeUnit::Tanh, CodeUnit::Relu, CodeUnit::Softplus}) {
    const AutoencoderOptions plain{.sample_shape = {6}, .codes = 4, .units = units, .key = Key(2)};
    AutoencoderOptions penalised = plain;
    penalised.saturating = 0.3;
    penalised.sparse = 0.2;
    const Autoencoder without = autoencoder(plain), with = autoencoder(penalised);
    without.graph.to(f64());
    with.graph.to(f64());
    EXPECT_EQ(names(with.graph), names(without.graph)) << "penalties bring no parameters of their own";
    const std::vector<Value> p = leaves(with.graph);
    const std::vector<double> a = (matmul(Value(x), p[0]) + p[1]).tensor().values();
    const std::vector<double> got = with.graph.energy(State().set(with.x, x)).tensor().values(),
                              base = without.graph.energy(State().set(without.x, x)).tensor().values();
    for (std::size_t n = 0; n < 5; ++n) {
      double expected = base[n];
      for (std::size_t j = 0; j < 4; ++j) {
        const double in = a[n * 4 + j], s = 1.0 / (1.0 + std::exp(-in));
        const double c = units == CodeUnit::Sigmoid ? s * (1.0 - s)
                         : units == CodeUnit::Tanh  ? 1.0 - std::tanh(in) * std::tanh(in)
                         : units == CodeUnit::Relu  ? std::max(0.0, in)
                                                    : s;
        const double h = units == CodeUnit::Sigmoid ? s
                         : units == CodeUnit::Tanh  ? std::tanh(in)
                         : units == CodeUnit::Relu  ? std::max(0.0, in)
                                                    : std::log1p(std::exp(in));
        expected += 0.3 * c + 0.2 * std::abs(h);
      }
      EXPECT_NEAR(got[n], expected, 1e-12);
    }
    EXPECT_EQ(gradcheck([&] { return with.graph.energy(State().set(with.x, x)); }, leaves(with.graph)), "");
  }
}

TEST(Autoencoder, LinearCodesDoNotSaturate) {
  EXPECT_THROW(
      (void)autoencoder(
          {.sample_shape = {6}, .codes = 4, .units = CodeUnit::Linear, .saturating = 0.1, .key = Key(2)}),
      Error);
}

TEST(Autoencoder, CorruptionHasTheStatedStatistics) {
  const Tensor x = Tensor::full({100, 1000}, 0.25, f32());
  const auto moments = [](const Tensor& t) {
    const Value v(t);
    const double first = mean(v).item();
    return std::pair{first, mean(square(v - first)).item()};
  };
  const auto gaussian = moments(corrupted(x, Corruption::Gaussian, 0.5, Key(1)));
  EXPECT_NEAR(gaussian.first, 0.25, 5 * 0.5 / std::sqrt(1e5));
  EXPECT_NEAR(gaussian.second, 0.25, 0.01);
  const auto count = [](const Tensor& t, double value) {
    double n = 0.0;
    for (const double v : t.values()) n += v == value ? 1.0 : 0.0;
    return n / static_cast<double>(t.size());
  };
  const Tensor masked = corrupted(x, Corruption::Masking, 0.3, Key(1));
  EXPECT_NEAR(count(masked, 0.0), 0.3, 5 * std::sqrt(0.21 / 1e5));
  EXPECT_EQ(count(masked, 0.0) + count(masked, 0.25), 1.0);
  const Tensor salted = corrupted(x, Corruption::SaltAndPepper, 0.3, Key(1));
  EXPECT_NEAR(count(salted, 0.0), 0.15, 5 * std::sqrt(0.15 / 1e5));
  EXPECT_NEAR(count(salted, 1.0), 0.15, 5 * std::sqrt(0.15 / 1e5));
  EXPECT_EQ(count(salted, 0.0) + count(salted, 1.0) + count(salted, 0.25), 1.0);
  EXPECT_EQ(corrupted(x, Corruption::None, 0.3, Key(1)).values(), x.values());
  EXPECT_EQ(corrupted(x, Corruption::Masking, 0.3, Key(1)).values(), masked.values());
  EXPECT_NE(corrupted(x, Corruption::Masking, 0.3, Key(2)).values(), masked.values());
}

TEST(Autoencoder, DenoisingComparesWithWhatWasClean) {
  const Tensor x = uniform(Key(1), {5, 6}, f64());
  const Autoencoder model = autoencoder({.sample_shape = {6},
                                         .codes = 4,
                                         .reconstruction = Reconstruction::Linear,
                                         .corruption = Corruption::Masking,
                                         .amount = 0.5,
                                         .key = Key(2)});
  model.graph.to(f64());
  const State batch = State().set(model.x, x);
  const Tensor seen = corrupted(x, Corruption::Masking, 0.5, Key(3));
  EXPECT_EQ(model.prepared(batch, Key(3))[model.seen].tensor().values(), seen.values());
  Carry carry;
  const double loss = model.objective()->evaluate(model.graph, batch, carry, Key(3)).metrics.at("loss");
  const Value expected =
      mean(sum_per_sample(square(Value(x) - model.decode(model.encode(Value(seen)))))) * 0.5;
  EXPECT_NEAR(loss, expected.item(), 1e-12);
}

/// A linear auto-encoder's best error is that of the principal components: here the data lie in a plane.
TEST(Autoencoder, LearnsAPlane) {
  const Value plane = normal(Key(4), {2, 6}, f64()), at = normal(Key(5), {64, 2}, f64());
  const Tensor x = matmul(at, plane).tensor();
  const Autoencoder model = autoencoder({.sample_shape = {6},
                                         .codes = 2,
                                         .units = CodeUnit::Linear,
                                         .reconstruction = Reconstruction::Linear,
                                         .tied = false,
                                         .key = Key(6)});
  model.graph.to(f64());
  const auto objective = model.objective();
  Carry carry;
  const State batch = State().set(model.x, x);
  const auto loss = [&] { return objective->evaluate(model.graph, batch, carry, Key(0)).metrics.at("loss"); };
  const double before = loss();
  for (int step = 0; step < 2000; ++step) {
    const Evaluation evaluation = objective->evaluate(model.graph, batch, carry, Key(0), {.metrics = false});
    for (std::size_t i = 0; i < evaluation.gradients.size(); ++i) {
      const Tensor& parameter = model.graph.parameters()[i].tensor();
      evaluation.gradients[i].accumulate(parameter, -0.02, 1.0);
    }
  }
  EXPECT_LT(loss(), 1e-4 * before);
}

TEST(Autoencoder, Errors) {
  EXPECT_THROW(autoencoder({.codes = 4, .key = Key(1)}), Error);
  EXPECT_THROW(autoencoder({.sample_shape = {4}, .key = Key(1)}), Error);
  EXPECT_THROW(
      autoencoder(
          {.sample_shape = {4}, .codes = 2, .corruption = Corruption::Masking, .amount = 1.5, .key = Key(1)}),
      Error);
  EXPECT_THROW(parse_corruption("blur"), Error);
  EXPECT_THROW(parse_code_unit("gelu"), Error);
  EXPECT_THROW(parse_reconstruction("poisson"), Error);
  EXPECT_EQ(parse_corruption("salt_and_pepper"), Corruption::SaltAndPepper);
}

}  // namespace
}  // namespace basin::test
