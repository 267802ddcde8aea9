#include "autograd/gradient.h"

#include <gtest/gtest.h>

#include <limits>

#include "samples.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::numbers;
using test::random;

/// The gradient by the ops.
Value reference(const Tensor& dense, const std::vector<OuterProduct>& products) {
  Value total = dense;
  for (const OuterProduct& p : products)
    total = total + matmul(p.left, p.right, {.transpose_a = true}) * p.scale;
  return total;
}

void expect_near(const Tensor& received, const Value& expected) {
  ASSERT_EQ(received.shape(), expected.shape());
  const std::vector<double> a = received.values(), b = expected.tensor().values();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-12) << i;
}

TEST(Gradient, EqualsDensePlusProducts) {
  const Tensor dense = random({4, 3});
  const std::vector<OuterProduct> products = {{2.0, random({5, 4}, 1), random({5, 3}, 2)},
                                              {-0.5, random({2, 4}, 3), random({2, 3}, 4)}};
  Gradient all(dense), sparse;
  for (const OuterProduct& p : products) {
    all.add(p);
    sparse.add(p);
  }
  expect_near(all.to_tensor({4, 3}), reference(dense, products));
  expect_near(sparse.to_tensor({4, 3}), reference(Tensor::zeros({4, 3}, test::f64()), products));
  expect_near(Gradient(dense).to_tensor({4, 3}), dense);
  EXPECT_EQ(all.products().size(), 2U);

  for (const Gradient* g : {&all, &sparse}) {
    for (const double beta : {0.0, 1.0, 0.9}) {
      const Tensor y = random({4, 3}, 9), before = y.clone();
      g->accumulate(y, -0.1, beta);
      expect_near(y, Value(g->to_tensor({4, 3})) * -0.1 + Value(before) * beta);
    }
  }
}

TEST(Gradient, ProductsFillATensorOfAnyShapeOfThatSize) {
  const OuterProduct p{1.0, random({5, 4}, 1), random({5, 3}, 2)};
  expect_near(Gradient().add(p).to_tensor({2, 2, 3}),
              reshape(reference(Tensor::zeros({4, 3}, test::f64()), {p}), {2, 2, 3}));
}

TEST(Gradient, WithNothingInItScales) {
  const Tensor y = numbers({1, 2}, {2});
  Gradient().accumulate(y, 1.0, 0.5);
  EXPECT_EQ(y.values(), (std::vector<double>{0.5, 1}));
  Gradient().accumulate(y, 1.0, 1.0);
  EXPECT_EQ(y.values(), (std::vector<double>{0.5, 1}));
  y.fill(std::numeric_limits<double>::quiet_NaN());
  Gradient().accumulate(y, 1.0, 0.0);
  EXPECT_EQ(y.values(), (std::vector<double>{0, 0}));
  EXPECT_EQ(Gradient().to_tensor({2}).values(), (std::vector<double>{0, 0}));
}

TEST(Gradient, AnEmptyBatchAddsNothing) {
  const Tensor y = numbers({1, 2}, {2, 1});
  const Gradient g = Gradient().add({1.0, random({0, 2}), random({0, 1})});
  g.accumulate(y, 1.0, 0.5);
  EXPECT_EQ(y.values(), (std::vector<double>{0.5, 1}));
  y.fill(std::numeric_limits<double>::quiet_NaN());
  g.accumulate(y, 1.0, 0.0);
  EXPECT_EQ(y.values(), (std::vector<double>{0, 0}));
}

TEST(Gradient, RefusesWhatDoesNotFit) {
  EXPECT_THROW(Gradient().add({1.0, random({5, 4}), random({4, 3})}), Error);
  EXPECT_THROW(Gradient().add({1.0, random({5}), random({5, 3})}), Error);
  EXPECT_THROW(Gradient().add({1.0, random({5, 4}), random({5, 3}).to(Dtype::F32)}), Error);
  EXPECT_THROW(Gradient(random({2, 2})).accumulate(random({4}), 1.0, 0.0), Error);
  EXPECT_THROW(Gradient(random({2})).accumulate(random({2}).to(Dtype::F32), 1.0, 0.0), Error);
  EXPECT_THROW(Gradient(random({2})).accumulate(Tensor(), 1.0, 0.0), Error);
  EXPECT_THROW(Gradient().add({1.0, random({5, 4}), random({5, 3})}).accumulate(random({4, 4}), 1.0, 0.0),
               Error);
}

}  // namespace
}  // namespace basin
