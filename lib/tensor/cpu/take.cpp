#include <algorithm>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

constexpr Index kLine = 16;

template <class T>
void take_as(const T* x, const T* index, T* y, Index rows, Index columns) {
  parallel_ranges(rows, 1, kLine, [=](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) y[r] = x[r * columns + static_cast<Index>(index[r])];
  });
}

template <class T>
void put_as(const T* x, const T* index, T* y, Index rows, Index columns) {
  parallel_ranges(rows, columns, 1, [=](Index begin, Index end) {
    std::fill(y + begin * columns, y + end * columns, T{0});
    for (Index r = begin; r < end; ++r) y[r * columns + static_cast<Index>(index[r])] = x[r];
  });
}

}  // namespace

void CpuBackend::take(Dtype dtype, const void* x, const void* index, void* y, Index rows, Index columns) {
  if (dtype == Dtype::F32)
    take_as(static_cast<const float*>(x), static_cast<const float*>(index), static_cast<float*>(y), rows,
            columns);
  if (dtype == Dtype::F64)
    take_as(static_cast<const double*>(x), static_cast<const double*>(index), static_cast<double*>(y), rows,
            columns);
}

void CpuBackend::put(Dtype dtype, const void* x, const void* index, void* y, Index rows, Index columns) {
  if (dtype == Dtype::F32)
    put_as(static_cast<const float*>(x), static_cast<const float*>(index), static_cast<float*>(y), rows,
           columns);
  if (dtype == Dtype::F64)
    put_as(static_cast<const double*>(x), static_cast<const double*>(index), static_cast<double*>(y), rows,
           columns);
}

}  // namespace basin
