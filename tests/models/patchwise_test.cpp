// An encoder of patches as one of whole images: every number is what the patch gives by itself.
#include "models/patchwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "models/encoder.h"
#include "modules/activation.h"
#include "modules/dropout.h"
#include "modules/flatten.h"
#include "modules/function.h"
#include "modules/layers.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::f64;
using test::host;
using test::random;
using Encoding = std::shared_ptr<const Module>;

constexpr Index kUnits = 3, kHeight = 3, kWidth = 2;

Encoding encoder_of(EncoderKind kind, Index channels) {
  return std::make_shared<const Encoder>(channels * kHeight * kWidth, kUnits, Key(2),
                                         EncoderOptions{.kind = kind, .placement = f64()});
}

Encoding layers_of(Activation::Kind kind, Index channels) {
  auto inner = std::make_shared<Sequential>();
  inner->add(Flatten()).add(Linear(channels * kHeight * kWidth, kUnits, Key(3), {.placement = f64()}));
  auto outer = std::make_shared<Sequential>();
  outer->add(inner).add(Activation(
      kind, kind == Activation::Kind::WinnerTakeAll ? std::vector<double>{1.0} : std::vector<double>{}));
  return outer;
}

/// What no rule knows: numbers that depend on all units.
Encoding softmax_of(Index channels) {
  const Value w = random({channels * kHeight * kWidth, kUnits}, 4);
  return std::make_shared<const Function>(
      [w](const Value& x, const Context&) { return softmax(matmul(flatten(x), w)); });
}

/// Biases, thresholds and gains other than where they start.
void stir(const Module& module) {
  std::uint64_t stream = 10;
  for (const Parameter& parameter : module.parameters())
    parameter.tensor().copy_from(random(parameter.tensor().shape(), ++stream));
}

/// g of the patch at one place of every image, [N, K].
Value at(const Module& encoder, const Value& images, Index row, Index column) {
  const Value rows = slice(images, -2, row, row + kHeight);
  return encoder.forward(slice(rows, -1, column, column + kWidth));
}

struct Case {
  std::string name;
  std::function<Encoding(Index channels)> make;
  bool fuses;
};

std::vector<Case> cases() {
  using enum Activation::Kind;
  return {{"shrinkage", [](Index c) { return encoder_of(EncoderKind::Shrinkage, c); }, true},
          {"tanh", [](Index c) { return encoder_of(EncoderKind::Tanh, c); }, true},
          {"relu", [](Index c) { return encoder_of(EncoderKind::Relu, c); }, true},
          {"sigmoids", [](Index c) { return layers_of(Sigmoid, c); }, true},
          {"winner", [](Index c) { return layers_of(WinnerTakeAll, c); }, false},
          {"softmax", softmax_of, false}};
}

TEST(Patchwise, GivesAtEveryPlaceWhatTheEncoderGivesOfThePatch) {
  for (const auto& [name, make, fuses] : cases()) {
    for (const Index channels : {0, 1, 2}) {
      const Encoding encoder = make(std::max<Index>(1, channels));
      stir(*encoder);
      Shape shape{2, 8, 7};
      if (channels > 0) shape.insert(shape.begin() + 1, channels);
      const Value images = random(shape, 5);
      for (const std::array<Index, 2> stride : {std::array<Index, 2>{1, 1}, {2, 3}}) {
        for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
          const Patchwise everywhere(encoder, {kHeight, kWidth}, {.stride = stride, .fuse = fuse});
          EXPECT_EQ(everywhere.fuses(), fuses && fuse == Fuse::Auto) << name;
          const Value maps = everywhere.forward(images);
          const Index rows = (8 - kHeight) / stride[0] + 1, columns = (7 - kWidth) / stride[1] + 1;
          ASSERT_EQ(maps.shape(), (Shape{2, kUnits, rows, columns})) << name;
          for (Index i = 0; i < rows; ++i) {
            for (Index j = 0; j < columns; ++j) {
              const Value there = slice(slice(maps, 2, i, i + 1), 3, j, j + 1);
              const Value own = at(*encoder, images, i * stride[0], j * stride[1]);
              EXPECT_LT(sum(abs(flatten(there) - own)).item(), 1e-12) << name << " " << i << " " << j;
            }
          }
        }
      }
    }
  }
}

TEST(Patchwise, DerivativesOfBothOrdersAreThoseOfFiniteDifferences) {
  for (const auto& make :
       {std::function<Encoding(Index)>([](Index c) { return layers_of(Activation::Kind::Sigmoid, c); }),
        std::function<Encoding(Index)>([](Index c) { return encoder_of(EncoderKind::Tanh, c); })}) {
    for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
      const Patchwise everywhere(make(2), {kHeight, kWidth}, {.stride = {2, 1}, .fuse = fuse});
      EXPECT_EQ(test::check(everywhere, random({2, 2, 5, 4}, 6)), "");
    }
  }
}

TEST(Patchwise, APatchDrawsByItsSampleAndPlace) {
  auto noisy = std::make_shared<Sequential>();
  noisy->add(Flatten()).add(Dropout(0.5));
  const Patchwise everywhere(noisy, {kHeight, kWidth});
  const Value images = random({3, 2, 5, 4}, 7);
  const Value whole = everywhere.forward(images, {.key = Key(1)});
  const Value part = everywhere.forward(slice(images, 0, 1, 3), {.key = Key(1), .first_row = 1});
  EXPECT_EQ(host(slice(whole, 0, 1, 3)), host(part));
  EXPECT_NE(host(whole), host(everywhere.forward(images)));
  // Replicas of a sample have its masks.
  const Value twice = reshape(stack({images, images}, 1), {6, 2, 5, 4});
  const Value both = reshape(everywhere.forward(twice, {.key = Key(1), .replicas = 2}), {3, 2, -1});
  EXPECT_EQ(host(slice(both, 1, 0, 1)), host(reshape(whole, {3, 1, -1})));
  EXPECT_EQ(host(slice(both, 1, 1, 2)), host(reshape(whole, {3, 1, -1})));
}

TEST(Patchwise, RefusesWhatItCannotCut) {
  const Encoding encoder = encoder_of(EncoderKind::Tanh, 1);
  EXPECT_THROW(Patchwise(nullptr, {2, 2}), Error);
  EXPECT_THROW(Patchwise(encoder, {0, 2}), Error);
  EXPECT_THROW(Patchwise(encoder, {2, 2}, {.stride = {1, 0}}), Error);
  const Patchwise everywhere(encoder, {kHeight, kWidth});
  EXPECT_THROW(everywhere.forward(random({2, 2, 7})), Error);
  EXPECT_THROW(everywhere.forward(random({2, 7})), Error);
}

}  // namespace
}  // namespace basin
