#include <gtest/gtest.h>

#include <cmath>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "samples.h"

namespace basin {
namespace {

using test::host;
using test::numbers;
using test::positive;
using test::random;
using test::Values;

/// Pairs of shapes that broadcast in every way: not at all, rows, columns, both, scalars, leading axes, a
/// middle axis.
const std::vector<std::pair<Shape, Shape>> kShapes = {
    {{5}, {5}},          {{3, 4}, {3, 4}},       {{3, 4}, {4}},          {{4}, {3, 4}},
    {{3, 1}, {1, 4}},    {{3, 4}, {}},           {{}, {3, 4}},           {{}, {}},
    {{2, 3, 4}, {3, 1}}, {{2, 3, 4}, {2, 1, 4}}, {{2, 1, 3}, {1, 4, 1}}, {{1, 1}, {3}},
    {{3, 4}, {1}},       {{1}, {1, 1}},          {{0, 4}, {4}}};

TEST(Arithmetic, BinaryOpsDifferentiateForEveryBroadcast) {
  for (const auto& [a, b] : kShapes) {
    SCOPED_TRACE(to_string(a) + " and " + to_string(b));
    EXPECT_EQ(gradcheck([](const Values& x) { return x[0] + x[1]; }, {random(a), random(b, 1)}), "");
    EXPECT_EQ(gradcheck([](const Values& x) { return x[0] - x[1]; }, {random(a), random(b, 1)}), "");
    EXPECT_EQ(gradcheck([](const Values& x) { return x[0] * x[1]; }, {random(a), random(b, 1)}), "");
    EXPECT_EQ(gradcheck([](const Values& x) { return x[0] / x[1]; }, {random(a), positive(b, 1)}), "");
    EXPECT_EQ(gradcheck([](const Values& x) { return maximum(x[0], x[1]); }, {random(a), random(b, 1)}), "");
    EXPECT_EQ(gradcheck([](const Values& x) { return minimum(x[0], x[1]); }, {random(a), random(b, 1)}), "");
  }
}

TEST(Arithmetic, ShrinkDifferentiatesForEveryBroadcastOfTheThreshold) {
  for (const Shape& threshold : {Shape{3, 4}, {4}, {3, 1}, {1}, {}}) {
    SCOPED_TRACE(to_string(threshold));
    const Tensor x = (Value(random({3, 4})) * 3.0).tensor(), t = positive(threshold, 1);
    EXPECT_EQ(gradcheck([](const Values& v) { return shrink(v[0], v[1]); }, {x, t}), "");
    EXPECT_EQ(gradcheck([](const Values& v) { return exp(shrink(v[0], v[1])); }, {x, t}), "");
  }
  EXPECT_EQ(host(shrink(Value(numbers({-3, -1, 0, 1, 3}, {5})), Value(numbers({1}, {1})))),
            (std::vector<double>{-2, 0, 0, 0, 2}));
  EXPECT_TRUE(std::isnan(host(shrink(Value(numbers({std::nan("")}, {1})), Value(numbers({1}, {1}))))[0]));
}

TEST(Arithmetic, BinaryOpsOfOneValueTwice) {
  EXPECT_EQ(
      gradcheck([](const Values& x) { return x[0] * x[0] * x[0] / (x[0] + x[0]) - x[0]; }, {positive({4})}),
      "");
}

TEST(Arithmetic, NumbersOnEitherSide) {
  const Tensor x = positive({3, 2});
  EXPECT_EQ(gradcheck([](const Values& v) { return square(v[0] + 2.0); }, {x}), "");
  EXPECT_EQ(gradcheck([](const Values& v) { return square(2.0 + v[0]); }, {x}), "");
  EXPECT_EQ(gradcheck([](const Values& v) { return square(v[0] - 2.0); }, {x}), "");
  EXPECT_EQ(gradcheck([](const Values& v) { return square(2.0 - v[0]); }, {x}), "");
  EXPECT_EQ(gradcheck([](const Values& v) { return square(v[0] * 3.0); }, {x}), "");
  EXPECT_EQ(gradcheck([](const Values& v) { return square(3.0 * v[0]); }, {x}), "");
  EXPECT_EQ(gradcheck([](const Values& v) { return square(v[0] / 3.0); }, {x}), "");
  EXPECT_EQ(gradcheck([](const Values& v) { return 3.0 / v[0]; }, {x}), "");
}

TEST(Arithmetic, ValuesByHand) {
  const Value a = numbers({1, 2, 3, 4, 5, 6}, {2, 3}), b = numbers({10, 20, 30}, {3}),
              c = numbers({1, 2}, {2, 1});
  EXPECT_EQ(host(a + b), (std::vector<double>{11, 22, 33, 14, 25, 36}));
  EXPECT_EQ(host(b - a), (std::vector<double>{9, 18, 27, 6, 15, 24}));
  EXPECT_EQ(host(a * c), (std::vector<double>{1, 2, 3, 8, 10, 12}));
  EXPECT_EQ(host(a / c), (std::vector<double>{1, 2, 3, 2, 2.5, 3}));
  EXPECT_EQ(host(maximum(a, numbers({3}, {1}))), (std::vector<double>{3, 3, 3, 4, 5, 6}));
  EXPECT_EQ(host(minimum(a, numbers({3}, {}))), (std::vector<double>{1, 2, 3, 3, 3, 3}));
  EXPECT_EQ((b * c).shape(), (Shape{2, 3}));
  EXPECT_EQ(host(b + 1.0), (std::vector<double>{11, 21, 31}));
  EXPECT_EQ(host(b - 1.0), (std::vector<double>{9, 19, 29}));
  EXPECT_EQ(host(1.0 - b), (std::vector<double>{-9, -19, -29}));
  EXPECT_EQ(host(b * 0.5), (std::vector<double>{5, 10, 15}));
  EXPECT_EQ(host(b / 10.0), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(host(60.0 / b), (std::vector<double>{6, 3, 2}));
  EXPECT_EQ(host(-b), (std::vector<double>{-10, -20, -30}));
}

TEST(Arithmetic, TiesShareTheGradient) {
  const Value a = Value::leaf(numbers({1, 2, 3}, {3})), b = Value::leaf(numbers({2, 2, 2}, {3}));
  const Values most = grad(sum(maximum(a, b)), {a, b}), least = grad(sum(minimum(a, b)), {a, b});
  EXPECT_EQ(host(most[0]), (std::vector<double>{0, 0.5, 1}));
  EXPECT_EQ(host(most[1]), (std::vector<double>{1, 0.5, 0}));
  EXPECT_EQ(host(least[0]), (std::vector<double>{1, 0.5, 0}));
  EXPECT_EQ(host(least[1]), (std::vector<double>{0, 0.5, 1}));
}

}  // namespace
}  // namespace basin
