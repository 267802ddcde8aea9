#pragma once

#include "tensor/backend.h"
#include "tensor/host_device.h"

namespace basin::cuda {

template <class T>
struct Gather {
  const T* index;
  const T* x;
  T* y;
  Index middle, inner, count;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index row = i / inner, o = row / count;
    const auto m = static_cast<Index>(index[row]);
    y[i] = x[(o * middle + m) * inner + (i - row * inner)];
  }
};

/// Every number of y gathers what its index says is its own, in order: nothing depends on who comes first.
template <class T>
struct ScatterByLooking {
  const T* index;
  const T* x;
  T* y;
  Index middle, inner, count;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index row = i / inner, o = row / middle, column = i - row * inner;
    const T wanted = static_cast<T>(row - o * middle);
    const T* own = index + o * count;
    T sum{0};
    for (Index r = 0; r < count; ++r) {
      if (own[r] == wanted) sum += x[(o * count + r) * inner + column];
    }
    y[i] = sum;
  }
};

/// The other way round: a thread an outer place and column walks over the indices; y is zero before.
template <class T>
struct ScatterByWalking {
  const T* index;
  const T* x;
  T* y;
  Index middle, inner, count;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index o = i / inner, column = i - o * inner;
    for (Index r = 0; r < count; ++r) {
      const auto m = static_cast<Index>(index[o * count + r]);
      y[(o * middle + m) * inner + column] += x[(o * count + r) * inner + column];
    }
  }
};

}  // namespace basin::cuda
