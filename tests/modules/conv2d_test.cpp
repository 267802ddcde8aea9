#include "modules/images/conv2d.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

using test::f64;

Tensor random(Shape shape, std::uint64_t stream = 0) {
  return normal(Key(22).fold(stream), std::move(shape), f64());
}

Tensor numbers(const std::vector<double>& values, Shape shape) {
  return Tensor::from(std::span<const double>(values), std::move(shape), f64());
}

std::vector<double> host(const Value& value) { return value.tensor().values(); }

/// Both orders of derivative by the input and by every parameter, at random points.
std::string check(const Module& module, const Tensor& input) {
  std::vector<Value> leaves{Value::leaf(input)};
  for (Parameter parameter : module.parameters()) {
    parameter.set(random(parameter.value().shape(), leaves.size()));
    leaves.push_back(parameter.value());
  }
  return gradcheck([&] { return module.forward(leaves[0]); }, leaves);
}

TEST(Conv2dModule, CorrelatesAndAddsTheBias) {
  const Conv2d conv(1, 2, {1, 2}, Key(1), {.placement = f64()});
  conv.parameters()[0].set(numbers({1, 10, 2, 0}, {2, 1, 1, 2}));
  conv.parameters()[1].set(numbers({0.5, 100}, {2}));
  EXPECT_EQ(host(conv.forward(numbers({1, 2, 3}, {1, 1, 1, 3}))),
            (std::vector<double>{21.5, 32.5, 102, 104}));
  EXPECT_EQ(conv.parameters()[0].name(), "weight");
  EXPECT_EQ(conv.parameters()[1].name(), "bias");
  EXPECT_TRUE(conv.is_affine());
}

TEST(Conv2dModule, Differentiates) {
  EXPECT_EQ(check(Conv2d(2, 3, {3, 2}, Key(1), {.padding = {1, 0}}), random({2, 2, 4, 4})), "");
  EXPECT_EQ(check(Conv2d(1, 2, {2, 2}, Key(1), {.bias = false}), random({1, 1, 3, 4})), "");
}

TEST(Conv2dModule, StartsByItsKeyWithTheStatedSpread) {
  const Conv2d a(3, 8, {5, 5}, Key(1)), same(3, 8, {5, 5}, Key(1)), other(3, 8, {5, 5}, Key(2));
  EXPECT_EQ(host(a.weight().value()), host(same.weight().value()));
  EXPECT_NE(host(a.weight().value()), host(other.weight().value()));
  EXPECT_EQ(a.weight().tensor().shape(), (Shape{8, 3, 5, 5}));
  EXPECT_EQ(host(a.bias()->value()), std::vector<double>(8, 0.0));
  double largest = 0.0;
  for (const double w : host(a.weight().value())) largest = std::max(largest, std::abs(w));
  const double bound = std::sqrt(6.0 / (3 * 25 + 8));
  EXPECT_LE(largest, bound);
  EXPECT_GT(largest, 0.98 * bound);  // 600 draws
}

TEST(ConvTranspose2dModule, SetsFiltersDownWhereCodesAre) {
  const ConvTranspose2d decoder(2, 1, {2, 2}, Key(1), {.placement = f64()});
  decoder.parameters()[0].set(numbers({1, 2, 3, 4, 0, 0, 0, 7}, {2, 1, 2, 2}));
  decoder.parameters()[1].set(numbers({0.5}, {1}));
  Tensor z = numbers({0, 1, 0, 0, 1, 0, 0, 0}, {1, 2, 2, 2});
  EXPECT_EQ(host(decoder.forward(z)), (std::vector<double>{0.5, 1.5, 2.5, 0.5, 10.5, 4.5, 0.5, 0.5, 0.5}));
  EXPECT_TRUE(decoder.is_affine());
}

TEST(ConvTranspose2dModule, IsTheTransposeOfConv2d) {
  const Conv2d conv(2, 3, {3, 4}, Key(1), {.padding = {2, 1}, .bias = false, .placement = f64()});
  const ConvTranspose2d back(3, 2, {3, 4}, Key(2), {.padding = {2, 1}, .bias = false, .placement = f64()});
  back.parameters()[0].set(conv.weight().tensor());
  const Value x = random({2, 2, 6, 5}), y = conv.forward(x), g = random(y.shape(), 1);
  EXPECT_NEAR(sum(y * g).item(), sum(x * back.forward(g)).item(), 1e-10);
}

TEST(ConvTranspose2dModule, Differentiates) {
  EXPECT_EQ(check(ConvTranspose2d(3, 2, {2, 3}, Key(1), {.padding = {1, 1}}), random({2, 3, 4, 4})), "");
  EXPECT_EQ(check(ConvTranspose2d(2, 1, {2, 2}, Key(1), {.bias = false}), random({1, 2, 3, 2})), "");
}

TEST(ConvModules, RefuseWhatDoesNotFit) {
  EXPECT_THROW(Conv2d(0, 2, {3, 3}, Key(1)), Error);
  EXPECT_THROW(Conv2d(1, 2, {3, 0}, Key(1)), Error);
  EXPECT_THROW(ConvTranspose2d(1, 2, {3, 3}, Key(1), {.padding = {-1, 0}}), Error);
  const Conv2d conv(2, 3, {3, 3}, Key(1), {.placement = f64()});
  EXPECT_THROW(conv.forward(random({1, 1, 5, 5})), Error);
  EXPECT_THROW(conv.forward(random({2, 5, 5})), Error);
  EXPECT_THROW(conv.forward(random({1, 2, 2, 5})), Error);
}

}  // namespace
}  // namespace basin
