#include "tensor/cpu/lasso/conv_lasso.h"
#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/conv/conv_scatter.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/cpu/conv/conv-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

constexpr int kMostVectors = 12;  // of a sum that is in registers

/// Bits (filter, column) of 8 x 8 places, a byte a filter, turned into a byte a column.
/// Reference: Warren 2013, Hacker's Delight, section 7-3.
HWY_INLINE std::uint64_t turned_bits(std::uint64_t x) {
  std::uint64_t t = (x ^ (x >> 7)) & 0x00AA00AA00AA00AAULL;
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000CCCC0000CCCCULL;
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000F0F0F0F0ULL;
  return x ^ t ^ (t << 28);
}

/// Which of up to 64 filters have a code other than zero, for each of 8 columns. `bits` is the columns' byte
/// of the first filter.
HWY_INLINE void active_filters(const std::uint8_t* bits, Index line_bytes, Index filters,
                               std::uint64_t* masks) {
  std::fill(masks, masks + 8, std::uint64_t{0});
  for (Index k = 0; k < filters; k += 8) {
    std::uint64_t block = 0;
    for (Index i = 0; i < std::min<Index>(8, filters - k); ++i)
      block |= std::uint64_t{bits[(k + i) * line_bytes]} << (8 * i);
    if (block == 0) continue;
    const std::uint64_t columns = turned_bits(block);
    for (int column = 0; column < 8; ++column) masks[column] |= (columns >> (8 * column) & 255) << k;
  }
}

/// Some neighbouring places of a row of codes, and up to 64 filters.
struct Places {
  Index count = 0;
  std::uint64_t active[kScatterPlaces];  // filters with a code other than zero
  const float* codes = nullptr;          // of the first filter and place
  const float* weights = nullptr;        // of the first filter
};

/// patches[place][i] = sum over the place's filters of code * weights[filter][i] for kVectors vectors, which
/// stay in registers.
template <int kVectors>
HWY_INLINE void add_filters(const ConvScatter& job, const Places& places, Index at) {
  const hn::ScalableTag<float> d;
  constexpr Index kLanes = lanes_of<float>();
  const Index pitch = job.pitch, stride = job.weight_stride;
  for (Index place = 0; place < places.count; ++place) {
    const float* HWY_RESTRICT codes = places.codes + place;
    const float* HWY_RESTRICT weights = places.weights + at;
    Pixels<float> sum[kVectors];
#pragma GCC unroll 12
    for (int i = 0; i < kVectors; ++i) sum[i] = hn::Zero(d);
    for (std::uint64_t active = places.active[place]; active != 0; active &= active - 1) {
      const Index k = __builtin_ctzll(active);
      const auto code = hn::Set(d, codes[k * pitch]);
#pragma GCC unroll 12
      for (int i = 0; i < kVectors; ++i)
        sum[i] = hn::MulAdd(code, hn::LoadU(d, weights + k * stride + i * kLanes), sum[i]);
    }
#pragma GCC unroll 12
    for (int i = 0; i < kVectors; ++i) hn::StoreU(sum[i], d, job.patches + place * stride + at + i * kLanes);
  }
}

/// The same for a number of vectors that is known only now.
template <int kVectors>
void add_filters_of(int vectors, const ConvScatter& job, const Places& places, Index at) {
  if constexpr (kVectors > 1) {
    if (vectors < kVectors) return add_filters_of<kVectors - 1>(vectors, job, places, at);
  }
  add_filters<kVectors>(job, places, at);
}

/// image[i] += patch[i] for i < n; up to a vector behind may be written as it is.
HWY_INLINE void add_row(const float* HWY_RESTRICT patch, Index n, float* HWY_RESTRICT image) {
  const hn::ScalableTag<float> d;
  constexpr Index kLanes = lanes_of<float>();
  Index v = 0;
  for (; v + kLanes <= n; v += kLanes)
    hn::StoreU(hn::Add(hn::LoadU(d, image + v), hn::LoadU(d, patch + v)), d, image + v);
  for (; v < n && n - v <= 2; ++v) image[v] += patch[v];
  if (v < n) {
    const auto rest =
        hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(n - v)), hn::LoadU(d, patch + v));
    hn::StoreU(hn::Add(hn::LoadU(d, image + v), rest), d, image + v);
  }
}

/// Adds the patches to the image. Those of neighbours overlap, and what was just written cannot be read at
/// another offset without a wait: so every taps.width-th place first, which do not overlap, then their
/// neighbours.
HWY_INLINE void add_patches(const ConvScatter& job, Index count, float* image) {
  const Taps& taps = job.taps;
  for (Index phase = 0; phase < std::min(taps.width, count); ++phase) {
    for (Index place = phase; place < count; place += taps.width) {
      const float* patch = job.patches + place * job.weight_stride;
      float* channel = image + place;
      for (Index c = 0; c < taps.channels; ++c, channel += job.image_rows * job.image_pitch) {
        for (Index u = 0; u < taps.height; ++u, patch += taps.width)
          add_row(patch, taps.width, channel + u * job.image_pitch);
      }
    }
  }
}

void scatter_rows(const ConvScatter& job) {
  constexpr Index kLanes = lanes_of<float>();
  Places places;
  for (Index row = 0; row < job.rows; ++row) {
    for (Index first = 0; first < job.padded_filters; first += 64) {
      const Index filters = std::min<Index>(64, job.padded_filters - first);
      const std::uint8_t* bits = job.occupied + row * job.occupied_stride + 8 + first * job.padded_width / 8;
      places.weights = job.weights + first * job.weight_stride;
      for (Index b = 0; b < job.padded_width; b += kScatterPlaces) {
        places.count = std::min(kScatterPlaces, job.padded_width - b);
        places.codes = job.codes + row * job.row_stride + first * job.pitch + b;
        std::uint64_t any = 0;
        for (Index i = 0; i < places.count; i += 8) {
          active_filters(bits + (b + i) / 8, job.padded_width / 8, filters, places.active + i);
          for (Index column = i; column < i + 8; ++column) any |= places.active[column];
        }
        if (any == 0) continue;
        for (Index at = 0; at < job.weight_stride; at += kMostVectors * kLanes) {
          const Index left = (job.weight_stride - at) / kLanes;
          add_filters_of<kMostVectors>(static_cast<int>(std::min<Index>(left, kMostVectors)), job, places,
                                       at);
        }
        add_patches(job, places.count, job.image + row * job.image_pitch + b);
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace basin {

HWY_EXPORT(scatter_rows);

void conv_scatter(const ConvScatter& scatter) { HWY_DYNAMIC_DISPATCH(scatter_rows)(scatter); }

}  // namespace basin
#endif
