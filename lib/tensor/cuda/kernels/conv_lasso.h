#pragma once

#include "tensor/cpu/lasso/lasso.h"
#include "tensor/cuda/kernels/math.h"
#include "tensor/host_device.h"

namespace basin::cuda {

/// What an image's moves are at: Nesterov's t, the momentum of the next move, and what moves came to.
struct ConvLassoImage {
  double t, momentum, move, length;
};

/// y - D u, u = z + momentum (z - previous), or y - D z where there is no momentum.
template <class T>
struct ConvLassoResidual {
  const T* y;
  const T* image;
  const T* previous;
  T* residual;
  const ConvLassoImage* images;  // null: of z
  Index size;                    // of an image
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const T beta = images == nullptr ? T{0} : static_cast<T>(images[i / size].momentum), now = image[i];
    residual[i] = y[i] - (beta == T{0} ? now : math::fma(beta, now - previous[i], now));
  }
};

/// Sums of a move.
struct ConvLassoMoveSums {
  double uphill, move, length;
};

/// z+ = shrink(u - step f'(u), step lambda) into `previous`, from correlations = D'(y - D u).
template <class T>
struct ConvLassoMove {
  const T* z;
  T* previous;
  const T* correlations;
  const T* target;  // may be null
  ConvLassoImage* images;
  Index size;  // of an image's codes
  T weight, attraction, step, threshold;
  bool non_negative, accelerate, restart, first;
  using State = ConvLassoMoveSums;
  struct Cursor {
    Index at;
    T beta;
  };
  BASIN_HOST_DEVICE Cursor start(Index n) const { return {n * size, static_cast<T>(images[n].momentum)}; }
  BASIN_HOST_DEVICE State empty() const { return {0.0, 0.0, 0.0}; }
  BASIN_HOST_DEVICE void add(State& sums, const Cursor& cursor, Index m) const {
    const Index i = cursor.at + m;
    const T now = z[i], u = cursor.beta == T{0} ? now : math::fma(cursor.beta, now - previous[i], now);
    T v = math::fma(step * weight, correlations[i], u);
    if (target != nullptr) v = math::fma(-(step * attraction), u - target[i], v);
    T next;
    if (non_negative) {
      const T above = v - threshold;
      next = above < T{0} ? T{0} : above;
    } else {
      const T clipped = threshold < v ? threshold : v;
      next = v - (-threshold > clipped ? -threshold : clipped);
    }
    previous[i] = next;
    const T change = next - now;
    sums.uphill += static_cast<double>((u - next) * change);
    sums.move += static_cast<double>(change * change);
    sums.length += static_cast<double>(now * now);
  }
  BASIN_HOST_DEVICE void join(State& sums, const State& other) const {
    sums.uphill += other.uphill;
    sums.move += other.move;
    sums.length += other.length;
  }
  BASIN_HOST_DEVICE void finish(Index n, const State& sums) const {
    ConvLassoImage& own = images[n];
    own.t = first || (restart && sums.uphill > 0.0) ? 1.0 : next_t(own.t);
    own.momentum = accelerate ? (own.t - 1.0) / next_t(own.t) : 0.0;
    own.move = sums.move;
    own.length = sums.length > own.length ? sums.length : own.length;
  }
};

/// Sums of codes as they are, six numbers an image: residual, product, deviation, along, norm, largest.
struct ConvLassoMeasured {
  double residual, product, deviation, along, norm, largest;
};

template <class T>
struct ConvLassoMeasure {
  const T* z;
  const T* correlations;
  const T* target;
  ConvLassoMeasured* sums;
  Index size;
  T weight, attraction;
  bool non_negative;
  using State = ConvLassoMeasured;
  using Cursor = Index;
  BASIN_HOST_DEVICE Cursor start(Index n) const { return n * size; }
  BASIN_HOST_DEVICE State empty() const { return {0.0, 0.0, 0.0, 0.0, 0.0, 0.0}; }
  BASIN_HOST_DEVICE void add(State& state, const Cursor& at, Index m) const {
    const T now = z[at + m], correlation = correlations[at + m];
    T descent = weight * correlation;
    if (target != nullptr) {
      const T away = now - target[at + m];
      descent = math::fma(-attraction, away, descent);
      state.deviation += static_cast<double>(away * away);
      state.along += static_cast<double>(now * away);
    }
    state.product += static_cast<double>(now * correlation);
    state.norm += static_cast<double>(math::absolute(now));
    larger(state.largest, static_cast<double>(non_negative ? descent : math::absolute(descent)));
  }
  BASIN_HOST_DEVICE void join(State& state, const State& other) const {
    state.product += other.product;
    state.deviation += other.deviation;
    state.along += other.along;
    state.norm += other.norm;
    larger(state.largest, other.largest);
  }
  BASIN_HOST_DEVICE void finish(Index n, const State& state) const {
    ConvLassoMeasured& own = sums[n];  // its residual is another kernel's
    own.product = state.product;
    own.deviation = state.deviation;
    own.along = state.along;
    own.norm = state.norm;
    own.largest = state.largest;
  }
  BASIN_HOST_DEVICE static void larger(double& most, double other) { most = other > most ? other : most; }
};

template <class T>
struct ConvLassoResidualNorm {
  const T* residual;
  ConvLassoMeasured* sums;
  Index size;
  using State = double;
  using Cursor = Index;
  BASIN_HOST_DEVICE Cursor start(Index n) const { return n * size; }
  BASIN_HOST_DEVICE State empty() const { return 0.0; }
  BASIN_HOST_DEVICE void add(State& sum, const Cursor& at, Index m) const {
    const auto here = static_cast<double>(residual[at + m]);
    sum += here * here;
  }
  BASIN_HOST_DEVICE void join(State& sum, const State& other) const { sum += other; }
  BASIN_HOST_DEVICE void finish(Index n, const State& sum) const { sums[n].residual = sum; }
};

}  // namespace basin::cuda
