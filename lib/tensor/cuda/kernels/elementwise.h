#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/backend.h"
#include "tensor/cuda/kernels/math.h"
#include "tensor/host_device.h"
#include "tensor/normal_tail.h"

namespace basin::cuda {

/// Neighbours that one thread reads at once: 16 bytes.
template <class T>
struct alignas(16) Pack {
  static constexpr Index kCount = 16 / sizeof(T);
  T at[kCount];
};

template <class T>
Index packs_of(Index n) {
  return (n + Pack<T>::kCount - 1) / Pack<T>::kCount;
}

inline bool is_aligned(const void* address) { return reinterpret_cast<std::uintptr_t>(address) % 16 == 0; }

/// y[i] = f(x[i]), a pack an item; y may be x.
template <class T, class F>
struct Map {
  const T* x;
  T* y;
  Index n;
  F f;
  bool aligned;

  Map(const void* from, void* to, Index count, F function)
      : x(static_cast<const T*>(from)),
        y(static_cast<T*>(to)),
        n(count),
        f(function),
        aligned(is_aligned(from) && is_aligned(to)) {}

  BASIN_HOST_DEVICE void operator()(Index item) const {
    constexpr Index kCount = Pack<T>::kCount;
    const Index begin = item * kCount;
    if (aligned && begin + kCount <= n) {
      Pack<T> pack = *reinterpret_cast<const Pack<T>*>(x + begin);
      for (Index k = 0; k < kCount; ++k) pack.at[k] = f(pack.at[k]);
      *reinterpret_cast<Pack<T>*>(y + begin) = pack;
      return;
    }
    for (Index i = begin; i < begin + kCount && i < n; ++i) y[i] = f(x[i]);
  }
};

/// y[i] = f(a[i], b[i]), where an input of stride 0 is one number; y may be an input of stride 1.
template <class T, class F>
struct FlatBinary {
  const T* a;
  const T* b;
  T* y;
  Index stride_a, stride_b, n;
  F f;
  bool aligned;

  FlatBinary(const void* left, Index stride_left, const void* right, Index stride_right, void* to,
             Index count, F function)
      : a(static_cast<const T*>(left)),
        b(static_cast<const T*>(right)),
        y(static_cast<T*>(to)),
        stride_a(stride_left),
        stride_b(stride_right),
        n(count),
        f(function),
        aligned(is_aligned(to) && (stride_left == 0 || is_aligned(left)) &&
                (stride_right == 0 || is_aligned(right))) {}

  BASIN_HOST_DEVICE Pack<T> load(const T* from, Index stride, Index begin) const {
    if (stride == 1) return *reinterpret_cast<const Pack<T>*>(from + begin);
    Pack<T> pack;
    for (Index k = 0; k < Pack<T>::kCount; ++k) pack.at[k] = *from;
    return pack;
  }

  BASIN_HOST_DEVICE void operator()(Index item) const {
    constexpr Index kCount = Pack<T>::kCount;
    const Index begin = item * kCount;
    if (aligned && begin + kCount <= n) {
      Pack<T> left = load(a, stride_a, begin);
      const Pack<T> right = load(b, stride_b, begin);
      for (Index k = 0; k < kCount; ++k) left.at[k] = f(left.at[k], right.at[k]);
      *reinterpret_cast<Pack<T>*>(y + begin) = left;
      return;
    }
    for (Index i = begin; i < begin + kCount && i < n; ++i) y[i] = f(a[i * stride_a], b[i * stride_b]);
  }
};

template <class T>
struct Fill {
  T* y;
  T number;
  BASIN_HOST_DEVICE void operator()(Index i) const { y[i] = number; }
};

template <class From, class To>
struct Cast {
  const From* x;
  To* y;
  BASIN_HOST_DEVICE void operator()(Index i) const { y[i] = static_cast<To>(x[i]); }
};

template <class T>
struct Scaled {
  T alpha;
  BASIN_HOST_DEVICE T operator()(T x) const { return alpha * x; }
};

/// alpha x + beta y.
template <class T>
struct ScaledSum {
  T alpha, beta;
  BASIN_HOST_DEVICE T operator()(T x, T y) const { return alpha * x + beta * y; }
};

/// A function of one number by its name.
template <Unary kOp>
struct UnaryFunction {
  template <class T>
  BASIN_HOST_DEVICE T operator()(T x) const {
    if constexpr (kOp == Unary::Neg) return -x;
    if constexpr (kOp == Unary::Exp) return math::exp(x);
    if constexpr (kOp == Unary::Log) return math::log(x);
    if constexpr (kOp == Unary::Log1p) return math::log1p(x);
    if constexpr (kOp == Unary::Sqrt) return math::square_root(x);
    if constexpr (kOp == Unary::Square) return x * x;
    if constexpr (kOp == Unary::Reciprocal) return T{1} / x;
    if constexpr (kOp == Unary::Abs) return math::absolute(x);
    if constexpr (kOp == Unary::Sign) return x > T{0} ? T{1} : x < T{0} ? T{-1} : x;  // NaN stays
    if constexpr (kOp == Unary::Step) return x > T{0} ? T{1} : T{0};
    if constexpr (kOp == Unary::Sigmoid) return math::sigmoid(x);
    if constexpr (kOp == Unary::Tanh) return math::tanh(x);
    if constexpr (kOp == Unary::Softplus) return math::softplus(x);
    if constexpr (kOp == Unary::Relu) return x < T{0} ? T{0} : x;
    if constexpr (kOp == Unary::LogNdtr) return static_cast<T>(log_normal_cdf(static_cast<double>(x)));
    if constexpr (kOp == Unary::Atan) return math::atan(x);
    if constexpr (kOp == Unary::Asinh) return math::asinh(x);
    if constexpr (kOp == Unary::Ndtr) return math::ndtr(x);
    if constexpr (kOp == Unary::Elu) return math::elu(x);
  }
};

/// A function of two numbers by its name. A NaN of either side is handed on by Max and Min.
template <Binary kOp>
struct BinaryFunction {
  template <class T>
  BASIN_HOST_DEVICE T operator()(T a, T b) const {
    if constexpr (kOp == Binary::Add) return a + b;
    if constexpr (kOp == Binary::Sub) return a - b;
    if constexpr (kOp == Binary::Mul) return a * b;
    if constexpr (kOp == Binary::Div) return a / b;
    if constexpr (kOp == Binary::Max) return a > b || a != a ? a : b;
    if constexpr (kOp == Binary::Min) return a < b || a != a ? a : b;
    if constexpr (kOp == Binary::Pow) return math::power(a, b);
    if constexpr (kOp == Binary::Less) return a < b ? T{1} : T{0};
    if constexpr (kOp == Binary::LessEqual) return a <= b ? T{1} : T{0};
    if constexpr (kOp == Binary::Equal) return a == b ? T{1} : T{0};
    if constexpr (kOp == Binary::Shrink) return a - (a > b ? b : (a < -b ? -b : a));
  }
};

/// One number of a check: the flag goes up, whoever finds it.
template <class T>
struct FailsCheck {
  const T* x;
  float* flag;
  T most;
  bool positive;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const bool passes = positive ? x[i] > T{0} : math::absolute(x[i]) <= most;
    if (!passes) *flag = 1.0f;
  }
};

}  // namespace basin::cuda
