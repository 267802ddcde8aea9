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
  const Index per_block = job.taps.count() * kFilterBlock;
  for (Index row = 0; row < job.rows; ++row) {
    RowSums<T> sums{hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    std::uint8_t* record = job.previous != nullptr ? job.occupied + row * job.occupied_stride : nullptr;
    std::int64_t occupied = 0;
    for (Index k = 0; k < job.padded_filters; k += kFilterBlock) {
      const T* weights = job.weights + k / kFilterBlock * per_block;
      const Index line = (row * job.padded_filters + k) * job.pitch;
      for_column_tiles<T>(job.padded_width, [&](Index start, auto vectors) HWY_ATTR {
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

/// Adds one filter, `z` times, to the rows of the image that it reaches.
HWY_INLINE void add_filter(const ConvScatter& job, float z, const float* HWY_RESTRICT weights, float* HWY_RESTRICT image, Index rows) {
  const hn::ScalableTag<float> d;
  constexpr Index kLanes = lanes_of<float>();
  const auto value = hn::Set(d, z);
  for (Index u = 0; u < rows; ++u, weights += job.weight_pitch, image += job.image_pitch) {
    for (Index v = 0; v < job.weight_pitch; v += kLanes) {
      hn::StoreU(hn::MulAdd(value, hn::LoadU(d, weights + v), hn::LoadU(d, image + v)), d, image + v);
    }
  }
}

void scatter_rows(const ConvScatter& job) {
  const Index rows = job.last - job.first, h = job.taps.height;
  const Index begin = std::max<Index>(0, job.first + job.padding_y - h + 1), end = std::min(job.height, job.last + job.padding_y);
  for (Index a = begin; a < end; ++a) {
    const Index top = a - job.padding_y;  // the row of the image that the first row of a filter meets
    const Index u_begin = std::max<Index>(0, job.first - top), u_end = std::min(h, job.last - top);
    const std::uint8_t* bits = job.occupied + a * job.occupied_stride + 8;
    for (Index k = 0; k < job.padded_filters; ++k) {
      const float* codes = job.codes + a * job.row_stride + k * job.pitch;
      for (Index b = 0; b < job.padded_width; b += 16, bits += 2) {
        std::uint16_t piece;
        std::memcpy(&piece, bits, 2);
        for (unsigned active = piece; active != 0; active &= active - 1) {
          const Index column = b + __builtin_ctz(active);
          for (Index c = 0; c < job.taps.channels; ++c) {
            const float* weights = job.weights + ((k * job.taps.channels + c) * h + u_begin) * job.weight_pitch;
            float* image = job.image + (c * rows + top + u_begin - job.first) * job.image_pitch + column;
            add_filter(job, codes[column], weights, image, u_end - u_begin);
          }
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
