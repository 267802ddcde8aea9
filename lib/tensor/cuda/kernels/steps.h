#pragma once

#include "tensor/backend.h"
#include "tensor/cuda/kernels/math.h"
#include "tensor/host_device.h"

namespace basin::cuda {

template <class T>
struct Momentum {
  const T* gradient;
  T* velocity;
  T* parameter;
  T rate, momentum, decay;
  Momentum() = default;
  explicit Momentum(const MomentumCall& call)
      : gradient(static_cast<const T*>(call.gradient)),
        velocity(static_cast<T*>(call.velocity)),
        parameter(static_cast<T*>(call.parameter)),
        rate(static_cast<T>(call.rate)),
        momentum(static_cast<T>(call.momentum)),
        decay(static_cast<T>(call.decay)) {}
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const T p = parameter[i], v = momentum * velocity[i] + rate * gradient[i] - decay * p;
    velocity[i] = v;
    parameter[i] = p + v;
  }
};

template <class T>
struct Adaptive {
  const T* gradient;
  T* mean;
  T* square;
  T* parameter;
  T mean_keep, mean_share, square_keep, square_share, rate, scale, epsilon, keep;
  Adaptive() = default;
  explicit Adaptive(const AdaptiveCall& call)
      : gradient(static_cast<const T*>(call.gradient)),
        mean(static_cast<T*>(call.mean)),
        square(static_cast<T*>(call.square)),
        parameter(static_cast<T*>(call.parameter)),
        mean_keep(static_cast<T>(call.mean_keep)),
        mean_share(static_cast<T>(call.mean_share)),
        square_keep(static_cast<T>(call.square_keep)),
        square_share(static_cast<T>(call.square_share)),
        rate(static_cast<T>(call.rate)),
        scale(static_cast<T>(call.scale)),
        epsilon(static_cast<T>(call.epsilon)),
        keep(static_cast<T>(call.keep)) {}
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const T g = gradient[i];
    T m = g;
    if (mean != nullptr) {
      m = mean_share * g + mean_keep * mean[i];
      mean[i] = m;
    }
    const T s = square_share * (g * g) + square_keep * square[i];
    square[i] = s;
    parameter[i] = keep * parameter[i] - rate * (m / (math::square_root(scale * s) + epsilon));
  }
};

template <class T>
struct Restrain {
  const T* gradient;
  const T* parameter;
  T* y;
  T scale, limit, l1, l2;
  explicit Restrain(const RestrainCall& call)
      : gradient(static_cast<const T*>(call.gradient)),
        parameter(static_cast<const T*>(call.parameter)),
        y(static_cast<T*>(call.y)),
        scale(static_cast<T>(call.scale)),
        limit(static_cast<T>(call.limit)),
        l1(static_cast<T>(call.l1)),
        l2(static_cast<T>(call.l2)) {}
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const T g = scale * gradient[i], p = parameter[i];
    const T clamped = g > limit ? limit : g < -limit ? -limit : g;
    const T sign = p > T{0} ? T{1} : p < T{0} ? T{-1} : T{0};
    y[i] = clamped + l2 * p + l1 * sign;
  }
};

/// Steps of several parameters one after another, as many as a launch can hold: item i belongs to the first
/// step whose end lies beyond it.
template <class Step>
struct StepsTogether {
  static constexpr int kMost = 32;
  int count = 0;
  Index ends[kMost] = {};
  Step steps[kMost] = {};

  void add(const Step& step, Index n) {
    ends[count] = end() + n;
    steps[count++] = step;
  }
  Index end() const { return count == 0 ? 0 : ends[count - 1]; }

  BASIN_HOST_DEVICE void operator()(Index i) const {
    int which = 0;
    for (int last = count - 1; which < last;) {
      const int middle = (which + last) / 2;
      if (i < ends[middle]) {
        last = middle;
      } else {
        which = middle + 1;
      }
    }
    steps[which](which == 0 ? i : i - ends[which - 1]);
  }
};

}  // namespace basin::cuda
