#include "models/rica.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin::test {
namespace {

TEST(Rica, EnergyByHandAndGradientsOfBothOrders) {
  const Tensor x = normal(Key(1), {4, 2, 3}, f64());
  const Rica model =
      rica({.sample_shape = {2, 3}, .codes = 8, .lambda = 0.7, .epsilon = 0.05, .key = Key(2)});
  model.graph.to(f64());
  const std::vector<double> w = model.filters.tensor().values(), rows = x.values();
  const std::vector<double> energy = model.graph.energy(State().set(model.x, x)).tensor().values();
  for (std::size_t n = 0; n < 4; ++n) {
    double expected = 0.0;
    std::vector<double> back(6, 0.0);
    for (std::size_t j = 0; j < 8; ++j) {
      double s = 0.0;
      for (std::size_t i = 0; i < 6; ++i) s += rows[n * 6 + i] * w[i * 8 + j];
      expected += std::sqrt(s * s + 0.05);
      for (std::size_t i = 0; i < 6; ++i) back[i] += s * w[i * 8 + j];
    }
    for (std::size_t i = 0; i < 6; ++i)
      expected += 0.7 * (rows[n * 6 + i] - back[i]) * (rows[n * 6 + i] - back[i]);
    EXPECT_NEAR(energy[n], expected, 1e-12);
  }
  EXPECT_EQ(gradcheck([&] { return model.graph.energy(State().set(model.x, x)); }, {model.filters.value()}),
            "");
}

/// Four Laplace sources behind a rotation: the rows of W become those of its inverse, but for order and sign.
TEST(Rica, FindsIndependentSources) {
  if (device() != Device::Cpu) GTEST_SKIP() << "trains: the same arithmetic by another device adds nothing";
  constexpr Index kSources = 4, kSamples = 3000;
  const std::vector<double> u = uniform(Key(3), {kSamples, kSources}, f64()).values();
  std::vector<double> sources;  // Laplace of variance 1
  for (const double p : u)
    sources.push_back((p < 0.5 ? std::log(2.0 * p + 1e-12) : -std::log(2.0 - 2.0 * p + 1e-12)) /
                      std::sqrt(2.0));
  // Rotations in three planes, one after another.
  std::vector<double> mixing(kSources * kSources, 0.0);
  for (std::size_t i = 0; i < kSources; ++i) mixing[i * kSources + i] = 1.0;
  for (const auto& [i, j, angle] : {std::tuple{0U, 1U, 0.7}, {1U, 2U, 0.5}, {2U, 3U, 0.9}}) {
    for (std::size_t r = 0; r < kSources; ++r) {
      const double a = mixing[r * kSources + i], b = mixing[r * kSources + j];
      mixing[r * kSources + i] = a * std::cos(angle) - b * std::sin(angle);
      mixing[r * kSources + j] = a * std::sin(angle) + b * std::cos(angle);
    }
  }
  const Value rotation(Tensor::from(mixing, {kSources, kSources}, f64()));
  const Value x = matmul(Value(Tensor::from(sources, {kSamples, kSources}, f64())), rotation);
  const Rica model = rica({.sample_shape = {kSources}, .codes = kSources, .lambda = 2.0, .key = Key(4)});
  model.graph.to(f64());
  for (int step = 0; step < 1000; ++step) {
    const Value loss = mean(model.graph.energy(State().set(model.x, x)));
    const Value gradient = grad(loss, {model.filters.value()}).front();
    model.filters.tensor().copy_from((model.filters.value().detached() - 0.06 * gradient).tensor());
  }
  // rotation W' is a signed permutation where each source has a row of its own.
  const std::vector<double> found = matmul(rotation, model.filters.value()).tensor().values();
  for (std::size_t j = 0; j < kSources; ++j) {
    double largest = 0.0, square = 0.0;
    for (std::size_t i = 0; i < kSources; ++i) {
      largest = std::max(largest, std::abs(found[i * kSources + j]));
      square += found[i * kSources + j] * found[i * kSources + j];
    }
    EXPECT_GT(largest / std::sqrt(square), 0.99)
        << "filter " << j;  // 3,000 samples: angles within 0.05 or so
  }
}

TEST(Rica, SettingsOutOfRangeAreErrors) {
  EXPECT_THROW((void)rica({.sample_shape = {}, .codes = 3, .key = Key(1)}), Error);
  EXPECT_THROW((void)rica({.sample_shape = {4}, .codes = 0, .key = Key(1)}), Error);
  EXPECT_THROW((void)rica({.sample_shape = {4}, .codes = 3, .lambda = -1.0, .key = Key(1)}), Error);
  EXPECT_THROW((void)rica({.sample_shape = {4}, .codes = 3, .epsilon = 0.0, .key = Key(1)}), Error);
}

}  // namespace
}  // namespace basin::test
