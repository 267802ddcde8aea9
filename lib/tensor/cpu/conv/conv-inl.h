// Register tiles of direct correlations, written once for every instruction set and both dtypes. Included
// once per target.
//
// A tile holds up to twelve vectors of sums. Of every vector of pixels that is loaded, four sums get a
// product, and of every weight that is broadcast three, so that the two multiply-adds a cycle of common
// processors, not their two loads, are the limit.
#if defined(BASIN_TENSOR_CPU_CONV_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BASIN_TENSOR_CPU_CONV_INL_H
#undef BASIN_TENSOR_CPU_CONV_INL_H
#else
#define BASIN_TENSOR_CPU_CONV_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "tensor/cpu/conv/conv_plane.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Pixels = hn::Vec<hn::ScalableTag<T>>;

template <class T>
constexpr Index lanes_of() {
  return static_cast<Index>(hn::MaxLanes(hn::ScalableTag<T>()));
}

/// Calls body(start, vectors) with vectors an integral constant of 1 to 3 until [0, width) is covered.
/// Neighbours may overlap at the end, so that whole vectors stay inside; a width below a vector gives one
/// vector that does not.
template <class T, class Body>
HWY_INLINE void for_column_tiles(Index width, const Body& body) {
  constexpr Index kLanes = lanes_of<T>();
  const Index vectors = (width + kLanes - 1) / kLanes;
  for (Index done = 0; done < vectors;) {
    const Index left = vectors - done;
    Index together = left == 4 ? 2 : std::min<Index>(left, 3);
    while (together > 1 && together * kLanes > width) --together;
    const Index start = std::max<Index>(0, std::min(done * kLanes, width - together * kLanes));
    if (together == 3) body(start, std::integral_constant<int, 3>());
    if (together == 2) body(start, std::integral_constant<int, 2>());
    if (together == 1) body(start, std::integral_constant<int, 1>());
    done += together;
  }
}

/// sums[q][j] = start[q][j] + sum over channels, u, v of weights[c, u, v, q] * x(c, u, j + v): a block of
/// filters at one row. `weights` are packed with the filters innermost. `sums` may be `start`.
template <class T, int kVectors>
HWY_INLINE void correlate_filters(const Plane<T>& x, const Taps& taps, const T* HWY_RESTRICT weights,
                                  const Pixels<T> (&start)[kFilterBlock][kVectors],
                                  Pixels<T> (&sums)[kFilterBlock][kVectors]) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = lanes_of<T>();
  Pixels<T> sum[kFilterBlock][kVectors];
#pragma GCC unroll 4
  for (int q = 0; q < kFilterBlock; ++q) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) sum[q][j] = start[q][j];
  }
  for (Index c = 0; c < taps.channels; ++c) {
    for (Index u = 0; u < taps.height; ++u) {
      const T* HWY_RESTRICT row = x.row(c, u);
      for (Index v = 0; v < taps.width; ++v, ++row, weights += kFilterBlock) {
        Pixels<T> pixels[kVectors];
#pragma GCC unroll 3
        for (int j = 0; j < kVectors; ++j) pixels[j] = hn::LoadU(d, row + j * kLanes);
#pragma GCC unroll 4
        for (int q = 0; q < kFilterBlock; ++q) {
          const Pixels<T> weight = hn::Set(d, weights[q]);
#pragma GCC unroll 3
          for (int j = 0; j < kVectors; ++j) sum[q][j] = hn::MulAdd(weight, pixels[j], sum[q][j]);
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < kFilterBlock; ++q) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) sums[q][j] = sum[q][j];
  }
}

/// From zero.
template <class T, int kVectors>
HWY_INLINE void correlate_filters(const Plane<T>& x, const Taps& taps, const T* HWY_RESTRICT weights,
                                  Pixels<T> (&sums)[kFilterBlock][kVectors]) {
  const hn::ScalableTag<T> d;
#pragma GCC unroll 4
  for (int q = 0; q < kFilterBlock; ++q) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) sums[q][j] = hn::Zero(d);
  }
  correlate_filters<T, kVectors>(x, taps, weights, sums, sums);
}

/// Adds what one row of x gives to output rows [kFirst, kLast) of a tile: row i meets filter row `u - i`.
template <class T, int kFirst, int kLast, int kRows, int kVectors>
HWY_INLINE void correlate_row(const T* HWY_RESTRICT row, const T* HWY_RESTRICT weights, Index width, Index u,
                              Pixels<T> (&sum)[kRows][kVectors]) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = lanes_of<T>();
  const T* HWY_RESTRICT weight = weights + u * width;
  for (Index v = 0; v < width; ++v, ++row, ++weight) {
    Pixels<T> pixels[kVectors];
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) pixels[j] = hn::LoadU(d, row + j * kLanes);
#pragma GCC unroll 4
    for (int i = kFirst; i < kLast; ++i) {
      const Pixels<T> w = hn::Set(d, weight[-i * width]);
#pragma GCC unroll 3
      for (int j = 0; j < kVectors; ++j) sum[i][j] = hn::MulAdd(w, pixels[j], sum[i][j]);
    }
  }
}

/// sums[i][j] = sum over channels, u, v of weights[c, u, v] * x(c, i + u, j + v): kRows rows of one filter,
/// kRows <= taps.height.
template <class T, int kRows, int kVectors>
HWY_INLINE void correlate_rows(const Plane<T>& x, const Taps& taps, const T* HWY_RESTRICT weights,
                               Pixels<T> (&sums)[kRows][kVectors]) {
  static_assert(kRows == 1 || kRows == 2 || kRows == 4);
  const hn::ScalableTag<T> d;
  Pixels<T> sum[kRows][kVectors];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) sum[i][j] = hn::Zero(d);
  }
  const Index h = taps.height, w = taps.width;
  for (Index c = 0; c < taps.channels; ++c, weights += h * w) {
    // The first and the last rows of x meet only some of the output rows.
    if constexpr (kRows > 1) correlate_row<T, 0, 1>(x.row(c, 0), weights, w, 0, sum);
    if constexpr (kRows > 2) correlate_row<T, 0, 2>(x.row(c, 1), weights, w, 1, sum);
    if constexpr (kRows > 3) correlate_row<T, 0, 3>(x.row(c, 2), weights, w, 2, sum);
    for (Index u = kRows - 1; u < h; ++u) correlate_row<T, 0, kRows>(x.row(c, u), weights, w, u, sum);
    if constexpr (kRows > 1) correlate_row<T, 1, kRows>(x.row(c, h), weights, w, h, sum);
    if constexpr (kRows > 2) correlate_row<T, 2, kRows>(x.row(c, h + 1), weights, w, h + 1, sum);
    if constexpr (kRows > 3) correlate_row<T, 3, kRows>(x.row(c, h + 2), weights, w, h + 2, sum);
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) sums[i][j] = sum[i][j];
  }
}

/// Writes kVectors vectors, of which `left` elements are wanted.
template <class T, int kVectors>
HWY_INLINE void store_tile(const Pixels<T> (&sums)[kVectors], T* HWY_RESTRICT to, Index left) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = lanes_of<T>();
  if (kVectors == 1 && left < kLanes) {
    hn::BlendedStore(sums[0], hn::FirstN(d, static_cast<std::size_t>(left)), d, to);
    return;
  }
#pragma GCC unroll 3
  for (int j = 0; j < kVectors; ++j) hn::StoreU(sums[j], d, to + j * kLanes);
}

/// `rows` output rows of one filter at column `start`: four, two or one at a time, as the filter's height
/// allows.
/// store(row, sums of that row).
template <class T, int kVectors, class Store>
HWY_INLINE void correlate_band(const Plane<T>& x, const Taps& taps, const T* HWY_RESTRICT weights, Index rows,
                               const Store& store) {
  const auto tile = [&](Index row, auto count) HWY_ATTR {
    constexpr int kRows = decltype(count)::value;
    Pixels<T> sums[kRows][kVectors];
    correlate_rows<T, kRows, kVectors>(x.at(row, 0), taps, weights, sums);
    for (int i = 0; i < kRows; ++i) store(row + i, sums[i]);
  };
  Index row = 0;
  for (; row + 4 <= rows && taps.height >= 4; row += 4) tile(row, std::integral_constant<int, 4>());
  for (; row + 2 <= rows && taps.height >= 2; row += 2) tile(row, std::integral_constant<int, 2>());
  for (; row < rows; ++row) tile(row, std::integral_constant<int, 1>());
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#endif
