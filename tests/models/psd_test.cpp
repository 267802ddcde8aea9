#include "models/psd.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "support/device.h"
#include "support/numbers.h"
#include "tensor/error.h"

namespace basin::test {
namespace {

PsdOptions options(EncoderKind kind, Placement placement) {
  return {.code = {.sample_shape = {2, 3}, .atoms = 5, .lambda = 0.3, .placement = placement, .key = Key(1)},
          .alpha = 0.7,
          .encoder = kind};
}

/// The model's energy in plain loops.
double energy(const std::vector<double>& y, const std::vector<double>& z, const std::vector<double>& d,
              const std::vector<double>& g) {
  double value = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    double error = y[i];
    for (std::size_t k = 0; k < z.size(); ++k) error -= z[k] * d[k * y.size() + i];
    value += 0.5 * error * error;
  }
  for (std::size_t k = 0; k < z.size(); ++k)
    value += 0.3 * std::abs(z[k]) + 0.35 * (z[k] - g[k]) * (z[k] - g[k]);
  return value;
}

TEST(Psd, EnergyIsWhatItSays) {
  for (const EncoderKind kind : {EncoderKind::Shrinkage, EncoderKind::Tanh, EncoderKind::Relu}) {
    const Psd model = psd(options(kind, f64()));
    State state;
    const std::vector<double> y = numbers(6, 2), z = numbers(5, 3);
    state.set(model.y, Tensor::from(y, {1, 2, 3}, f64())).set(model.z, Tensor::from(z, {1, 5}, f64()));
    const std::vector<double> d = model.decoder->weight().tensor().values();
    const std::vector<double> g = model.encoder->forward(state[model.y]).tensor().values();
    EXPECT_NEAR(model.graph.energy(state).item(), energy(y, z, d, g), 1e-12);
    EXPECT_NEAR(model.inference.energy(state).item(), energy(y, z, d, g), 1e-12);
    const Psd warm = psd_warm_start(options(kind, f64()));
    EXPECT_NEAR(warm.graph.energy(state).item(), energy(y, z, d, g), 1e-12);
    EXPECT_NEAR(warm.inference.energy(state).item(), energy(y, z, d, z), 1e-12);  // without the prediction
  }
}

TEST(Psd, EncodersAreTheirFormulas) {
  for (const EncoderKind kind : {EncoderKind::Shrinkage, EncoderKind::Tanh, EncoderKind::Relu}) {
    const Encoder encoder(4, 3, Key(5), {.kind = kind, .placement = f64()});
    const std::vector<Parameter> parameters = encoder.parameters();
    parameters[1].tensor().copy_from(Tensor::from(std::vector<double>{0.1, -0.2, 0.3}, {3}, f64()));
    if (kind != EncoderKind::Relu) {
      parameters[2].tensor().copy_from(Tensor::from(std::vector<double>{0.2, -0.4, 1.5}, {3}, f64()));
    }
    const std::vector<double> y = numbers(4, 6), w = parameters[0].tensor().values(),
                              b = parameters[1].tensor().values();
    const std::vector<double> found = encoder.forward(Tensor::from(y, {1, 2, 2}, f64())).tensor().values();
    const std::vector<double> s{0.2, -0.4, 1.5};
    for (std::size_t k = 0; k < 3; ++k) {
      double a = b[k];
      for (std::size_t i = 0; i < 4; ++i) a += y[i] * w[i * 3 + k];
      const double threshold = std::abs(s[k]);
      const double shrunk = std::abs(a) > threshold ? a - std::copysign(threshold, a) : 0.0;
      const double expected = kind == EncoderKind::Shrinkage ? shrunk
                              : kind == EncoderKind::Tanh    ? s[k] * std::tanh(a)
                                                             : std::max(0.0, a);
      EXPECT_NEAR(found[k], expected, 1e-12);
    }
  }
}

TEST(Psd, ElementsHaveNormOneAndTheEncoderStartsAtThem) {
  const Psd model = psd(options(EncoderKind::Shrinkage, f32()));
  const Value d = model.decoder->weight().value().detached();
  for (const double norm : sqrt(sum(square(d), {1})).tensor().values()) EXPECT_NEAR(norm, 1.0, 1e-6);
  EXPECT_EQ(transpose(d, {1, 0}).tensor().values(), model.encoder->weight().tensor().values());
  std::vector<std::string> names;
  for (const Parameter& parameter : model.graph.parameters()) names.push_back(parameter.name());
  EXPECT_EQ(names, (std::vector<std::string>{"z.y.weight", "y.z.weight", "y.z.bias", "y.z.threshold"}));
}

TEST(Psd, RefusesWhatMakesNoSense) {
  PsdOptions none = options(EncoderKind::Shrinkage, f32());
  none.alpha = 0.0;
  EXPECT_THROW(psd(none), Error);
  none = options(EncoderKind::Shrinkage, f32());
  none.code.atoms = 0;
  EXPECT_THROW(psd(none), Error);
  EXPECT_THROW(sparse_coding({.sample_shape = {}, .atoms = 3, .key = Key(1)}), Error);
  EXPECT_THROW(parse_encoder_kind("sigmoid"), Error);
}

}  // namespace
}  // namespace basin::test
