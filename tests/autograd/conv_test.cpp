#include <gtest/gtest.h>

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

double dot(const Value& a, const Value& b) { return sum(a * b).item(); }

TEST(Conv2d, DifferentiatesWithEveryPadding) {
  for (const Conv2dOptions options :
       {Conv2dOptions{}, Conv2dOptions{{1, 2}}, Conv2dOptions{{2, 1}}, Conv2dOptions{{3, 0}}}) {
    const Tensor x = random({2, 2, 5, 4}), w = random({3, 2, 3, 2}, 1);
    const Shape out = conv2d(x, w, options).shape();
    const Tensor y = random(out, 2);
    EXPECT_EQ(gradcheck([&](const Values& v) { return conv2d(v[0], v[1], options); }, {x, w}), "");
    EXPECT_EQ(gradcheck([&](const Values& v) { return conv_transpose2d(v[0], v[1], options); }, {y, w}), "");
    EXPECT_EQ(gradcheck([&](const Values& v) { return conv2d_filter(v[0], v[1], options); }, {x, y}), "");
    // Curved, so that third-order terms reach the second derivative.
    EXPECT_EQ(gradcheck([&](const Values& v) { return tanh(conv2d(v[0], v[1], options)); }, {x, w}), "");
  }
}

TEST(Conv2d, TheThreeProductsAreOneTrilinearForm) {
  const Conv2dOptions options{{2, 0}};
  const Value x = random({3, 2, 6, 7}), w = random({4, 2, 3, 4}, 1), y = random({3, 4, 8, 4}, 2);
  const double form = dot(conv2d(x, w, options), y);
  EXPECT_NEAR(form, dot(x, conv_transpose2d(y, w, options)), 1e-10);
  EXPECT_NEAR(form, dot(w, conv2d_filter(x, y, options)), 1e-10);
}

TEST(Conv2d, ValuesByHand) {
  const Value x = numbers({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 3, 3}),
              w = numbers({1, 10, 100, 1000}, {1, 1, 2, 2});
  EXPECT_EQ(host(conv2d(x, w)), (std::vector<double>{5421, 6532, 8754, 9865}));
  const Value y = numbers({1, 0, 0, 2}, {1, 1, 2, 2});
  EXPECT_EQ(host(conv_transpose2d(y, w)), (std::vector<double>{1, 10, 0, 100, 1002, 20, 0, 200, 2000}));
  EXPECT_EQ(host(conv2d_filter(x, y)), (std::vector<double>{11, 14, 20, 23}));
  EXPECT_EQ(conv2d(x, w, {{1, 1}}).shape(), (Shape{1, 1, 4, 4}));
}

TEST(Conv2d, ThirdDerivative) {
  // sum((w * x)^3) of 1 x 1 images and filters is w^3 x^3: its third derivative in w is 6 x^3.
  const Value x = numbers({2}, {1, 1, 1, 1}), w = Value::leaf(numbers({3}, {1, 1, 1, 1}));
  const Value y = conv2d(x, w);
  Value g = sum(y * y * y);
  for (int order = 0; order < 3; ++order) g = grad(sum(g), {w}, {.differentiable = true})[0];
  EXPECT_NEAR(g.item(), 48.0, 1e-9);
}

TEST(Conv2d, EmptyBatchesGiveZeros) {
  const Value x = Value::leaf(random({0, 2, 5, 5})), w = Value::leaf(random({3, 2, 2, 2}));
  const Value y = conv2d(x, w);
  EXPECT_EQ(y.shape(), (Shape{0, 3, 4, 4}));
  EXPECT_EQ(host(grad(sum(y), {w})[0]), std::vector<double>(24, 0.0));
}

TEST(Conv2d, RefusesWhatDoesNotFit) {
  const Value x = random({1, 2, 4, 4}), w = random({3, 2, 3, 3});
  EXPECT_THROW(conv2d(x, random({3, 1, 3, 3})), Error);
  EXPECT_THROW(conv2d(x, random({3, 2, 5, 3})), Error);
  EXPECT_NO_THROW(conv2d(x, random({3, 2, 5, 3}), {{1, 0}}));
  EXPECT_THROW(conv2d(x, w, {{-1, 0}}), Error);
  EXPECT_THROW(conv2d(random({2, 4, 4}), w), Error);
  EXPECT_THROW(conv2d(x, Value(random({3, 2, 3, 3})).tensor().to(Dtype::F32)), Error);
  EXPECT_THROW(conv_transpose2d(x, w), Error);
  EXPECT_THROW(conv_transpose2d(random({1, 3, 1, 1}), w, {{2, 2}}), Error);
  EXPECT_THROW(conv2d_filter(x, random({2, 3, 2, 2})), Error);
  EXPECT_THROW(conv2d_filter(x, random({1, 3, 6, 2})), Error);
}

}  // namespace
}  // namespace basin
