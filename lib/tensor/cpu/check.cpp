#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

constexpr Index kLine = 16;

template <class T, class Passes>
bool any_fails(const T* x, Index n, Passes passes) {
  std::atomic<bool> any{false};
  parallel_ranges(n, 1, kLine, [&](Index begin, Index end) {
    Index failed = 0;
#pragma omp simd reduction(+ : failed)
    for (Index i = begin; i < end; ++i) failed += static_cast<Index>(!passes(x[i]));
    if (failed > 0) any = true;
  });
  return any;
}

template <class T>
void check_as(Check what, const T* x, Index n, float* flag) {
  const T most = std::numeric_limits<T>::max() / static_cast<T>(std::max<Index>(n, 1));
  const bool fails = what == Check::Positive
                         ? any_fails(x, n, [](T number) { return number > T{0}; })
                         : any_fails(x, n, [=](T number) { return std::abs(number) <= most; });
  if (fails) *flag = 1.0f;
}

}  // namespace

void CpuBackend::check(Check what, Dtype dtype, const void* x, Index n, void* flag) {
  if (dtype == Dtype::F32) check_as(what, static_cast<const float*>(x), n, static_cast<float*>(flag));
  if (dtype == Dtype::F64) check_as(what, static_cast<const double*>(x), n, static_cast<float*>(flag));
}

}  // namespace basin
