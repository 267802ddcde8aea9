#include <algorithm>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

constexpr Index kLine = 16;

template <class T>
void gather_as(const IndexCall& call) {
  const auto *x = static_cast<const T*>(call.x), *index = static_cast<const T*>(call.index);
  auto* y = static_cast<T*>(call.y);
  const Index granule = call.inner == 1 ? kLine : 1;
  parallel_ranges(call.outer * call.count, call.inner, granule, [=](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const Index at = r / call.count * call.middle + static_cast<Index>(index[r]);
      if (call.inner == 1) {
        y[r] = x[at];
      } else {
        std::copy_n(x + at * call.inner, call.inner, y + r * call.inner);
      }
    }
  });
}

/// Columns [begin, end) of the inner axis of one outer place.
template <class T>
void scatter_columns(const IndexCall& call, Index outer, Index begin, Index end) {
  const T* x = static_cast<const T*>(call.x) + outer * call.count * call.inner;
  const T* index = static_cast<const T*>(call.index) + outer * call.count;
  T* y = static_cast<T*>(call.y) + outer * call.middle * call.inner;
  if (end - begin == call.inner) {
    std::fill_n(y, call.middle * call.inner, T{0});
  } else {
    for (Index m = 0; m < call.middle; ++m)
      std::fill(y + m * call.inner + begin, y + m * call.inner + end, T{0});
  }
  for (Index r = 0; r < call.count; ++r, x += call.inner) {
    T* to = y + static_cast<Index>(index[r]) * call.inner;
    for (Index i = begin; i < end; ++i) to[i] += x[i];
  }
}

/// Each number of y is summed by one thread, in the order of the indices: outer places are shared out where
/// there are several, else the columns.
template <class T>
void scatter_as(const IndexCall& call) {
  if (call.outer > 1) {
    parallel_ranges(call.outer, call.middle * call.inner, 1, [&](Index begin, Index end) {
      for (Index o = begin; o < end; ++o) scatter_columns<T>(call, o, 0, call.inner);
    });
  } else if (call.outer == 1) {
    parallel_ranges(call.inner, call.middle + call.count, kLine,
                    [&](Index begin, Index end) { scatter_columns<T>(call, 0, begin, end); });
  }
}

}  // namespace

void CpuBackend::gather(const IndexCall& call) {
  if (call.dtype == Dtype::F32) gather_as<float>(call);
  if (call.dtype == Dtype::F64) gather_as<double>(call);
}

void CpuBackend::scatter(const IndexCall& call) {
  if (call.dtype == Dtype::F32) scatter_as<float>(call);
  if (call.dtype == Dtype::F64) scatter_as<double>(call);
}

}  // namespace basin
