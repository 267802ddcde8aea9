#include <algorithm>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/cpu/workspace.h"

namespace basin {
namespace {

/// Numbers that are worked on while they lie in the first-level cache.
constexpr Index kBlock = 4096;

/// Calls body(begin, end) on ranges of [0, items), whole rows of `row` numbers in blocks of about kBlock.
template <class Body>
void for_each_block(Index items, Index row, const Body& body) {
  const Index rows = std::max<Index>(1, kBlock / std::max<Index>(row, 1));
  parallel_ranges(items, row, 1, [&](Index begin, Index end) {
    for (Index at = begin; at < end; at += rows) body(at, std::min(end, at + rows));
  });
}

/// y = f(y) of one thread's numbers: small enough that unary does not share them out, and gives the bits that
/// it gives for the whole.
template <class T>
void apply(CpuBackend& backend, const BiasedCall& call, T* y, Index n) {
  for (Index at = 0; at < n; at += kBlock)
    backend.unary(call.function, call.dtype, y + at, y + at, std::min(kBlock, n - at));
}

/// Rows of one number a channel.
template <class T>
void biased_rows(CpuBackend& backend, const BiasedCall& call) {
  const auto *x = static_cast<const T*>(call.x), *bias = static_cast<const T*>(call.bias);
  auto* y = static_cast<T*>(call.y);
  const Index channels = call.channels;
  for_each_block(call.outer, channels, [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const T* from = x + row * channels;
      T* to = y + row * channels;
#pragma omp simd
      for (Index c = 0; c < channels; ++c) to[c] = from[c] + bias[c];
    }
    apply(backend, call, y + begin * channels, (end - begin) * channels);
  });
}

template <class T>
void biased_as(CpuBackend& backend, const BiasedCall& call) {
  if (call.inner == 1) return biased_rows<T>(backend, call);
  const auto *x = static_cast<const T*>(call.x), *bias = static_cast<const T*>(call.bias);
  auto* y = static_cast<T*>(call.y);
  const Index inner = call.inner, channels = call.channels;
  for_each_block(call.outer * channels, inner, [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const T b = bias[row % channels];
      const T* from = x + row * inner;
      T* to = y + row * inner;
#pragma omp simd
      for (Index i = 0; i < inner; ++i) to[i] = from[i] + b;
    }
    apply(backend, call, y + begin * inner, (end - begin) * inner);
  });
}

/// f'(a) of y = f(a).
template <class T>
T slope(Unary function, T y) {
  if (function == Unary::Relu) return y > T{0} ? T{1} : T{0};
  return function == Unary::Tanh ? T{1} - y * y : y * (T{1} - y);
}

/// One row: z = gradient * f'(a); returns its sum, added up in lanes whose number is fixed.
template <Unary kFunction, class T>
T row_gradient(const T* y, const T* gradient, T* z, Index n) {
  T sum{0};
#pragma omp simd reduction(+ : sum)
  for (Index i = 0; i < n; ++i) {
    const T here = gradient[i] * slope(kFunction, y[i]);
    z[i] = here;
    sum += here;
  }
  return sum;
}

template <class T>
T row_gradient_of(Unary function, const T* y, const T* gradient, T* z, Index n) {
  if (function == Unary::Relu) return row_gradient<Unary::Relu>(y, gradient, z, n);
  if (function == Unary::Tanh) return row_gradient<Unary::Tanh>(y, gradient, z, n);
  return row_gradient<Unary::Sigmoid>(y, gradient, z, n);
}

/// f'(a) of n numbers y = f(a). That of tanh is rounded where the ops round it: its square stands in memory
/// before it is subtracted, or compilers would make one instruction of both.
template <class T>
void slopes(Unary function, const T* y, T* to, Index n) {
  if (function != Unary::Tanh) {
#pragma omp simd
    for (Index i = 0; i < n; ++i) to[i] = slope(function, y[i]);
    return;
  }
#pragma omp simd
  for (Index i = 0; i < n; ++i) to[i] = y[i] * y[i];
#pragma omp simd
  for (Index i = 0; i < n; ++i) to[i] = T{1} - to[i];
}

/// Of rows of one number a channel, with the bits of the ops: sums are taken as reduce() takes them, column
/// by column in blocks of rows.
template <class T>
void gradient_of_rows(CpuBackend& backend, const BiasedGradientCall& call) {
  constexpr Index kTogether = 128, kRows = 1024;
  const auto *y = static_cast<const T*>(call.y), *gradient = static_cast<const T*>(call.gradient);
  auto *z = static_cast<T*>(call.x), *bias = static_cast<T*>(call.bias);
  const Index channels = call.channels;
  const Workspace<double> room(backend, 2 * channels);
  double *all = room.data(), *own = all + channels;  // of all blocks, of one
  parallel_ranges(channels, call.outer, 16, [&](Index begin, Index end) {
    std::fill(all + begin, all + end, 0.0);
    for (Index start = 0; start < call.outer; start += kRows) {
      std::fill(own + begin, own + end, 0.0);
      for (Index row = start; row < std::min(call.outer, start + kRows); ++row) {
        for (Index left = begin; left < end; left += kTogether) {
          const Index at = row * channels + left, columns = std::min(kTogether, end - left);
          T slope[kTogether];
          slopes(call.function, y + at, slope, columns);
#pragma omp simd
          for (Index c = 0; c < columns; ++c) {
            z[at + c] = gradient[at + c] * slope[c];
            own[left + c] += static_cast<double>(z[at + c]);
          }
        }
      }
      for (Index c = begin; c < end; ++c) all[c] += own[c];
    }
    for (Index c = begin; c < end; ++c) bias[c] = static_cast<T>(all[c]);
  });
}

template <class T>
void gradient_as(CpuBackend& backend, const BiasedGradientCall& call) {
  if (call.inner == 1) return gradient_of_rows<T>(backend, call);
  const auto *y = static_cast<const T*>(call.y), *gradient = static_cast<const T*>(call.gradient);
  auto *z = static_cast<T*>(call.x), *bias = static_cast<T*>(call.bias);
  const Index inner = call.inner, channels = call.channels, rows = call.outer * channels;
  const Workspace<T> sums(backend, rows);
  T* row_sums = sums.data();
  parallel_ranges(rows, inner, 1, [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row)
      row_sums[row] =
          row_gradient_of(call.function, y + row * inner, gradient + row * inner, z + row * inner, inner);
  });
  parallel_ranges(channels, call.outer, 1, [&](Index begin, Index end) {
    for (Index c = begin; c < end; ++c) {
      double sum = 0.0;
      for (Index o = 0; o < call.outer; ++o) sum += static_cast<double>(row_sums[o * channels + c]);
      bias[c] = static_cast<T>(sum);
    }
  });
}

}  // namespace

void CpuBackend::biased(const BiasedCall& call) {
  if (call.dtype == Dtype::F32) biased_as<float>(*this, call);
  if (call.dtype == Dtype::F64) biased_as<double>(*this, call);
}

void CpuBackend::biased_gradient(const BiasedGradientCall& call) {
  if (call.dtype == Dtype::F32) gradient_as<float>(*this, call);
  if (call.dtype == Dtype::F64) gradient_as<double>(*this, call);
}

}  // namespace basin
