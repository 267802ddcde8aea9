#include <cmath>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/strides.h"

namespace basin {
namespace {

constexpr auto kAdd = [](auto a, auto b) { return a + b; };
constexpr auto kSub = [](auto a, auto b) { return a - b; };
constexpr auto kMul = [](auto a, auto b) { return a * b; };
constexpr auto kDiv = [](auto a, auto b) { return a / b; };
constexpr auto kPow = [](auto a, auto b) { return std::pow(a, b); };
// A NaN of either side is handed on, so that a broken number is never hidden.
constexpr auto kMax = [](auto a, auto b) { return a > b || a != a ? a : b; };
constexpr auto kMin = [](auto a, auto b) { return a < b || a != a ? a : b; };
constexpr auto kLess = [](auto a, auto b) { return a < b ? decltype(a){1} : decltype(a){0}; };
constexpr auto kLessEqual = [](auto a, auto b) { return a <= b ? decltype(a){1} : decltype(a){0}; };
constexpr auto kEqual = [](auto a, auto b) { return a == b ? decltype(a){1} : decltype(a){0}; };

// x less x clamped to [-t, t], since a choice between numbers becomes vector code and one between sums does
// not. A NaN is handed on.
constexpr auto kShrink = [](auto x, auto t) { return x - (x > t ? t : (x < -t ? -t : x)); };

/// One run along the last axis; y may be a or b themselves (same place, same stride).
template <class Op, class T>
void run(Op op, const T* a, Index stride_a, const T* b, Index stride_b, T* y, Index n) {
  if (stride_a == 1 && stride_b == 1) {
#pragma omp simd
    for (Index i = 0; i < n; ++i) y[i] = op(a[i], b[i]);
  } else if (stride_a == 1 && stride_b == 0) {
    const T constant = *b;
#pragma omp simd
    for (Index i = 0; i < n; ++i) y[i] = op(a[i], constant);
  } else if (stride_a == 0 && stride_b == 1) {
    const T constant = *a;
#pragma omp simd
    for (Index i = 0; i < n; ++i) y[i] = op(constant, b[i]);
  } else {
    for (Index i = 0; i < n; ++i) y[i] = op(a[i * stride_a], b[i * stride_b]);
  }
}

template <class T, class Op>
void binary_as(Op op, const void* a, const Shape& strides_a, const void* b, const Shape& strides_b, void* y,
               const Shape& shape) {
  const Walk<2> walk(shape, {&strides_a, &strides_b});
  const auto* from_a = static_cast<const T*>(a);
  const auto* from_b = static_cast<const T*>(b);
  auto* to = static_cast<T*>(y);
  const Index stride_a = walk.strides[0].back(), stride_b = walk.strides[1].back();
  parallel_ranges(walk.total, 1, 16, [&](Index begin, Index end) {
    walk.runs(begin, end, [&](const auto& offsets, Index at, Index count) {
      run(op, from_a + offsets[0], stride_a, from_b + offsets[1], stride_b, to + at, count);
    });
  });
}

template <class T>
void dispatch(Binary op, const void* a, const Shape& sa, const void* b, const Shape& sb, void* y,
              const Shape& shape) {
  switch (op) {
    case Binary::Add:
      return binary_as<T>(kAdd, a, sa, b, sb, y, shape);
    case Binary::Sub:
      return binary_as<T>(kSub, a, sa, b, sb, y, shape);
    case Binary::Mul:
      return binary_as<T>(kMul, a, sa, b, sb, y, shape);
    case Binary::Div:
      return binary_as<T>(kDiv, a, sa, b, sb, y, shape);
    case Binary::Max:
      return binary_as<T>(kMax, a, sa, b, sb, y, shape);
    case Binary::Min:
      return binary_as<T>(kMin, a, sa, b, sb, y, shape);
    case Binary::Pow:
      return binary_as<T>(kPow, a, sa, b, sb, y, shape);
    case Binary::Less:
      return binary_as<T>(kLess, a, sa, b, sb, y, shape);
    case Binary::LessEqual:
      return binary_as<T>(kLessEqual, a, sa, b, sb, y, shape);
    case Binary::Equal:
      return binary_as<T>(kEqual, a, sa, b, sb, y, shape);
    case Binary::Shrink:
      return binary_as<T>(kShrink, a, sa, b, sb, y, shape);
  }
}

}  // namespace

void CpuBackend::binary(Binary op, Dtype dtype, const void* a, const Shape& strides_a, const void* b,
                        const Shape& strides_b, void* y, const Shape& shape) {
  if (dtype == Dtype::F32) {
    dispatch<float>(op, a, strides_a, b, strides_b, y, shape);
  } else {
    dispatch<double>(op, a, strides_a, b, strides_b, y, shape);
  }
}

}  // namespace basin
