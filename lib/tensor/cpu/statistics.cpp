#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/statistics.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#include "tensor/cpu/vector_math-inl.h"
#include "tensor/shape.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

/// sum_j softplus(to * t_j) - softplus(from * t_j), t = x + bias, of one row.
///
/// Each softplus is max(a, 0) + log(1 + e^-|a|). The factors 1 + e^-|a|, between 1 and 2, are multiplied up,
/// so that a chunk of columns costs one logarithm: 32 factors a lane, at most 2^32, and the product of 16
/// lanes is at most 2^512.
double softplus_difference_of_row(const float* x, const float* bias, Index columns, float from, float to) {
  const Floats d;
  const Index lanes = static_cast<Index>(hn::Lanes(d)), chunk = 32 * lanes;
  const Float one = constant(1.0f), zero = hn::Zero(d);
  double sum = 0.0;
  for (Index begin = 0; begin < columns; begin += chunk) {
    Float linear = zero, above = one, below = one;
    for (Index j = begin; j < std::min(columns, begin + chunk); j += lanes) {
      const Mask used = hn::FirstN(d, static_cast<std::size_t>(columns - j));
      const Float t = hn::Add(hn::MaskedLoad(used, d, x + j), hn::MaskedLoad(used, d, bias + j));
      const Float a = hn::Mul(constant(to), t), b = hn::Mul(constant(from), t);
      linear = hn::Add(linear, hn::Sub(hn::Max(zero, a), hn::Max(zero, b)));
      above = hn::Mul(above, hn::Add(one, hn::IfThenElseZero(used, exp(hn::Neg(hn::Abs(a))))));
      below = hn::Mul(below, hn::Add(one, hn::IfThenElseZero(used, exp(hn::Neg(hn::Abs(b))))));
    }
    alignas(64) float linears[hn::MaxLanes(d)], aboves[hn::MaxLanes(d)], belows[hn::MaxLanes(d)];
    hn::Store(linear, d, linears);
    hn::Store(above, d, aboves);
    hn::Store(below, d, belows);
    double numerator = 1.0, denominator = 1.0;
    for (Index lane = 0; lane < lanes; ++lane) {
      sum += linears[lane];
      numerator *= aboves[lane];
      denominator *= belows[lane];
    }
    sum += std::log(numerator / denominator);
  }
  return sum;
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <cstddef>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace basin {

HWY_EXPORT(softplus_difference_of_row);

namespace {

/// Elements of a cache line of floats: ranges end there so that no two threads write to one line.
constexpr Index kLine = 16;

/// Columns that one pass over the rows adds up: their partial sums stay in registers or the first-level
/// cache.
constexpr Index kColumns = 64;

/// Rows added in the dtype before the partial sums go into f64, which keeps the error of long columns small.
constexpr Index kRows = 64;

/// Two exponentials an element.
constexpr Index kSoftplusCost = 8;

template <class T>
void column_sums_as(const T* x, Index rows, Index columns, double alpha, double beta, T* sums) {
  parallel_ranges(columns, rows, kLine, [=](Index begin, Index end) {
    for (Index first = begin; first < end; first += kColumns) {
      const Index count = std::min(kColumns, end - first);
      double whole[kColumns] = {};
      for (Index row = 0; row < rows; row += kRows) {
        T part[kColumns] = {};
        for (Index n = row; n < std::min(rows, row + kRows); ++n) {
          const T* line = x + n * columns + first;
          if (count == kColumns) {
#pragma omp simd
            for (Index j = 0; j < kColumns; ++j) part[j] += line[j];
          } else {
            for (Index j = 0; j < count; ++j) part[j] += line[j];
          }
        }
        for (Index j = 0; j < count; ++j) whole[j] += static_cast<double>(part[j]);
      }
      for (Index j = 0; j < count; ++j) {
        const double old = beta == 0.0 ? 0.0 : beta * static_cast<double>(sums[first + j]);
        sums[first + j] = static_cast<T>(alpha * whole[j] + old);
      }
    }
  });
}

double softplus(double a) { return std::fmax(a, 0.0) + std::log1p(std::exp(-std::abs(a))); }

double softplus_difference_of_row(const double* x, const double* bias, Index columns, double from,
                                  double to) {
  double sum = 0.0;
  for (Index j = 0; j < columns; ++j) {
    const double t = x[j] + bias[j];
    sum += softplus(to * t) - softplus(from * t);
  }
  return sum;
}

}  // namespace

void CpuBackend::column_sums(Dtype dtype, const void* x, Index rows, Index columns, double alpha, double beta,
                             void* sums) {
  if (dtype == Dtype::F32)
    column_sums_as(static_cast<const float*>(x), rows, columns, alpha, beta, static_cast<float*>(sums));
  if (dtype == Dtype::F64)
    column_sums_as(static_cast<const double*>(x), rows, columns, alpha, beta, static_cast<double*>(sums));
}

void CpuBackend::softplus_difference(Dtype dtype, const void* x, const void* bias, Index rows, Index columns,
                                     double from, double to, double* y) {
  parallel_ranges(rows, kSoftplusCost * columns, 1, [=](Index begin, Index end) {
    for (Index n = begin; n < end; ++n) {
      if (dtype == Dtype::F32) {
        y[n] += HWY_DYNAMIC_DISPATCH(softplus_difference_of_row)(
            static_cast<const float*>(x) + n * columns, static_cast<const float*>(bias), columns,
            static_cast<float>(from), static_cast<float>(to));
      } else {
        y[n] += softplus_difference_of_row(static_cast<const double*>(x) + n * columns,
                                           static_cast<const double*>(bias), columns, from, to);
      }
    }
  });
}

}  // namespace basin
#endif
