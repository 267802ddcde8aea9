#include "tensor/cpu/lasso/conv_lasso.h"
#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/lasso/conv_lasso_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstring>

#include "tensor/cpu/conv/conv-inl.h"

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
    for (Index j = 0; j < columns + kLine - 1; j += kLine)
      __builtin_prefetch(codes + q * pitch + std::min(j, columns - 1));
  }
}

/// Moves the codes of one tile, given the correlations D'r of its columns with four filters. Returns how many
/// are not zero.
template <class T, int kVectors>
HWY_INLINE Index move_tile(const ConvLassoRows<T>& job,
                           const Pixels<T> (&correlations)[kFilterBlock][kVectors], Index at, Index start,
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
      Pixels<T> next = job.non_negative ? hn::Max(hn::Sub(v, threshold), zero)
                                        : hn::Sub(v, hn::Max(hn::Neg(threshold), hn::Min(v, threshold)));
      if (left < kLanes)
        next = hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(std::max<Index>(left, 0))), next);
      hn::StoreU(next, d, job.previous + here);
      const Pixels<T> change = hn::Sub(next, z);
      sums.a = hn::MulAdd(hn::Sub(u, next), change, sums.a);
      sums.b = hn::MulAdd(change, change, sums.b);
      sums.c = hn::MulAdd(z, z, sums.c);
      if constexpr (sizeof(T) == 4) {
        const auto active = hn::Ne(next, zero);
        std::uint8_t now[8] = {};
        hn::StoreMaskBits(d, active, now);
        std::memcpy(bits + (q * job.padded_width + start + j * kLanes) / 8, now,
                    static_cast<std::size_t>(kLanes / 8));
        occupied += static_cast<Index>(hn::CountTrue(d, active));
      }
    }
  }
  return occupied;
}

/// What the duality gap needs of one tile.
template <class T, int kVectors>
HWY_INLINE void measure_tile(const ConvLassoRows<T>& job,
                             const Pixels<T> (&correlations)[kFilterBlock][kVectors], Index at, Index start,
                             RowSums<T>& sums) {
  const hn::ScalableTag<T> d;
  constexpr Index kLanes = lanes_of<T>();
  const Pixels<T> weight = hn::Set(d, job.weight), attraction = hn::Set(d, job.attraction),
                  zero = hn::Zero(d);
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
      if (left < kLanes)
        descent =
            hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(std::max<Index>(left, 0))), descent);
      sums.a = hn::Max(sums.a, job.non_negative ? hn::Max(descent, zero) : hn::Abs(descent));
      sums.d = hn::Add(sums.d, hn::Abs(z));
    }
  }
}

/// Correlations of the residual with four filters at two rows; see PairedFilters.
template <class T, int kVectors>
HWY_INLINE void correlate_pair(const ConvLassoRows<T>& job, Index k, Index start,
                               Pixels<T> (&first)[kFilterBlock][kVectors],
                               Pixels<T> (&second)[kFilterBlock][kVectors]) {
  const PairedFilters<T>& filters = job.filters;
  const auto every_second = [](Plane<T> x) { return Plane<T>{x.first, x.channel_stride, 2 * x.row_stride}; };
  correlate_filters<T, kVectors>(every_second(job.residual.at(1, start)), filters.even,
                                 filters.differences + k * filters.even.count(), second);
#pragma GCC unroll 4
  for (int q = 0; q < kFilterBlock; ++q) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) first[q][j] = hn::Neg(second[q][j]);
  }
  correlate_filters<T, kVectors>(every_second(job.paired.at(0, start)), filters.even,
                                 filters.even_weights + k * filters.even.count(), first, first);
  correlate_filters<T, kVectors>(every_second(job.paired.at(1, start)), filters.odd,
                                 filters.odd_weights + k * filters.odd.count(), second, second);
}

/// What is done to one row's tile.
template <class T, int kVectors>
HWY_INLINE void finish_tile(const ConvLassoRows<T>& job,
                            const Pixels<T> (&correlations)[kFilterBlock][kVectors], Index row, Index k,
                            Index start, RowSums<T>& sums, std::int64_t& occupied) {
  const Index at = (row * job.padded_filters + k) * job.pitch + start;
  if (job.previous == nullptr) return measure_tile<T, kVectors>(job, correlations, at, start, sums);
  occupied +=
      move_tile<T, kVectors>(job, correlations, at, start,
                             job.occupied + row * job.occupied_stride + 8 + k * job.padded_width / 8, sums);
}

template <class T>
HWY_INLINE void any_rows(const ConvLassoRows<T>& job) {
  const hn::ScalableTag<T> d;
  const Index lanes = lanes_of<T>(), tiled = (job.width + lanes - 1) / lanes * lanes;
  RowSums<T> sums[2];
  std::int64_t occupied[2] = {};
  std::fill(sums, sums + 2, RowSums<T>{hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)});
  for (Index k = 0; k < job.padded_filters; k += kFilterBlock) {
    for_column_tiles<T>(tiled, [&](Index start, auto vectors) HWY_ATTR {
      constexpr int kVectors = decltype(vectors)::value;
      for (Index row = 0; row < job.rows; ++row) {
        const Index at = (row * job.padded_filters + k) * job.pitch + start;
        prefetch_tile(job.codes + at, job.pitch, kVectors * lanes_of<T>());
        if (job.previous != nullptr) prefetch_tile(job.previous + at, job.pitch, kVectors * lanes_of<T>());
      }
      Pixels<T> first[kFilterBlock][kVectors], second[kFilterBlock][kVectors];
      correlate_pair<T, kVectors>(job, k, start, first, second);
      finish_tile<T, kVectors>(job, first, 0, k, start, sums[0], occupied[0]);
      if (job.rows > 1) finish_tile<T, kVectors>(job, second, 1, k, start, sums[1], occupied[1]);
    });
  }
  for (Index row = 0; row < job.rows; ++row) {
    const RowSums<T>& own = sums[row];
    if (job.previous != nullptr) {
      job.sums->uphill += total<T>(own.a);
      job.sums->move += total<T>(own.b);
      job.sums->length += total<T>(own.c);
      std::memcpy(job.occupied + row * job.occupied_stride, &occupied[row], 8);
    } else {
      alignas(64) T all[lanes_of<T>()];
      hn::Store(own.a, d, all);
      for (const T lane : all) job.sums->largest = std::max(job.sums->largest, static_cast<double>(lane));
      job.sums->deviation += total<T>(own.b);
      job.sums->along += total<T>(own.c);
      job.sums->norm += total<T>(own.d);
    }
  }
}

void rows_f32(const ConvLassoRows<float>& rows) { any_rows(rows); }
void rows_f64(const ConvLassoRows<double>& rows) { any_rows(rows); }

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace basin {

HWY_EXPORT(rows_f32);
HWY_EXPORT(rows_f64);

void conv_lasso_rows(const ConvLassoRows<float>& rows) { HWY_DYNAMIC_DISPATCH(rows_f32)(rows); }
void conv_lasso_rows(const ConvLassoRows<double>& rows) { HWY_DYNAMIC_DISPATCH(rows_f64)(rows); }

}  // namespace basin
#endif
