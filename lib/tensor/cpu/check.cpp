#include <atomic>
#include <limits>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

constexpr Index kLine = 16;

/// Whether one of x is not in (low, high]; a NaN is not.
template <class T>
bool any_outside(const T* x, Index n, T low, T high) {
  Index outside = 0;
#pragma omp simd reduction(+ : outside)
  for (Index i = 0; i < n; ++i) outside += static_cast<Index>(!(x[i] > low) | !(x[i] <= high));
  return outside > 0;
}

template <class T>
void check_as(Check what, const T* x, Index n, float* flag) {
  const T infinity = std::numeric_limits<T>::infinity(), most = std::numeric_limits<T>::max();
  const T low = what == Check::Positive ? T{0} : -infinity, high = what == Check::Positive ? infinity : most;
  std::atomic<bool> fails{false};
  parallel_ranges(n, 1, kLine, [&, low, high](Index begin, Index end) {
    if (any_outside(x + begin, end - begin, low, high)) fails = true;
  });
  if (fails) *flag = 1.0f;
}

}  // namespace

void CpuBackend::check(Check what, Dtype dtype, const void* x, Index n, void* flag) {
  if (dtype == Dtype::F32) check_as(what, static_cast<const float*>(x), n, static_cast<float*>(flag));
  if (dtype == Dtype::F64) check_as(what, static_cast<const double*>(x), n, static_cast<float*>(flag));
}

}  // namespace basin
