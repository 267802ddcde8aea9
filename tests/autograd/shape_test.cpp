#include <gtest/gtest.h>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "samples.h"

namespace basin {
namespace {

using test::host;
using test::numbers;
using test::random;
using test::Values;

TEST(ShapeOps, ReshapeAndFlatten) {
  const Tensor x = random({2, 3, 4});
  EXPECT_EQ(gradcheck([](const Values& v) { return square(reshape(v[0], {4, 6})); }, {x}), "");
  EXPECT_EQ(gradcheck([](const Values& v) { return square(flatten(v[0])); }, {x}), "");
  EXPECT_EQ(reshape(x, {-1, 4}).shape(), (Shape{6, 4}));
  EXPECT_EQ(flatten(x).shape(), (Shape{2, 12}));
  EXPECT_EQ(flatten(random({3})).shape(), (Shape{3, 1}));
  EXPECT_EQ(flatten(random({0, 2, 3})).shape(), (Shape{0, 6}));
  EXPECT_EQ(host(reshape(x, {24})), x.values());
}

TEST(ShapeOps, Transpose) {
  for (const std::vector<Index>& order :
       std::vector<std::vector<Index>>{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}, {0, -1, 1}}) {
    EXPECT_EQ(gradcheck([&](const Values& v) { return square(transpose(v[0], order)); }, {random({2, 3, 4})}),
              "")
        << to_string(order);
  }
  const Value x = numbers({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(host(transpose(x, {1, 0})), (std::vector<double>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(transpose(random({2, 3, 4}), {1, 2, 0}).shape(), (Shape{3, 4, 2}));
}

TEST(ShapeOps, BroadcastTo) {
  EXPECT_EQ(host(broadcast_to(numbers({1, 2}, {2, 1}), {2, 2})), (std::vector<double>{1, 1, 2, 2}));
  EXPECT_EQ(host(broadcast_to(numbers({1, 2}, {2}), {2, 2})), (std::vector<double>{1, 2, 1, 2}));
}

TEST(ShapeOps, SliceDifferentiatesAlongAnyAxis) {
  for (const Index axis : {0, 1, 2, -1}) {
    const Tensor x = random({3, 3, 3});
    for (const auto& range : std::vector<std::pair<Index, Index>>{{0, 3}, {0, 1}, {1, 2}, {1, 3}, {2, 2}}) {
      const Index begin = range.first, end = range.second;
      EXPECT_EQ(gradcheck([&](const Values& v) { return square(slice(v[0], axis, begin, end)); }, {x}), "")
          << axis << ": " << begin << " to " << end;
    }
  }
  const Value x = numbers({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(host(slice(x, 0, 1, 2)), (std::vector<double>{4, 5, 6}));
  EXPECT_EQ(host(slice(x, 1, 1, 3)), (std::vector<double>{2, 3, 5, 6}));
  EXPECT_EQ(slice(x, -1, 0, 1).shape(), (Shape{2, 1}));
}

TEST(ShapeOps, ConcatDifferentiatesAlongAnyAxis) {
  for (const Index axis : {0, 1, 2, -1}) {
    const auto part = [&](Index extent) {
      Shape shape{2, 2, 2};
      shape[static_cast<std::size_t>(axis < 0 ? axis + 3 : axis)] = extent;
      return random(shape, static_cast<std::uint64_t>(extent));
    };
    EXPECT_EQ(gradcheck([&](const Values& v) { return square(concat(v, axis)); },
                        {part(1), part(3), part(0), part(2)}),
              "")
        << axis;
  }
  const Value a = numbers({1, 2, 3, 4}, {2, 2}), b = numbers({5, 6}, {2, 1});
  EXPECT_EQ(host(concat({a, b}, 1)), (std::vector<double>{1, 2, 5, 3, 4, 6}));
  EXPECT_EQ(host(concat({a, transpose(b, {1, 0})}, 0)), (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

TEST(ShapeOps, ConcatUndoesSlice) {
  const Tensor x = random({4, 5, 2});
  for (const Index axis : {0, 1}) {
    EXPECT_EQ(
        host(concat({slice(x, axis, 0, 1), slice(x, axis, 1, 3), slice(x, axis, 3, x.dim(axis))}, axis)),
        x.values());
  }
}

TEST(ShapeOps, ConstantsLikeAValue) {
  const Value x = Value::leaf(random({2, 2}));
  EXPECT_EQ(host(zeros_like(x)), std::vector<double>(4, 0.0));
  EXPECT_EQ(host(ones_like(x)), std::vector<double>(4, 1.0));
  EXPECT_FALSE(ones_like(x).tracked());
  EXPECT_EQ(ones_like(x).placement(), x.placement());
}

}  // namespace
}  // namespace basin
