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

TEST(Matmul, DifferentiatesWithEveryTransposition) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      SCOPED_TRACE(std::to_string(ta) + std::to_string(tb));
      const Tensor a = random(ta ? Shape{4, 3} : Shape{3, 4}), b = random(tb ? Shape{2, 4} : Shape{4, 2}, 1);
      EXPECT_EQ(
          gradcheck(
              [=](const Values& x) { return matmul(x[0], x[1], {.transpose_a = ta, .transpose_b = tb}); },
              {a, b}),
          "");
      // Curved, so that third-order terms reach the second derivative.
      EXPECT_EQ(gradcheck(
                    [=](const Values& x) {
                      return tanh(matmul(x[0], x[1], {.transpose_a = ta, .transpose_b = tb}));
                    },
                    {a, b}),
                "");
    }
  }
}

TEST(Matmul, LeadingAxesAreRows) {
  for (const Shape& shape : {Shape{4}, Shape{1, 4}, Shape{2, 3, 4}, Shape{2, 1, 3, 4}, Shape{0, 4}}) {
    SCOPED_TRACE(to_string(shape));
    EXPECT_EQ(gradcheck([](const Values& x) { return square(matmul(x[0], x[1])); },
                        {random(shape), random({4, 2}, 1)}),
              "");
    EXPECT_EQ(gradcheck([](const Values& x) { return square(matmul(x[0], x[1], {.transpose_b = true})); },
                        {random(shape), random({2, 4}, 1)}),
              "");
  }
  EXPECT_EQ(matmul(random({2, 3, 4}), random({4, 5})).shape(), (Shape{2, 3, 5}));
}

TEST(Matmul, ValuesByHand) {
  const Value a = numbers({1, 2, 3, 4, 5, 6}, {2, 3}), b = numbers({1, 0, 0, 1, 1, 1}, {3, 2});
  const std::vector<double> expected{4, 5, 10, 11};
  EXPECT_EQ(host(matmul(a, b)), expected);
  EXPECT_EQ(host(matmul(transpose(a, {1, 0}), b, {.transpose_a = true})), expected);
  EXPECT_EQ(host(matmul(a, transpose(b, {1, 0}), {.transpose_b = true})), expected);
  EXPECT_EQ(
      host(matmul(transpose(a, {1, 0}), transpose(b, {1, 0}), {.transpose_a = true, .transpose_b = true})),
      expected);
}

TEST(Matmul, AnEmptyInnerExtentGivesZeros) {
  const Value a = Value::leaf(random({2, 0})), b = Value::leaf(random({0, 3}));
  const Value product = matmul(a, b);
  EXPECT_EQ(host(product), std::vector<double>(6, 0.0));
  EXPECT_EQ(grad(sum(product), {a})[0].shape(), (Shape{2, 0}));
}

TEST(Matmul, ASquareUsesOneValueTwice) {
  EXPECT_EQ(gradcheck([](const Values& x) { return matmul(x[0], matmul(x[0], x[0], {.transpose_a = true})); },
                      {random({3, 3})}),
            "");
}

TEST(Matmul, OneProductEach) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const Tensor a = random(ta ? Shape{3, 4, 2} : Shape{3, 2, 4}),
                   b = random(tb ? Shape{3, 5, 4} : Shape{3, 4, 5}, 1);
      const MatmulOptions options{.transpose_a = ta, .transpose_b = tb};
      const Value all = matmul(a, b, options);
      EXPECT_EQ(all.shape(), (Shape{3, 2, 5}));
      for (Index i = 0; i < 3; ++i) {
        const auto one = [&](const Tensor& x) { return x.rows(i, i + 1).reshaped({x.dim(1), x.dim(2)}); };
        EXPECT_EQ(host(slice(all, 0, i, i + 1)), host(matmul(one(a), one(b), options)));
      }
      EXPECT_EQ(gradcheck([&](const Values& v) { return tanh(matmul(v[0], v[1], options)); }, {a, b}), "");
    }
  }
  EXPECT_THROW(matmul(random({2, 3, 4}), random({3, 4, 5})), Error);
  EXPECT_THROW(matmul(random({3, 4}), random({3, 4, 5})), Error);
}

}  // namespace
}  // namespace basin
