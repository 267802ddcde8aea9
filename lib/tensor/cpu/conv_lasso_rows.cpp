#include "tensor/cpu/conv_lasso.h"
#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/conv_lasso_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstring>

#include "tensor/cpu/conv-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

/// Sums of a row, a vector each; they go into f64 at its end.
template <class T>
struct RowSums {
  Pixels<T> a, b, c, d;
};

template <class T>
HWY_INLINE double total(Pixels<T> x) {
  const hn::ScalableTag<T> d;
  alignas(64) T lanes[lanes_of<T>()];
  hn::Store(x, d, lanes);
  double sum = 0.0;
  for (const T lane : lanes) sum += static_cast<double>(lane);
  return sum;
}

/// What lies ahead of the codes of a tile: its sums take long enough for them to arrive.
template <class T>
HWY_INLINE void prefetch_tile(const T* codes, Index pitch, Index columns) {
  constexpr Index kLine = 64 / static_cast<Index>(sizeof(T));
  for (Index q = 0; q < kFilterBlock; ++q) {
    for (Index j = 0; j < columns + kLine - 1; j += kLine) __builtin_prefetch(codes + q * pitch + std::min(j, columns - 1));
  }
}

/// Moves the codes of one tile, given the correlations D'r of its columns with four filters. Returns how many are not zero.
template <class T, int kVectors>
HWY_INLINE Index move_tile(const ConvLassoRows<T>& job, const Pixels<T> (&correlations)[kFilterBlock][kVectors], Index at, Index start,
                           std::uint8_t* bits, RowSums<T>& sums) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = lanes_of<T>();
  const Pixels<T> momentum = hn::Set(d, job.momentum), rate = hn::Set(d, job.step * job.weight),
                  pull = hn::Set(d, job.step * job.attraction);
  const Pixels<T> threshold = hn::Set(d, job.step * job.lambda), zero = hn::Zero(d);
  Index occupied = 0;
  for (int q = 0; q < kFilterBlock; ++q) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) {
      const Index here = at + q * job.pitch + j * kLanes, left = job.width - start - j * kLanes;
      const Pixels<T> z = hn::LoadU(d, job.codes + here), old = hn::LoadU(d, job.previous + here);
      const Pixels<T> u = hn::MulAdd(momentum, hn::Sub(z, old), z);
      Pixels<T> v = hn::MulAdd(rate, correlations[q][j], u);
      if (job.target != nullptr) v = hn::NegMulAdd(pull, hn::Sub(u, hn::LoadU(d, job.target + here)), v);
      Pixels<T> next =
          job.non_negative ? hn::Max(hn::Sub(v, threshold), zero) : hn::Sub(v, hn::Max(hn::Neg(threshold), hn::Min(v, threshold)));
      if (left < kLanes) next = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(std::max<Index>(left, 0))), next);
      hn::StoreU(next, d, job.previous + here);
      const Pixels<T> change = hn::Sub(next, z);
      sums.a = hn::MulAdd(hn::Sub(u, next), change, sums.a);
      sums.b = hn::MulAdd(change, change, sums.b);
      sums.c = hn::MulAdd(z, z, sums.c);
      if constexpr (sizeof(T) == 4) {
        const auto active = hn::Ne(next, zero);
        std::uint8_t now[8] = {};
        hn::StoreMaskBits(d, active, now);
        std::memcpy(bits + (q * job.padded_width + start + j * kLanes) / 8, now, static_cast<std::size_t>(kLanes / 8));
        occupied += static_cast<Index>(hn::CountTrue(d, active));
      }
    }
  }
  return occupied;
}

/// What the duality gap needs of one tile.
template <class T, int kVectors>
HWY_INLINE void measure_tile(const ConvLassoRows<T>& job, const Pixels<T> (&correlations)[kFilterBlock][kVectors], Index at, Index start,
                             RowSums<T>& sums) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = lanes_of<T>();
  const Pixels<T> weight = hn::Set(d, job.weight), attraction = hn::Set(d, job.attraction), zero = hn::Zero(d);
  for (int q = 0; q < kFilterBlock; ++q) {
    for (int j = 0; j < kVectors; ++j) {
      const Index here = at + q * job.pitch + j * kLanes, left = job.width - start - j * kLanes;
      const Pixels<T> z = hn::LoadU(d, job.codes + here);
      Pixels<T> descent = hn::Mul(weight, correlations[q][j]);
      if (job.target != nullptr) {
        const Pixels<T> away = hn::Sub(z, hn::LoadU(d, job.target + here));
        descent = hn::NegMulAdd(attraction, away, descent);
        sums.b = hn::MulAdd(away, away, sums.b);
        sums.c = hn::MulAdd(z, away, sums.c);
      }
      if (left < kLanes) descent = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(std::max<Index>(left, 0))), descent);
      sums.a = hn::Max(sums.a, job.non_negative ? hn::Max(descent, zero) : hn::Abs(descent));
      sums.d = hn::Add(sums.d, hn::Abs(z));
    }
  }
}

template <class T>
HWY_INLINE void any_rows(const ConvLassoRows<T>& job) {
  const hn::ScalableTag<T> d;
  const Index per_block = job.taps.count() * kFilterBlock, lanes = lanes_of<T>(), tiled = (job.width + lanes - 1) / lanes * lanes;
  for (Index row = 0; row < job.rows; ++row) {
    RowSums<T> sums{hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    std::uint8_t* record = job.previous != nullptr ? job.occupied + row * job.occupied_stride : nullptr;
    std::int64_t occupied = 0;
    for (Index k = 0; k < job.padded_filters; k += kFilterBlock) {
      const T* weights = job.weights + k / kFilterBlock * per_block;
      const Index line = (row * job.padded_filters + k) * job.pitch;
      for_column_tiles<T>(tiled, [&](Index start, auto vectors) HWY_ATTR {
        constexpr int kVectors = decltype(vectors)::value;
        prefetch_tile(job.codes + line + start, job.pitch, kVectors * lanes_of<T>());
        if (job.previous != nullptr) prefetch_tile(job.previous + line + start, job.pitch, kVectors * lanes_of<T>());
        Pixels<T> correlations[kFilterBlock][kVectors];
        correlate_filters<T, kVectors>(job.residual.at(row, start), job.taps, weights, correlations);
        if (job.previous != nullptr) {
          occupied += move_tile<T, kVectors>(job, correlations, line + start, start, record + 8 + k * job.padded_width / 8, sums);
        } else {
          measure_tile<T, kVectors>(job, correlations, line + start, start, sums);
        }
      });
    }
    if (job.previous != nullptr) {
      job.sums->uphill += total<T>(sums.a);
      job.sums->move += total<T>(sums.b);
      job.sums->length += total<T>(sums.c);
      std::memcpy(record, &occupied, 8);
    } else {
      alignas(64) T lanes[lanes_of<T>()];
      hn::Store(sums.a, d, lanes);
      for (const T lane : lanes) job.sums->largest = std::max(job.sums->largest, static_cast<double>(lane));
      job.sums->deviation += total<T>(sums.b);
      job.sums->along += total<T>(sums.c);
      job.sums->norm += total<T>(sums.d);
    }
  }
}

void rows_f32(const ConvLassoRows<float>& rows) { any_rows(rows); }
void rows_f64(const ConvLassoRows<double>& rows) { any_rows(rows); }

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

/// Which of up to 64 filters have a code other than zero, for each of 8 columns. `bits` is the columns' byte of the first filter, `codes`
/// its first code there; those that will be needed are fetched, since nothing else foresees them.
HWY_INLINE void active_filters(const std::uint8_t* bits, Index line_bytes, const float* codes, Index pitch, Index filters,
                               std::uint64_t (&masks)[8]) {
  std::fill(masks, masks + 8, std::uint64_t{0});
  for (Index k = 0; k < filters; k += 8) {
    std::uint64_t block = 0;
    for (Index i = 0; i < std::min<Index>(8, filters - k); ++i) {
      const std::uint64_t byte = bits[(k + i) * line_bytes];
      block |= byte << (8 * i);
      if (byte != 0) __builtin_prefetch(codes + (k + i) * pitch);
    }
    if (block == 0) continue;
    const std::uint64_t columns = turned_bits(block);
    for (int column = 0; column < 8; ++column) masks[column] |= (columns >> (8 * column) & 255) << k;
  }
}

/// patch[i] = sum over the filters in `active` of code * weights[filter][i] for kVectors vectors: a place's filters are added up in
/// registers before anything is added to the image.
template <int kVectors>
HWY_INLINE void add_filters(std::uint64_t active, const float* codes, Index pitch, const float* weights, Index stride,
                            float* HWY_RESTRICT patch) {
  const hn::ScalableTag<float> d;
  constexpr Index kLanes = lanes_of<float>();
  Pixels<float> sum[kVectors];
#pragma GCC unroll 12
  for (int i = 0; i < kVectors; ++i) sum[i] = hn::Zero(d);
  for (; active != 0; active &= active - 1) {
    const Index k = __builtin_ctzll(active);
    const auto code = hn::Set(d, codes[k * pitch]);
    const float* HWY_RESTRICT filter = weights + k * stride;
#pragma GCC unroll 12
    for (int i = 0; i < kVectors; ++i) sum[i] = hn::MulAdd(code, hn::LoadU(d, filter + i * kLanes), sum[i]);
  }
#pragma GCC unroll 12
  for (int i = 0; i < kVectors; ++i) hn::StoreU(sum[i], d, patch + i * kLanes);
}

/// image[i] += patch[i] for i < n; up to a vector behind may be written as it is.
HWY_INLINE void add_row(const float* HWY_RESTRICT patch, Index n, float* HWY_RESTRICT image) {
  const hn::ScalableTag<float> d;
  constexpr Index kLanes = lanes_of<float>();
  Index v = 0;
  for (; v + kLanes <= n; v += kLanes) hn::StoreU(hn::Add(hn::LoadU(d, image + v), hn::LoadU(d, patch + v)), d, image + v);
  for (; v < n && n - v <= 2; ++v) image[v] += patch[v];
  if (v < n) {
    const auto rest = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(n - v)), hn::LoadU(d, patch + v));
    hn::StoreU(hn::Add(hn::LoadU(d, image + v), rest), d, image + v);
  }
}

/// Adds the filters of one place to the image.
HWY_INLINE void scatter_place(const ConvScatter& job, std::uint64_t active, const float* codes, const float* weights, float* image) {
  constexpr Index kLanes = lanes_of<float>();
  const Index count = job.taps.count();
  for (Index at = 0; at < count;) {
    const Index left = count - at;
    if (left > 8 * kLanes) {
      add_filters<12>(active, codes, job.pitch, weights + at, count, job.patch + at);
      at += 12 * kLanes;
    } else if (left > 4 * kLanes) {
      add_filters<8>(active, codes, job.pitch, weights + at, count, job.patch + at);
      at += 8 * kLanes;
    } else {
      add_filters<4>(active, codes, job.pitch, weights + at, count, job.patch + at);
      at += 4 * kLanes;
    }
  }
  const float* patch = job.patch;
  for (Index c = 0; c < job.taps.channels; ++c, image += job.image_rows * job.image_pitch) {
    for (Index u = 0; u < job.taps.height; ++u, patch += job.taps.width) add_row(patch, job.taps.width, image + u * job.image_pitch);
  }
}

void scatter_rows(const ConvScatter& job) {
  std::uint64_t masks[2][8];
  for (Index row = 0; row < job.rows; ++row) {
    for (Index first = 0; first < job.padded_filters; first += 64) {
      const Index filters = std::min<Index>(64, job.padded_filters - first);
      const float* codes = job.codes + row * job.row_stride + first * job.pitch;
      const std::uint8_t* bits = job.occupied + row * job.occupied_stride + 8 + first * job.padded_width / 8;
      // Eight columns ahead of those that are added.
      for (Index b = 0; b < job.padded_width + 8; b += 8) {
        if (b < job.padded_width) active_filters(bits + b / 8, job.padded_width / 8, codes + b, job.pitch, filters, masks[b / 8 % 2]);
        if (b == 0) continue;
        for (Index column = 0; column < 8; ++column) {
          const std::uint64_t active = masks[(b / 8 + 1) % 2][column];
          if (active == 0) continue;
          const Index at = b - 8 + column;
          scatter_place(job, active, codes + at, job.weights + first * job.taps.count(), job.image + row * job.image_pitch + at);
        }
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace basin {

HWY_EXPORT(rows_f32);
HWY_EXPORT(rows_f64);
HWY_EXPORT(scatter_rows);

void conv_lasso_rows(const ConvLassoRows<float>& rows) { HWY_DYNAMIC_DISPATCH(rows_f32)(rows); }
void conv_lasso_rows(const ConvLassoRows<double>& rows) { HWY_DYNAMIC_DISPATCH(rows_f64)(rows); }
void conv_scatter(const ConvScatter& scatter) { HWY_DYNAMIC_DISPATCH(scatter_rows)(scatter); }

}  // namespace basin
#endif
