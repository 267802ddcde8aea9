#pragma once

#include "tensor/backend.h"
#include "tensor/cuda/kernels/math.h"
#include "tensor/host_device.h"

namespace basin::cuda {

template <Unary kOp, class T>
BASIN_HOST_DEVICE T biased_function(T a) {
  if constexpr (kOp == Unary::Relu) return a < T{0} ? T{0} : a;
  if constexpr (kOp == Unary::Tanh) return math::tanh(a);
  if constexpr (kOp == Unary::Sigmoid) return math::sigmoid(a);
}

/// f'(a) of y = f(a).
template <Unary kOp, class T>
BASIN_HOST_DEVICE T biased_slope(T y) {
  if constexpr (kOp == Unary::Relu) return y > T{0} ? T{1} : T{0};
  if constexpr (kOp == Unary::Tanh) {
    const T square = y * y;
    return T{1} - square;
  }
  if constexpr (kOp == Unary::Sigmoid) return y * (T{1} - y);
}

template <Unary kOp, class T>
struct Biased {
  const T* x;
  const T* bias;
  T* y;
  Index channels, inner;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index row = inner == 1 ? i : i / inner;
    y[i] = biased_function<kOp>(x[i] + bias[row % channels]);
  }
};

/// Of one channel over outer and inner: item m is (m / inner, m % inner). Writes x as it goes.
template <Unary kOp, class T>
struct BiasedGradient {
  const T* y;
  const T* gradient;
  T* x;
  T* bias;
  Index channels, inner;
  using State = double;
  using Cursor = Index;
  BASIN_HOST_DEVICE Cursor start(Index channel) const { return channel; }
  BASIN_HOST_DEVICE State empty() const { return 0.0; }
  BASIN_HOST_DEVICE void add(State& sum, const Cursor& channel, Index m) const {
    const Index o = inner == 1 ? m : m / inner, i = m - o * inner, at = (o * channels + channel) * inner + i;
    const T here = gradient[at] * biased_slope<kOp>(y[at]);
    x[at] = here;
    sum += static_cast<double>(here);
  }
  BASIN_HOST_DEVICE void join(State& sum, const State& other) const { sum += other; }
  BASIN_HOST_DEVICE void finish(Index channel, const State& sum) const {
    bias[channel] = static_cast<T>(sum);
  }
};

}  // namespace basin::cuda
