#include "tensor/cpu/conv/conv.h"
#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/conv/conv_filter_band.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/cpu/conv/conv-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

/// kTaps neighbouring taps of kFilterBlock filters, over a whole band. `x` is the first of the taps' rows of
/// x.
template <class T, int kTaps>
HWY_INLINE void some_taps(const ConvFilterBand<T>& band, const T* x, const T* y, T* HWY_RESTRICT sums) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = lanes_of<T>();
  const Index x_stride = band.x.row_stride, y_stride = band.y.row_stride, y_filters = band.y.channel_stride;
  Pixels<T> sum[kTaps][kFilterBlock];
#pragma GCC unroll 3
  for (int v = 0; v < kTaps; ++v) {
#pragma GCC unroll 4
    for (int q = 0; q < kFilterBlock; ++q) sum[v][q] = hn::LoadU(d, sums + (v * kFilterBlock + q) * kLanes);
  }
  for (Index i = 0; i < band.rows; ++i, x += x_stride, y += y_stride) {
    for (Index j = 0; j < band.width; j += kLanes) {
      Pixels<T> pixels[kTaps];
#pragma GCC unroll 3
      for (int v = 0; v < kTaps; ++v) pixels[v] = hn::LoadU(d, x + j + v);
#pragma GCC unroll 4
      for (int q = 0; q < kFilterBlock; ++q) {
        const Pixels<T> g = hn::LoadU(d, y + q * y_filters + j);
#pragma GCC unroll 3
        for (int v = 0; v < kTaps; ++v) sum[v][q] = hn::MulAdd(g, pixels[v], sum[v][q]);
      }
    }
  }
#pragma GCC unroll 3
  for (int v = 0; v < kTaps; ++v) {
#pragma GCC unroll 4
    for (int q = 0; q < kFilterBlock; ++q) hn::StoreU(sum[v][q], d, sums + (v * kFilterBlock + q) * kLanes);
  }
}

template <class T>
HWY_INLINE void any_filter_band(const ConvFilterBand<T>& band) {
  constexpr Index kLanes = lanes_of<T>();
  T* sums = band.sums;
  for (Index first = 0; first < band.filters; first += kFilterBlock) {
    const T* y = band.y.row(first, 0);
    for (Index c = 0; c < band.taps.channels; ++c) {
      for (Index u = 0; u < band.taps.height; ++u) {
        const T* x = band.x.row(c, u);
        Index v = 0;
        for (; v + 3 <= band.taps.width; v += 3, sums += 3 * kFilterBlock * kLanes)
          some_taps<T, 3>(band, x + v, y, sums);
        for (; v < band.taps.width; ++v, sums += kFilterBlock * kLanes) some_taps<T, 1>(band, x + v, y, sums);
      }
    }
  }
}

void filter_band_f32(const ConvFilterBand<float>& band) { any_filter_band(band); }
void filter_band_f64(const ConvFilterBand<double>& band) { any_filter_band(band); }

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace basin {

HWY_EXPORT(filter_band_f32);
HWY_EXPORT(filter_band_f64);

void conv_filter_band(const ConvFilterBand<float>& band) { HWY_DYNAMIC_DISPATCH(filter_band_f32)(band); }
void conv_filter_band(const ConvFilterBand<double>& band) { HWY_DYNAMIC_DISPATCH(filter_band_f64)(band); }

}  // namespace basin
#endif
