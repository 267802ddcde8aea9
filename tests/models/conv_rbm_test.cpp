// Convolutional restricted Boltzmann machines with probabilistic max pooling against enumeration.
#include "models/conv_rbm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/enumerate.h"
#include "energy/sample/block_gibbs.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

ConvRbm small(Shape image, Index maps, Index size, Index pool) {
  const ConvRbm model =
      conv_rbm({.image = std::move(image), .maps = maps, .size = size, .pool = pool, .key = Key(1)});
  for (Parameter parameter : model.graph.parameters())
    parameter.set(normal(Key(2).fold(parameter.name()), parameter.tensor().shape(), test::f64()));
  return model;
}

/// Input of every detection unit, by the sums of the definition: [maps, height, width] of one image.
std::vector<double> inputs(const ConvRbm& model, const Tensor& image, Index channels, Index height,
                           Index width) {
  const Tensor weight = model.graph.parameter("v.h.weight").tensor();
  const std::vector<double> w = weight.values(), c = model.graph.parameter("h.bias").tensor().values(),
                            x = image.values();
  const Index size = weight.dim(2), rows = height - size + 1, columns = width - size + 1;
  std::vector<double> found;
  for (Index k = 0; k < weight.dim(0); ++k) {
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < columns; ++j) {
        double sum = c[static_cast<std::size_t>(k)];
        for (Index l = 0; l < channels; ++l) {
          for (Index u = 0; u < size; ++u) {
            for (Index s = 0; s < size; ++s) {
              sum += w[static_cast<std::size_t>(((k * channels + l) * size + u) * size + s)] *
                     x[static_cast<std::size_t>((l * height + i + u) * width + j + s)];
            }
          }
        }
        found.push_back(sum);
      }
    }
  }
  return found;
}

// Lee et al. 2009, section 3.3: exp(I) / (1 + sum over the square) for units, 1 / (1 + that sum) for "off".
TEST(ConvRbm, UnitsOfASquareAreASoftmaxWithAllOff) {
  const ConvRbm model = small({2, 5, 7}, 3, 2, 2);
  EXPECT_EQ(model.h.shape, (Shape{3, 2, 3, 5}));
  const Tensor v = bernoulli(Key(5), Tensor::full({1, 2, 5, 7}, 0.5, test::f64()));
  const std::vector<double> input = inputs(model, v, 2, 5, 7);
  const Value mean = conditional(model.graph, {model.h}, State().set(model.v, v)).front().mean();
  const std::vector<double> on = model.maps.detections(mean).tensor().values(),
                            pooled = model.maps.pooled(mean).tensor().values();
  ASSERT_EQ(on.size(), input.size());
  for (Index k = 0; k < 3; ++k) {
    for (Index a = 0; a < 2; ++a) {
      for (Index b = 0; b < 3; ++b) {
        double total = 1.0;
        const auto at = [&](Index u, Index s) {
          return static_cast<std::size_t>((k * 4 + 2 * a + u) * 6 + 2 * b + s);
        };
        for (Index u = 0; u < 2; ++u)
          for (Index s = 0; s < 2; ++s) total += std::exp(input[at(u, s)]);
        for (Index u = 0; u < 2; ++u)
          for (Index s = 0; s < 2; ++s) EXPECT_NEAR(on[at(u, s)], std::exp(input[at(u, s)]) / total, 1e-12);
        EXPECT_NEAR(pooled[static_cast<std::size_t>((k * 2 + a) * 3 + b)], 1.0 - 1.0 / total, 1e-12);
      }
    }
  }
}

// 3 x 3 pixels, a map of 2 x 2 detection units in one square, two maps: all 2^9 images and 5^2 codes.
TEST(ConvRbm, MarginalsEqualEnumeration) {
  const ConvRbm model = small({3, 3}, 2, 2, 2);
  const Index count = state_count({model.v, model.h});
  ASSERT_EQ(count, 512 * 25);
  const State all = enumerate_states({model.v, model.h}, 0, count, test::f64());
  const std::vector<double> energy = model.graph.energy(all).tensor().values();
  double total = 0.0;
  for (const double e : energy) total += std::exp(-e);
  EXPECT_NEAR(log_partition(model.graph).item(), std::log(total), 1e-9);
  // p(h | v) and F(v) of one image.
  const Tensor v = Tensor::from(std::vector<double>{1, 0, 1, 1, 1, 0, 0, 0, 1}, {1, 3, 3}, test::f64());
  const State codes = enumerate_states({model.h}, 0, 25, test::f64());
  State joint = State().set(model.v, broadcast_to(Value(v), {25, 3, 3}).tensor());
  joint.set(model.h, codes[model.h]);
  const std::vector<double> given = model.graph.energy(joint).tensor().values(),
                            h = codes[model.h].tensor().values();
  double sum = 0.0;
  std::vector<double> mean(10, 0.0);
  for (std::size_t s = 0; s < 25; ++s) {
    sum += std::exp(-given[s]);
    for (std::size_t i = 0; i < 10; ++i) mean[i] += std::exp(-given[s]) * h[s * 10 + i];
  }
  const State image = State().set(model.v, v);
  EXPECT_NEAR(free_energy(model.graph, {model.h}, image).item(), -std::log(sum), 1e-10);
  const std::vector<double> found =
      conditional(model.graph, {model.h}, image).front().mean().tensor().values();
  for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(found[i], mean[i] / sum, 1e-12);
  // A draw has one state on in each square, so at most one detection unit.
  State drawn = image;
  drawn = BlockGibbs({{model.h}, {model.v}})(model.graph, drawn, Key(3));
  for (const double one : sum_per_sample(drawn[model.h]).tensor().values()) EXPECT_EQ(one, 2.0);
}

TEST(ConvRbm, WithoutPoolingUnitsAreBits) {
  const ConvRbm model = small({4, 4}, 1, 2, 1);
  const Tensor v = bernoulli(Key(5), Tensor::full({1, 4, 4}, 0.5, test::f64()));
  const std::vector<double> input = inputs(model, v, 1, 4, 4);
  const Value mean = conditional(model.graph, {model.h}, State().set(model.v, v)).front().mean();
  const std::vector<double> on = model.maps.detections(mean).tensor().values();
  for (std::size_t i = 0; i < on.size(); ++i) EXPECT_NEAR(on[i], 1.0 / (1.0 + std::exp(-input[i])), 1e-12);
}

TEST(ConvRbm, SizesThatDoNotFitAreRefused) {
  const auto make = [](Shape image, Index maps, Index size, Index pool) {
    return conv_rbm({.image = std::move(image), .maps = maps, .size = size, .pool = pool, .key = Key(1)});
  };
  EXPECT_THROW(make({5, 5}, 2, 2, 3), Error);  // 4 x 4 maps in squares of 3 x 3
  EXPECT_THROW(make({5}, 2, 2, 2), Error);
  EXPECT_THROW(make({5, 5}, 0, 2, 2), Error);
  EXPECT_THROW(make({5, 5}, 1, 6, 1), Error);
  EXPECT_THROW(make({5, 5}, 1, 2, 0), Error);
}

}  // namespace
}  // namespace basin
