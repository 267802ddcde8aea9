#pragma once

#include "tensor/host_device.h"
#include "tensor/shape.h"

namespace basin::cuda {

/// Axes of a walk that one launch can hold; cpu/strides.h joins those that can be.
inline constexpr int kAxes = 6;

/// Places of `Inputs` strided inputs as a contiguous output is walked.
template <int Inputs>
struct Places {
  Index at[Inputs];
};

template <int Inputs>
struct StridedWalk {
  int axes = 0;
  Index extents[kAxes];          // slowest first
  Index strides[Inputs][kAxes];  // in elements

  BASIN_HOST_DEVICE Places<Inputs> operator()(Index i) const {
    Places<Inputs> places{};
    for (int axis = axes - 1; axis > 0; --axis) {
      const Index rest = i / extents[axis], here = i - rest * extents[axis];
      for (int input = 0; input < Inputs; ++input) places.at[input] += here * strides[input][axis];
      i = rest;
    }
    for (int input = 0; input < Inputs; ++input) places.at[input] += i * strides[input][0];
    return places;
  }
};

template <class T>
struct StridedCopy {
  const T* x;
  T* y;
  StridedWalk<1> walk;
  BASIN_HOST_DEVICE void operator()(Index i) const { y[i] = x[walk(i).at[0]]; }
};

template <class T, class F>
struct StridedBinary {
  const T* a;
  const T* b;
  T* y;
  StridedWalk<2> walk;
  F f;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Places<2> places = walk(i);
    y[i] = f(a[places.at[0]], b[places.at[1]]);
  }
};

}  // namespace basin::cuda
