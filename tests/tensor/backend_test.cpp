#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/kernels.h"

namespace basin {
namespace {

using test::f32;
using test::f64;
using test::kernels;
using test::kInfinity;
using test::numbers;
using test::on_any_threads;
using test::tensor;

/// Row-major strides.
Shape contiguous(const Shape& shape) {
  Shape strides(shape.size());
  Index stride = 1;
  for (std::size_t axis = shape.size(); axis-- > 0; stride *= shape[axis]) strides[axis] = stride;
  return strides;
}

/// Strides of a tensor of `from` read as the larger `shape`, aligned at the last axis.
Shape broadcast(const Shape& from, const Shape& shape) {
  Shape strides(shape.size(), 0);
  const Shape own = contiguous(from);
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (from[axis] != 1) strides[shape.size() - from.size() + axis] = own[axis];
  }
  return strides;
}

/// The elements that a walk over `shape` with `strides` meets, in order.
std::vector<Index> places(const Shape& strides, const Shape& shape) {
  std::vector<Index> result;
  for (Index at = 0; at < element_count(shape); ++at) {
    Index place = 0, rest = at;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      place += rest % shape[axis] * strides[axis];
      rest /= shape[axis];
    }
    result.push_back(place);
  }
  return result;
}

const std::vector<Index> kSizes{0, 1, 15, 37, 100003};

TEST(Fill, WritesOnlyItsElements) {
  for (const Placement where : {f32(), f64()}) {
    for (const Index n : kSizes) {
      const Tensor y = Tensor::zeros({n + 2}, where);
      kernels().fill(where.dtype, y.data(), 1.5, n);
      std::vector<double> expected(static_cast<std::size_t>(n), 1.5);
      expected.insert(expected.end(), {0.0, 0.0});
      EXPECT_EQ(y.values(), expected);
    }
  }
}

TEST(Cast, ConvertsBothWays) {
  for (const Index n : kSizes) {
    const Tensor narrow = tensor({n}, 1, f32()), wide({n}, f64()), back({n}, f32()), same({n}, f32());
    kernels().cast(Dtype::F32, narrow.data(), Dtype::F64, wide.data(), n);
    kernels().cast(Dtype::F64, wide.data(), Dtype::F32, back.data(), n);
    kernels().cast(Dtype::F32, narrow.data(), Dtype::F32, same.data(), n);
    EXPECT_EQ(wide.values(), numbers(n, 1));
    EXPECT_EQ(back.values(), numbers(n, 1));
    EXPECT_EQ(same.values(), numbers(n, 1));
  }
}

TEST(Axpby, AddsScaled) {
  for (const Placement where : {f32(), f64()}) {
    for (const Index n : kSizes) {
      const Tensor x = tensor({n}, 1, where), y = tensor({n}, 2, where);
      kernels().axpby(where.dtype, 2, x.data(), -3, y.data(), n);
      const std::vector<double> a = numbers(n, 1), b = numbers(n, 2), sums = y.values();
      for (std::size_t i = 0; i < sums.size(); ++i)
        ASSERT_NEAR(sums[i], 2 * a[i] - 3 * b[i], where == f32() ? 1e-6 : 1e-14);
    }
  }
}

TEST(Axpby, IgnoresWhatWasThereWhenBetaIsZero) {
  for (const Placement where : {f32(), f64()}) {
    const Tensor x = tensor({9}, 1, where), y = Tensor::full({9}, std::nan(""), where);
    kernels().axpby(where.dtype, 1, x.data(), 0, y.data(), 9);
    EXPECT_EQ(y.values(), x.values());
    kernels().axpby(where.dtype, 1, x.data(), 1, x.data(), 9);  // in place
    EXPECT_EQ(x.values()[3], 2 * y.values()[3]);
  }
}

struct Named {
  Binary op;
  double (*f)(double, double);
};
const std::vector<Named> kBinary{
    {Binary::Add, [](double a, double b) { return a + b; }},
    {Binary::Sub, [](double a, double b) { return a - b; }},
    {Binary::Mul, [](double a, double b) { return a * b; }},
    {Binary::Div, [](double a, double b) { return a / b; }},
    {Binary::Max, [](double a, double b) { return std::max(a, b); }},
    {Binary::Min, [](double a, double b) { return std::min(a, b); }},
    {Binary::Pow, [](double a, double b) { return std::pow(a, b); }},
    {Binary::Less, [](double a, double b) { return a < b ? 1.0 : 0.0; }},
    {Binary::LessEqual, [](double a, double b) { return a <= b ? 1.0 : 0.0; }},
    {Binary::Equal, [](double a, double b) { return a == b ? 1.0 : 0.0; }},
    {Binary::Shrink, [](double a, double b) { return a > b ? a - b : (a < -b ? a + b : 0.0); }}};

/// op(a, b) with strides against one element at a time. f32 results are those of f64, rounded, within 4 units
/// in the last place.
void check_binary(const Named& named, const Tensor& a, const Shape& strides_a, const Tensor& b,
                  const Shape& strides_b, const Shape& shape) {
  const Tensor y = Tensor::full(shape, -7, a.placement());
  kernels().binary(named.op, a.dtype(), a.data(), strides_a, b.data(), strides_b, y.data(), shape);
  const std::vector<double> values_a = a.values(), values_b = b.values(), values = y.values();
  const std::vector<Index> at_a = places(strides_a, shape), at_b = places(strides_b, shape);
  const double ulp = a.dtype() == Dtype::F32 ? 0x1p-23 : 0x1p-52;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double expected =
        named.f(values_a[static_cast<std::size_t>(at_a[i])], values_b[static_cast<std::size_t>(at_b[i])]);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(values[i]));
    } else {
      ASSERT_NEAR(values[i], expected, 4 * ulp * std::abs(expected))
          << "op " << static_cast<int>(named.op) << " at " << i;
    }
  }
}

TEST(BinaryOp, BroadcastsEveryWay) {
  struct Pattern {
    Shape a, b, shape;
  };
  const std::vector<Pattern> patterns{{{}, {}, {}},
                                      {{37, 53}, {37, 53}, {37, 53}},
                                      {{37, 53}, {53}, {37, 53}},
                                      {{53}, {37, 53}, {37, 53}},
                                      {{37, 53}, {37, 1}, {37, 53}},
                                      {{37, 1}, {1, 53}, {37, 53}},
                                      {{37, 53}, {}, {37, 53}},
                                      {{}, {}, {4, 9}},
                                      {{4, 1, 5}, {3, 1}, {4, 3, 5}},
                                      {{2, 3, 1, 5}, {3, 4, 1}, {2, 3, 4, 5}},
                                      {{0, 5}, {5}, {0, 5}},
                                      {{3, 0}, {3, 1}, {3, 0}},
                                      {{90, 401}, {401}, {90, 401}},
                                      {{90, 401}, {90, 1}, {90, 401}},
                                      {{40000}, {40000}, {40000}}};
  for (const Placement where : {f32(), f64()}) {
    for (const Pattern& pattern : patterns) {
      const Tensor a = tensor(pattern.a, 1, where), b = tensor(pattern.b, 2, where);
      for (const Named& named : kBinary) {
        check_binary(named, a, broadcast(pattern.a, pattern.shape), b, broadcast(pattern.b, pattern.shape),
                     pattern.shape);
      }
    }
  }
}

TEST(BinaryOp, ReadsAnyStrides) {
  for (const Placement where : {f32(), f64()}) {
    const Tensor a = tensor({6, 7}, 1, where), b = tensor({7, 6}, 2, where);
    check_binary(kBinary[1], a, {1, 7}, b, {6, 1}, {7, 6});           // a transposed
    check_binary(kBinary[1], a, {1, 7}, b, {0, 0}, {7, 6});           // and a constant
    check_binary(kBinary[1], a, {14, 2}, b, {1, 12}, {3, 3});         // every second element
    check_binary(kBinary[1], a, {7, 1, 0}, b, {0, 6, 1}, {6, 7, 6});  // an outer product's shape
  }
}

TEST(BinaryOp, ComparesEqualNumbers) {
  const Tensor x = tensor({40}, 1, f32());
  for (const auto& [op, expected] :
       {std::pair{Binary::Equal, 1.0}, {Binary::LessEqual, 1.0}, {Binary::Less, 0.0}}) {
    const Tensor y({40}, f32());
    kernels().binary(op, Dtype::F32, x.data(), {1}, x.data(), {1}, y.data(), {40});
    EXPECT_EQ(y.values(), std::vector<double>(40, expected));
  }
}

TEST(BinaryOp, WorksInPlace) {
  for (const Placement where : {f32(), f64()}) {
    const Tensor a = tensor({50, 3}, 1, where), b = tensor({3}, 2, where), expected({50, 3}, where);
    kernels().binary(Binary::Sub, where.dtype, a.data(), {3, 1}, b.data(), {0, 1}, expected.data(), {50, 3});
    kernels().binary(Binary::Sub, where.dtype, a.data(), {3, 1}, b.data(), {0, 1}, a.data(), {50, 3});
    EXPECT_EQ(a.values(), expected.values());
  }
}

TEST(BinaryOp, MaxAndMinHandOnNan) {
  for (const Placement where : {f32(), f64()}) {
    const double nan = std::nan("");
    const Tensor a = Tensor::from(std::vector<double>{nan, 1, nan, kInfinity, -kInfinity}, {5}, where);
    const Tensor b = Tensor::from(std::vector<double>{1, nan, nan, 2, 2}, {5}, where);
    for (const Binary op : {Binary::Max, Binary::Min}) {
      const Tensor y({5}, where);
      kernels().binary(op, where.dtype, a.data(), {1}, b.data(), {1}, y.data(), {5});
      for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(y.values()[i])) << i;
      EXPECT_EQ(y.values()[3], op == Binary::Max ? kInfinity : 2);
      EXPECT_EQ(y.values()[4], op == Binary::Max ? 2 : -kInfinity);
    }
  }
}

/// strided_copy of x from element `offset` on, against one element at a time.
void check_copy(const Tensor& x, Index offset, const Shape& strides, const Shape& shape) {
  const Tensor y = Tensor::full(shape, -7, x.placement());
  const auto* from =
      static_cast<const std::byte*>(x.data()) + static_cast<std::size_t>(offset) * byte_size(x.dtype());
  kernels().strided_copy(x.dtype(), from, strides, y.data(), shape);
  const std::vector<double> all = x.values();
  std::vector<double> expected;
  for (const Index place : places(strides, shape))
    expected.push_back(all[static_cast<std::size_t>(offset + place)]);
  EXPECT_EQ(y.values(), expected) << to_string(strides) << " over " << to_string(shape);
}

TEST(StridedCopy, PermutesAxes) {
  for (const Placement where : {f32(), f64()}) {
    for (const Shape& from : std::vector<Shape>{{1, 1},
                                                {33, 65},
                                                {64, 32},
                                                {3, 500},
                                                {500, 3},
                                                {300, 257},
                                                {5, 33, 34},
                                                {40, 41, 42},
                                                {2, 3, 4, 5},
                                                {3, 2, 40, 7},
                                                {1, 6, 1, 9},
                                                {0, 5},
                                                {5, 0, 3}}) {
      const Tensor x = tensor(from, 3, where);
      const Shape own = contiguous(from);
      std::vector<std::size_t> order(from.size());
      for (std::size_t axis = 0; axis < order.size(); ++axis) order[axis] = axis;
      do {
        Shape shape, strides;
        for (const std::size_t axis : order) {
          shape.push_back(from[axis]);
          strides.push_back(own[axis]);
        }
        check_copy(x, 0, strides, shape);
      } while (std::next_permutation(order.begin(), order.end()));
    }
  }
}

TEST(StridedCopy, BroadcastsSlicesAndReverses) {
  for (const Placement where : {f32(), f64()}) {
    const Tensor x = tensor({20, 30}, 4, where);
    check_copy(x, 0, {}, {});
    check_copy(x, 7, {0, 0}, {6, 7});     // one number everywhere
    check_copy(x, 0, {0, 1}, {50, 30});   // a row, repeated
    check_copy(x, 0, {30, 0}, {20, 50});  // a column, repeated
    check_copy(x, 0, {1, 0}, {30, 40});
    check_copy(x, 0, {1, 0, 30}, {30, 4, 20});
    check_copy(x, 65, {30, 1}, {5, 6});       // a window
    check_copy(x, 65, {1, 30}, {6, 5});       // and its transpose
    check_copy(x, 5, {60, 3}, {10, 8});       // every second row, third column
    check_copy(x, 599, {-30, -1}, {20, 30});  // reversed
    check_copy(x, 29, {30, -1}, {20, 30});
  }
}

TEST(StridedCopy, DoesNotDependOnThreads) {
  const Tensor x = tensor({300, 401}, 5, f32());
  on_any_threads([&] {
    const Tensor y({401, 300}, f32());
    kernels().strided_copy(Dtype::F32, x.data(), {1, 401}, y.data(), {401, 300});
    return y.values();
  });
}

}  // namespace
}  // namespace basin
