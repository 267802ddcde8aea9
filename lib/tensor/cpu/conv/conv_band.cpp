#include "tensor/cpu/conv/conv.h"
#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/conv/conv_band.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/cpu/conv/conv-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

template <class T>
HWY_INLINE void filter_blocks_band(const ConvBand<T>& band) {
  const T* weights = band.weights;
  for (Index first = 0; first < band.filters;
       first += kFilterBlock, weights += band.taps.count() * kFilterBlock) {
    const Index here = std::min<Index>(kFilterBlock, band.filters - first);
    for (Index i = 0; i < band.rows; ++i) {
      for_column_tiles<T>(band.width, [&](Index start, auto vectors) HWY_ATTR {
        constexpr int kVectors = decltype(vectors)::value;
        Pixels<T> sums[kFilterBlock][kVectors];
        correlate_filters<T, kVectors>(band.x.at(i, start), band.taps, weights, sums);
        for (Index q = 0; q < here; ++q) {
          store_tile<T, kVectors>(sums[q],
                                  band.y + (first + q) * band.filter_stride + i * band.row_stride + start,
                                  band.width - start);
        }
      });
    }
  }
}

template <class T>
HWY_INLINE void single_filters_band(const ConvBand<T>& band) {
  for (Index k = 0; k < band.filters; ++k) {
    for_column_tiles<T>(band.width, [&](Index start, auto vectors) HWY_ATTR {
      constexpr int kVectors = decltype(vectors)::value;
      T* y = band.y + k * band.filter_stride + start;
      correlate_band<T, kVectors>(
          band.x.at(0, start), band.taps, band.weights + k * band.taps.count(), band.rows,
          [&](Index row, const Pixels<T>(&sums)[kVectors])
              HWY_ATTR { store_tile<T, kVectors>(sums, y + row * band.row_stride, band.width - start); });
    });
  }
}

template <class T>
HWY_INLINE void any_band(const ConvBand<T>& band) {
  use_filter_blocks(band.filters) ? filter_blocks_band(band) : single_filters_band(band);
}

void band_f32(const ConvBand<float>& band) { any_band(band); }
void band_f64(const ConvBand<double>& band) { any_band(band); }
Index lanes_f32() { return lanes_of<float>(); }
Index lanes_f64() { return lanes_of<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace basin {

HWY_EXPORT(band_f32);
HWY_EXPORT(band_f64);
HWY_EXPORT(lanes_f32);
HWY_EXPORT(lanes_f64);

void conv_band(const ConvBand<float>& band) { HWY_DYNAMIC_DISPATCH(band_f32)(band); }
void conv_band(const ConvBand<double>& band) { HWY_DYNAMIC_DISPATCH(band_f64)(band); }

Index conv_lanes(std::size_t element_bytes) {
  return element_bytes == sizeof(float) ? HWY_DYNAMIC_DISPATCH(lanes_f32)()
                                        : HWY_DYNAMIC_DISPATCH(lanes_f64)();
}

}  // namespace basin
#endif
