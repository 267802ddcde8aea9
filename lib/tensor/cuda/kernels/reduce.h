#pragma once

#include <limits>

#include "tensor/backend.h"
#include "tensor/cuda/kernels/math.h"
#include "tensor/host_device.h"

namespace basin::cuda {

/// x[outer, middle, inner] seen from an output: where its items begin.
template <class T>
struct Middle {
  const T* x;
  Index middle, inner;
  BASIN_HOST_DEVICE const T* start(Index output) const {
    const Index o = output / inner;
    return x + o * middle * inner + (output - o * inner);
  }
};

/// Sums are f64.
template <class T>
struct Sum : Middle<T> {
  T* y;
  using State = double;
  using Cursor = const T*;
  Sum(const T* x, T* to, Index middle, Index inner) : Middle<T>{x, middle, inner}, y(to) {}
  BASIN_HOST_DEVICE State empty() const { return 0.0; }
  BASIN_HOST_DEVICE void add(State& sum, Cursor from, Index m) const {
    sum += static_cast<double>(from[m * this->inner]);
  }
  BASIN_HOST_DEVICE void join(State& sum, const State& other) const { sum += other; }
  BASIN_HOST_DEVICE void finish(Index output, const State& sum) const { y[output] = static_cast<T>(sum); }
};

/// A NaN stays.
template <class T>
struct Largest : Middle<T> {
  T* y;
  using State = T;
  using Cursor = const T*;
  Largest(const T* x, T* to, Index middle, Index inner) : Middle<T>{x, middle, inner}, y(to) {}
  BASIN_HOST_DEVICE State empty() const { return -std::numeric_limits<T>::infinity(); }
  BASIN_HOST_DEVICE void add(State& top, Cursor from, Index m) const { join(top, from[m * this->inner]); }
  BASIN_HOST_DEVICE void join(State& top, const State& other) const {
    top = top > other || top != top ? top : other;
  }
  BASIN_HOST_DEVICE void finish(Index output, const State& top) const { y[output] = top; }
};

/// log sum exp in one pass: `sum` is that of exp(x - top).
template <class T>
struct LogSumExpState {
  double sum;
  T top;
  T unused;  // whole words, and nothing undefined among them
};

template <class T>
struct LogSumExp : Middle<T> {
  T* y;
  using State = LogSumExpState<T>;
  using Cursor = const T*;
  LogSumExp(const T* x, T* to, Index middle, Index inner) : Middle<T>{x, middle, inner}, y(to) {}
  BASIN_HOST_DEVICE State empty() const { return {0.0, -std::numeric_limits<T>::infinity(), T{0}}; }
  BASIN_HOST_DEVICE void add(State& state, Cursor from, Index m) const {
    join(state, State{1.0, from[m * this->inner], T{0}});
  }
  BASIN_HOST_DEVICE void join(State& state, const State& other) const {
    constexpr T kNone = -std::numeric_limits<T>::infinity();
    if (other.top == kNone || state.top != state.top) return;
    if (other.top == state.top) {  // infinities have no difference
      state.sum += other.sum;
    } else if (other.top < state.top) {
      state.sum += other.sum * static_cast<double>(math::exp(other.top - state.top));
    } else {
      state.sum =
          other.sum +
          (state.top == kNone ? 0.0 : state.sum * static_cast<double>(math::exp(state.top - other.top)));
      state.top = other.top;
    }
  }
  BASIN_HOST_DEVICE void finish(Index output, const State& state) const {
    const bool finite = math::absolute(state.top) < std::numeric_limits<T>::infinity();
    y[output] = finite ? static_cast<T>(static_cast<double>(state.top) + ::log(state.sum)) : state.top;
  }
};

/// sums[j] = alpha sum_n x[n, j] + beta sums[j].
template <class T>
struct ColumnSums {
  const T* x;
  T* sums;
  Index columns;
  double alpha, beta;
  using State = double;
  using Cursor = const T*;
  BASIN_HOST_DEVICE Cursor start(Index j) const { return x + j; }
  BASIN_HOST_DEVICE State empty() const { return 0.0; }
  BASIN_HOST_DEVICE void add(State& sum, Cursor from, Index n) const {
    sum += static_cast<double>(from[n * columns]);
  }
  BASIN_HOST_DEVICE void join(State& sum, const State& other) const { sum += other; }
  BASIN_HOST_DEVICE void finish(Index j, const State& sum) const {
    sums[j] = static_cast<T>(alpha * sum + (beta == 0.0 ? 0.0 : beta * static_cast<double>(sums[j])));
  }
};

/// *y += a . b
template <class T>
struct Dot {
  const T* a;
  const T* b;
  double* y;
  using State = double;
  using Cursor = Index;
  BASIN_HOST_DEVICE Cursor start(Index) const { return 0; }
  BASIN_HOST_DEVICE State empty() const { return 0.0; }
  BASIN_HOST_DEVICE void add(State& sum, Cursor, Index i) const {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  BASIN_HOST_DEVICE void join(State& sum, const State& other) const { sum += other; }
  BASIN_HOST_DEVICE void finish(Index, const State& sum) const { *y += sum; }
};

/// What brings the norm of x[o, :, i] to the limit, 1 where it is not above; NaN stays NaN.
template <class T>
struct Shortening : Middle<T> {
  T* factor;
  double limit;
  using State = double;
  using Cursor = const T*;
  Shortening(const T* x, T* to, Index middle, Index inner, double most)
      : Middle<T>{x, middle, inner}, factor(to), limit(most) {}
  BASIN_HOST_DEVICE State empty() const { return 0.0; }
  BASIN_HOST_DEVICE void add(State& sum, Cursor from, Index m) const {
    const auto value = static_cast<double>(from[m * this->inner]);
    sum += value * value;
  }
  BASIN_HOST_DEVICE void join(State& sum, const State& other) const { sum += other; }
  BASIN_HOST_DEVICE void finish(Index output, const State& sum) const {
    factor[output] = sum <= limit * limit ? T{1} : static_cast<T>(limit / ::sqrt(sum));
  }
};

template <class T>
struct Shorten {
  T* x;
  const T* factor;
  Index middle, inner;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index row = i / inner, o = row / middle;
    const T scale = factor[o * inner + (i - row * inner)];
    if (scale != T{1}) x[i] *= scale;
  }
};

/// y[n] += sum_j softplus(to t) - softplus(from t), t = x[n, j] + bias[j].
template <class T>
struct SoftplusDifference {
  const T* x;
  const T* bias;
  Index columns;
  T from, to;
  double* y;
  using State = double;
  using Cursor = const T*;
  BASIN_HOST_DEVICE Cursor start(Index n) const { return x + n * columns; }
  BASIN_HOST_DEVICE State empty() const { return 0.0; }
  BASIN_HOST_DEVICE void add(State& sum, Cursor row, Index j) const {
    const T t = row[j] + bias[j];
    sum += static_cast<double>(math::softplus(to * t)) - static_cast<double>(math::softplus(from * t));
  }
  BASIN_HOST_DEVICE void join(State& sum, const State& other) const { sum += other; }
  BASIN_HOST_DEVICE void finish(Index n, const State& sum) const { y[n] += sum; }
};

/// Where the first of a row's largest lies.
template <class T>
struct Peak {
  Index column;
  T value;
  T unused;
};

/// Marks it in y, which is zero. A NaN counts as -infinity.
template <class T>
struct MarkLargest {
  const T* x;
  T* y;
  Index columns;
  using State = Peak<T>;
  using Cursor = const T*;
  BASIN_HOST_DEVICE Cursor start(Index row) const { return x + row * columns; }
  BASIN_HOST_DEVICE State empty() const { return {columns, -std::numeric_limits<T>::infinity(), T{0}}; }
  BASIN_HOST_DEVICE void add(State& best, Cursor row, Index c) const {
    const T value = row[c];
    join(best, State{c, value != value ? -std::numeric_limits<T>::infinity() : value, T{0}});
  }
  BASIN_HOST_DEVICE void join(State& best, const State& other) const {
    if (other.value > best.value || (other.value == best.value && other.column < best.column)) best = other;
  }
  BASIN_HOST_DEVICE void finish(Index row, const State& best) const {
    if (best.column < columns) y[row * columns + best.column] = T{1};
  }
};

}  // namespace basin::cuda
