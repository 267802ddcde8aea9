#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

constexpr Index kCostPerElement =
    8;  // of the selection, in elements that a memory-bound loop handles meanwhile

template <class T>
T ordered(T x) {
  return x != x ? -std::numeric_limits<T>::infinity() : x;
}

/// Marks the first of one row's largest.
template <class T>
void mark_first(const T* x, T* y, Index columns) {
  T best = -std::numeric_limits<T>::infinity();
#pragma omp simd reduction(max : best)
  for (Index c = 0; c < columns; ++c) best = x[c] > best ? x[c] : best;
  std::fill_n(y, columns, T{0});
  y[std::find_if(x, x + columns, [best](T value) { return ordered(value) == best; }) - x] = T{1};
}

/// Marks the `count` largest of one row; `work` holds `columns` numbers.
template <class T>
void mark_row(const T* x, T* y, Index columns, Index count, std::vector<T>& work) {
  std::transform(x, x + columns, work.begin(), ordered<T>);
  std::nth_element(work.begin(), work.begin() + (count - 1), work.end(), std::greater<T>());
  const T last = work[static_cast<std::size_t>(count - 1)];
  // What is larger than the last one to be marked is in; the rest of the places goes to those that equal it.
  Index equals = count;
  for (Index c = 0; c < columns; ++c) {
    y[c] = ordered(x[c]) > last ? T{1} : T{0};
    equals -= y[c] > 0 ? 1 : 0;
  }
  for (Index c = 0; equals > 0; ++c) {
    if (ordered(x[c]) == last) {
      y[c] = T{1};
      --equals;
    }
  }
}

template <class T>
void mark(const T* x, T* y, Index rows, Index columns, Index count) {
  if (count == 0) {
    std::fill_n(y, rows * columns, T{0});
    return;
  }
  if (count == 1) {
    parallel_ranges(rows, columns, 1, [&](Index begin, Index end) {
      for (Index r = begin; r < end; ++r) mark_first(x + r * columns, y + r * columns, columns);
    });
    return;
  }
  parallel_ranges(rows, columns * kCostPerElement, 1, [&](Index begin, Index end) {
    std::vector<T> work(static_cast<std::size_t>(columns));
    for (Index r = begin; r < end; ++r) mark_row(x + r * columns, y + r * columns, columns, count, work);
  });
}

}  // namespace

void CpuBackend::largest(Dtype dtype, const void* x, void* y, Index rows, Index columns, Index count) {
  if (dtype == Dtype::F32) {
    mark(static_cast<const float*>(x), static_cast<float*>(y), rows, columns, count);
  } else {
    mark(static_cast<const double*>(x), static_cast<double*>(y), rows, columns, count);
  }
}

}  // namespace basin
