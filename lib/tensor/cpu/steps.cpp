#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

/// Elements of a cache line of floats: ranges end there so that no two threads write to one line.
constexpr Index kLine = 16;

/// Numbers of a block of a dot product: partial sums of blocks are added in their order, whoever made them.
constexpr Index kRun = 16384;
constexpr Index kLanes = 16;

/// Columns whose norms are taken together.
constexpr Index kColumns = 64;

/// A root and a division an element.
constexpr Index kAdaptiveCost = 4;

template <class T>
void momentum_as(const MomentumCall& call) {
  const auto* gradient = static_cast<const T*>(call.gradient);
  auto* velocity = static_cast<T*>(call.velocity);
  auto* parameter = static_cast<T*>(call.parameter);
  const T rate = static_cast<T>(call.rate), momentum = static_cast<T>(call.momentum),
          decay = static_cast<T>(call.decay);
  parallel_ranges(call.n, 1, kLine, [=](Index begin, Index end) {
#pragma omp simd
    for (Index i = begin; i < end; ++i) {
      const T v = momentum * velocity[i] + rate * gradient[i] - decay * parameter[i];
      velocity[i] = v;
      parameter[i] += v;
    }
  });
}

template <class T>
void adaptive_as(const AdaptiveCall& call) {
  const auto* gradient = static_cast<const T*>(call.gradient);
  auto* mean = static_cast<T*>(call.mean);
  auto* square = static_cast<T*>(call.square);
  auto* parameter = static_cast<T*>(call.parameter);
  const T mean_keep = static_cast<T>(call.mean_keep), mean_share = static_cast<T>(call.mean_share),
          square_keep = static_cast<T>(call.square_keep), square_share = static_cast<T>(call.square_share),
          down = static_cast<T>(-call.rate), scale = static_cast<T>(call.scale),
          epsilon = static_cast<T>(call.epsilon), keep = static_cast<T>(call.keep);
  parallel_ranges(call.n, kAdaptiveCost, kLine, [=](Index begin, Index end) {
    const auto divided = [=](T m, Index i) {
      const T g = gradient[i], squared = g * g;
      const T s = square_share * squared + square_keep * square[i];
      square[i] = s;
      const T step = m / (std::sqrt(scale * s) + epsilon);
      parameter[i] = down * step + keep * parameter[i];
    };
    if (mean == nullptr) {
#pragma omp simd
      for (Index i = begin; i < end; ++i) divided(gradient[i], i);
    } else {
#pragma omp simd
      for (Index i = begin; i < end; ++i) {
        const T m = mean_share * gradient[i] + mean_keep * mean[i];
        mean[i] = m;
        divided(m, i);
      }
    }
  });
}

template <class T>
void restrain_as(const RestrainCall& call) {
  const auto* gradient = static_cast<const T*>(call.gradient);
  const auto* parameter = static_cast<const T*>(call.parameter);
  auto* y = static_cast<T*>(call.y);
  const T scale = static_cast<T>(call.scale), limit = static_cast<T>(call.limit),
          l1 = static_cast<T>(call.l1), l2 = static_cast<T>(call.l2);
  parallel_ranges(call.n, 1, kLine, [=](Index begin, Index end) {
#pragma omp simd
    for (Index i = begin; i < end; ++i) {
      const T g = scale * gradient[i], p = parameter[i];
      const T clamped = g > limit ? limit : g < -limit ? -limit : g;
      const T sign = p > T{0} ? T{1} : p < T{0} ? T{-1} : T{0};
      y[i] = clamped + l2 * p + l1 * sign;
    }
  });
}

template <class T>
double dot_of_block(const T* a, const T* b, Index n) {
  double lanes[kLanes] = {};
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes) {
#pragma omp simd
    for (Index lane = 0; lane < kLanes; ++lane)
      lanes[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
  }
  for (Index lane = 0; i < n; ++i, ++lane)
    lanes[lane] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  double sum = 0.0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

template <class T>
double dot_as(const T* a, const T* b, Index n) {
  const Index blocks = (n + kRun - 1) / kRun;
  if (blocks <= 1) return dot_of_block(a, b, n);
  static thread_local std::vector<double> kept;  // of the calling thread, so that no call allocates once warm
  kept.resize(static_cast<std::size_t>(blocks));
  double* sums = kept.data();
  parallel_ranges(blocks, kRun, 1, [=](Index begin, Index end) {
    for (Index block = begin; block < end; ++block)
      sums[block] = dot_of_block(a + block * kRun, b + block * kRun, std::min(kRun, n - block * kRun));
  });
  double sum = 0.0;
  for (Index block = 0; block < blocks; ++block) sum += sums[block];
  return sum;
}

/// What brings a norm with this square to the limit, 1 where it is not above; NaN stays NaN.
double shortening(double squared, double limit) {
  return squared <= limit * limit ? 1.0 : limit / std::sqrt(squared);
}

template <class T>
void limit_norms_as(T* x, Index outer, Index middle, Index inner, double limit) {
  if (inner == 1) {
    parallel_ranges(outer, middle, 1, [=](Index begin, Index end) {
      for (Index o = begin; o < end; ++o) {
        T* row = x + o * middle;
        const T factor = static_cast<T>(shortening(dot_of_block(row, row, middle), limit));
        if (factor == T{1}) continue;
        for (Index m = 0; m < middle; ++m) row[m] *= factor;
      }
    });
    return;
  }
  const Index blocks = (inner + kColumns - 1) / kColumns;
  parallel_ranges(outer * blocks, middle * kColumns, 1, [=](Index begin, Index end) {
    for (Index block = begin; block < end; ++block) {
      const Index first = block % blocks * kColumns, count = std::min(kColumns, inner - first);
      T* columns = x + block / blocks * middle * inner + first;
      double squared[kColumns] = {};
      T factor[kColumns];
      for (Index m = 0; m < middle; ++m) {
        for (Index c = 0; c < count; ++c) {
          const double value = static_cast<double>(columns[m * inner + c]);
          squared[c] += value * value;
        }
      }
      for (Index c = 0; c < count; ++c) factor[c] = static_cast<T>(shortening(squared[c], limit));
      if (std::all_of(factor, factor + count, [](T f) { return f == T{1}; })) continue;
      for (Index m = 0; m < middle; ++m) {
        for (Index c = 0; c < count; ++c) columns[m * inner + c] *= factor[c];
      }
    }
  });
}

}  // namespace

void CpuBackend::momentum(const MomentumCall& call) {
  if (call.dtype == Dtype::F32) momentum_as<float>(call);
  if (call.dtype == Dtype::F64) momentum_as<double>(call);
}

void CpuBackend::adaptive(const AdaptiveCall& call) {
  if (call.dtype == Dtype::F32) adaptive_as<float>(call);
  if (call.dtype == Dtype::F64) adaptive_as<double>(call);
}

void CpuBackend::restrain(const RestrainCall& call) {
  if (call.dtype == Dtype::F32) restrain_as<float>(call);
  if (call.dtype == Dtype::F64) restrain_as<double>(call);
}

void CpuBackend::dot(Dtype dtype, const void* a, const void* b, Index n, double* sum) {
  if (dtype == Dtype::F32) *sum += dot_as(static_cast<const float*>(a), static_cast<const float*>(b), n);
  if (dtype == Dtype::F64) *sum += dot_as(static_cast<const double*>(a), static_cast<const double*>(b), n);
}

void CpuBackend::limit_norms(Dtype dtype, void* x, Index outer, Index middle, Index inner, double limit) {
  if (dtype == Dtype::F32) limit_norms_as(static_cast<float*>(x), outer, middle, inner, limit);
  if (dtype == Dtype::F64) limit_norms_as(static_cast<double*>(x), outer, middle, inner, limit);
}

}  // namespace basin
