#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "samples.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::f32;
using test::f64;
using test::host;
using test::numbers;
using test::random;
using test::Values;

TEST(Indices, TakeAndCrossEntropyDifferentiate) {
  const Tensor rows = numbers({2, 0, 3}, {3}), places = numbers({0, 2, 1, 1, 2, 0}, {2, 3});
  EXPECT_EQ(gradcheck([&](const Values& v) { return square(take(v[0], rows)); }, {random({3, 4})}), "");
  EXPECT_EQ(
      gradcheck([&](const Values& v) { return categorical_cross_entropy(v[0], rows); }, {random({3, 4})}),
      "");
  EXPECT_EQ(gradcheck([&](const Values& v) { return square(categorical_cross_entropy(v[0], places)); },
                      {random({2, 3, 3})}),
            "");
  EXPECT_EQ(gradcheck([&](const Values& v) { return categorical_cross_entropy(v[0], numbers({1}, {})); },
                      {random({3})}),
            "");
}

TEST(Indices, CrossEntropyIsMinusTheLogProbability) {
  const Value x = Value::leaf(numbers({0, std::log(3.0), 1000, 1000, -1000, 0}, {3, 2}));
  const Tensor labels = numbers({1, 0, 0}, {3});
  const Value losses = categorical_cross_entropy(x, labels);
  const std::vector<double> found = host(losses), expected{std::log(4.0 / 3.0), std::log(2.0), 1000.0};
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i], expected[i], 1e-12);
  const std::vector<double> slope = host(grad(sum(losses), {x})[0]), wanted{0.25, -0.25, -0.5, 0.5, -1, 1};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(slope[i], wanted[i], 1e-12);
}

TEST(Indices, GradientIsSoftmaxMinusOneHot) {
  for (const Placement& where : {f64(), f32()}) {
    const Value x = Value::leaf(normal(Key(3), {5, 2, 70}, where));
    std::vector<double> labels;
    for (int i = 0; i < 10; ++i) labels.push_back(static_cast<double>(i * 29 % 70));
    const Tensor indices = numbers(labels, {5, 2}, where);
    const Value found = grad(sum(categorical_cross_entropy(x, indices)), {x})[0];
    const std::vector<double> rest = host(found - (softmax(x) - one_hot(indices, 70)));
    for (const double difference : rest) EXPECT_NEAR(difference, 0.0, where == f32() ? 1e-6 : 1e-14);
    EXPECT_EQ(sum(one_hot(indices, 70)).item(), 10.0);
  }
}

TEST(Indices, NothingIsNothing) {
  const Value x = Value::leaf(random({0, 3}));
  EXPECT_EQ(categorical_cross_entropy(x, numbers({}, {0})).shape(), (Shape{0}));
  EXPECT_EQ(grad(sum(categorical_cross_entropy(x, numbers({}, {0}))), {x})[0].shape(), (Shape{0, 3}));
  EXPECT_EQ(one_hot(numbers({}, {0}), 3).shape(), (Shape{0, 3}));
}

TEST(Indices, WhatIsNoIndexIsNamed) {
  const Value x = random({3, 4});
  for (const double wrong : {4.0, -1.0, 0.5, std::nan("")}) {
    try {
      categorical_cross_entropy(x, numbers({0, wrong, 1}, {3}));
      ADD_FAILURE() << wrong;
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.rfind("[categorical_cross_entropy] expected indices", 0), 0U) << text;
      EXPECT_NE(text.find("in row 1"), std::string::npos) << text;
    }
  }
  EXPECT_THROW(take(x, numbers({0, 1}, {2})), Error);
  EXPECT_THROW(take(x, numbers({0, 1, 2}, {3}, f32())), Error);
  EXPECT_THROW(take(random({}), numbers({0}, {})), Error);
  EXPECT_THROW(one_hot(numbers({3}, {1}), 3), Error);
  EXPECT_THROW(categorical_cross_entropy(x, Tensor()), Error);
}

TEST(Embedding, TakesRowsAndAddsTheirGradients) {
  const Tensor table = random({5, 3}), at = numbers({4, 0, 4, 2}, {2, 2});
  const std::vector<double> rows = table.values(), found = host(embedding(table, at));
  EXPECT_EQ(embedding(table, at).shape(), (Shape{2, 2, 3}));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(found[i], rows[12 + i]);
    EXPECT_EQ(found[9 + i], rows[6 + i]);
  }
  EXPECT_EQ(gradcheck([&](const Values& v) { return tanh(embedding(v[0], at)); }, {table}), "");
  const Value leaf = Value::leaf(table);
  EXPECT_EQ(host(grad(sum(embedding(leaf, at)), {leaf})[0]),
            (std::vector<double>{1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 2, 2, 2}));
  EXPECT_THROW(embedding(table, numbers({5}, {1})), Error);
  EXPECT_THROW(embedding(table, numbers({0.5}, {1})), Error);
  EXPECT_THROW(embedding(table, numbers({1}, {1}).to(Dtype::F32)), Error);
}

TEST(Argmax, IsTheFirstOfTheLargest) {
  EXPECT_EQ(argmax(numbers({1, 3, 3, -2, -7, -2, 0, 0, 0}, {3, 3})).values(), (std::vector<double>{1, 0, 0}));
  EXPECT_EQ(argmax(random({2, 5, 4})).shape(), (Shape{2, 5}));
  EXPECT_EQ(argmax(numbers({2, 5}, {2}, test::f32())).values(), std::vector<double>{1});
}

}  // namespace
}  // namespace basin
