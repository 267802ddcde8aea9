#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "samples.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::host;
using test::numbers;
using test::random;
using test::Values;

const std::vector<std::vector<Index>> kAxes = {{},     {0},    {1},    {2},     {-1},
                                               {0, 1}, {0, 2}, {2, 0}, {1, -1}, {0, 1, 2}};

TEST(Reduce, SumAndMeanDifferentiateOverAnyAxes) {
  for (const std::vector<Index>& axes : kAxes) {
    for (const bool keep : {false, true}) {
      SCOPED_TRACE(to_string(axes));
      const Tensor x = random({2, 3, 4});
      EXPECT_EQ(gradcheck([&](const Values& v) { return square(sum(v[0], axes, {.keep = keep})); }, {x}), "");
      EXPECT_EQ(gradcheck([&](const Values& v) { return square(mean(v[0], axes, {.keep = keep})); }, {x}),
                "");
    }
  }
  EXPECT_EQ(gradcheck([](const Values& v) { return square(sum(v[0])); }, {random({})}), "");
}

TEST(Reduce, SumByHand) {
  const Value x = numbers({1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2});
  EXPECT_EQ(sum(x).item(), 36.0);
  EXPECT_EQ(sum(x).rank(), 0);
  EXPECT_EQ(host(sum(x, {0})), (std::vector<double>{6, 8, 10, 12}));
  EXPECT_EQ(host(sum(x, {1})), (std::vector<double>{4, 6, 12, 14}));
  EXPECT_EQ(host(sum(x, {-1})), (std::vector<double>{3, 7, 11, 15}));
  EXPECT_EQ(host(sum(x, {0, 2})), (std::vector<double>{14, 22}));
  EXPECT_EQ(sum(x, {0, 2}).shape(), (Shape{2}));
  EXPECT_EQ(sum(x, {0, 2}, {.keep = true}).shape(), (Shape{1, 2, 1}));
  EXPECT_EQ(host(mean(x, {0, 2})), (std::vector<double>{3.5, 5.5}));
  EXPECT_EQ(host(sum_per_sample(x)), (std::vector<double>{10, 26}));
}

TEST(Reduce, EmptyBatches) {
  const Value x = Value::leaf(random({0, 3}));
  EXPECT_EQ(sum(x).item(), 0.0);
  EXPECT_EQ(host(sum(x, {0})), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(sum_per_sample(x).shape(), (Shape{0}));
  EXPECT_EQ(grad(sum(x), {x})[0].shape(), (Shape{0, 3}));
  EXPECT_EQ(log_sum_exp(x, 1).shape(), (Shape{0}));
}

TEST(Reduce, SumToIsTheTransposeOfBroadcastTo) {
  const std::vector<std::pair<Shape, Shape>> cases = {
      {{3, 4}, {4}},          {{3, 4}, {3, 1}},       {{3, 4}, {}},       {{3, 4}, {3, 4}},
      {{2, 3, 4}, {1, 3, 1}}, {{2, 3, 1}, {1, 1, 1}}, {{2, 3, 4}, {3, 1}}};
  for (const auto& shapes : cases) {
    const Shape &large = shapes.first, &small = shapes.second;
    SCOPED_TRACE(to_string(large) + " and " + to_string(small));
    const Value x = random(large), y = random(small, 1);
    EXPECT_EQ(sum_to(x, small).shape(), small);
    EXPECT_NEAR(sum(sum_to(x, small) * y).item(), sum(x * broadcast_to(y, large)).item(), 1e-12);
    EXPECT_EQ(gradcheck([&](const Values& v) { return square(sum_to(v[0], small)); }, {random(large)}), "");
    EXPECT_EQ(gradcheck([&](const Values& v) { return square(broadcast_to(v[0], large)); }, {random(small)}),
              "");
  }
}

TEST(Reduce, LargestIsAConstantMask) {
  const Value x = Value::leaf(numbers({3, 1, 2, 0, 5, 4}, {1, 2, 3}));
  EXPECT_EQ(host(largest(x, 2)), (std::vector<double>{1, 0, 1, 0, 1, 1}));
  EXPECT_EQ(host(largest(x, 0)), std::vector<double>(6, 0.0));
  EXPECT_FALSE(largest(x, 1).tracked());
  EXPECT_EQ(largest(Value(random({0, 3})), 2).shape(), (Shape{0, 3}));
  EXPECT_THROW(largest(x, 4), Error);
  EXPECT_THROW(largest(x, -1), Error);
}

TEST(Reduce, MaxAndLogSumExpDifferentiateAlongAnyAxis) {
  for (const Index axis : {0, 1, 2, -1}) {
    for (const bool keep : {false, true}) {
      const Tensor x = random({2, 3, 4});
      EXPECT_EQ(gradcheck([&](const Values& v) { return square(max(v[0], axis, {.keep = keep})); }, {x}), "")
          << axis;
      EXPECT_EQ(gradcheck([&](const Values& v) { return log_sum_exp(v[0], axis, {.keep = keep}); }, {x}), "")
          << axis;
    }
  }
  EXPECT_EQ(max(random({2, 3, 4}), 1).shape(), (Shape{2, 4}));
  EXPECT_EQ(log_sum_exp(random({2, 3, 4}), 1, {.keep = true}).shape(), (Shape{2, 1, 4}));
}

TEST(Reduce, MaxSharesTiesEqually) {
  const Value x = Value::leaf(numbers({1, 5, 5, 2, 0, -1}, {2, 3}));
  EXPECT_EQ(host(max(x, 1)), (std::vector<double>{5, 2}));
  EXPECT_EQ(host(grad(sum(max(x, 1)), {x})[0]), (std::vector<double>{0, 0.5, 0.5, 1, 0, 0}));
}

TEST(Reduce, LogSumExpOfHugeNumbers) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Value x = Value::leaf(numbers({1000, 1000, -infinity, 0}, {2, 2}));
  EXPECT_NEAR(host(log_sum_exp(x, 1))[0], 1000.0 + std::log(2.0), 1e-12);
  EXPECT_NEAR(host(log_sum_exp(x, 1))[1], 0.0, 1e-12);
  const std::vector<double> slopes = host(grad(sum(log_sum_exp(x, 1)), {x})[0]), expected{0.5, 0.5, 0, 1};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(slopes[i], expected[i], 1e-12);
}

TEST(Reduce, Softmax) {
  for (const Shape& shape : {Shape{5}, Shape{3, 4}, Shape{2, 3, 2}}) {
    EXPECT_EQ(gradcheck([](const Values& v) { return softmax(v[0]); }, {random(shape)}), "");
    EXPECT_EQ(gradcheck([](const Values& v) { return log_softmax(v[0]); }, {random(shape)}), "");
  }
  const std::vector<double> p = host(softmax(numbers({0, std::log(3.0), 1000, 1000}, {2, 2})));
  EXPECT_NEAR(p[0], 0.25, 1e-14);
  EXPECT_NEAR(p[1], 0.75, 1e-14);
  EXPECT_NEAR(p[2], 0.5, 1e-14);
  const Value x = random({3, 4});
  for (const double rest : host(exp(log_softmax(x)) - softmax(x))) EXPECT_NEAR(rest, 0.0, 1e-14);
}

}  // namespace
}  // namespace basin
