#pragma once

#include <omp.h>

#include <algorithm>

#include "tensor/shape.h"

namespace basin {

/// Elements below which a parallel region (a few microseconds) costs more than it saves in a memory-bound
/// loop.
constexpr Index kParallelElements = 32768;

/// Runs body(begin, end) on disjoint ranges that cover [0, items): in one piece when items * cost elements
/// are few or when already inside a parallel region, else one range a thread. Inner boundaries are multiples
/// of `granule`.
/// The body must not throw, and its results must not depend on where the ranges end.
template <class Body>
void parallel_ranges(Index items, Index cost, Index granule, const Body& body) {
  if (items <= 0) return;
  if (items <= granule || items * cost <= kParallelElements || omp_get_max_threads() == 1 ||
      omp_in_parallel() != 0) {
    body(Index{0}, items);
    return;
  }
#pragma omp parallel
  {
    const Index threads = omp_get_num_threads();
    const Index granules = (items + granule - 1) / granule;
    const Index share = (granules + threads - 1) / threads * granule;
    const Index begin = omp_get_thread_num() * share;
    const Index end = std::min(items, begin + share);
    if (begin < end) body(begin, end);
  }
}

}  // namespace basin
