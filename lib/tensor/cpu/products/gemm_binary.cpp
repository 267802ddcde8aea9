#include "tensor/cpu/products/gemm_binary.h"

#include "tensor/cpu/vector_targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/cpu/products/gemm_binary.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#ifndef BASIN_TENSOR_CPU_GEMM_BINARY_CONSTANTS
#define BASIN_TENSOR_CPU_GEMM_BINARY_CONSTANTS
namespace basin {

constexpr Index kFour = 4;      // rows of op(B) in a group
constexpr Index kSubsets = 16;  // of a group
constexpr Index kColumns = 32;  // of C in a panel
constexpr Index kGroups = 12;   // whose tables (24 KiB) are in the first-level cache together
constexpr Index kRows = 1024;   // of C whose running sums (128 KiB) stay in the second-level cache
constexpr Index kTable = kSubsets * kColumns;

/// A panel of C: rows [first, first + rows), columns [column, column + width).
struct Panel {
  Index first, rows, column, width;
};

}  // namespace basin
#endif

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lane = hn::CappedTag<float, static_cast<size_t>(kColumns)>;
using Vector = hn::Vec<Lane>;
constexpr Index kLanes = static_cast<Index>(hn::MaxLanes(Lane()));
constexpr Index kVectors = kColumns / kLanes;  // a panel's width
constexpr Index kTogether = 12 / kVectors;     // rows whose sums are in registers at a time

/// Where the tables of a panel hold the sum of a group's subset.
HWY_INLINE std::uint16_t place(Index group, int subset) {
  return static_cast<std::uint16_t>(group % kGroups * kTable + subset * kColumns);
}

/// The subsets of every group of a row of zeros and ones. False when there are other numbers.
bool encode_row(const float* a, Index k, std::uint16_t* codes) {
  const Lane d;
  const Vector zero = hn::Zero(d), one = hn::Set(d, 1.0f);
  auto binary = hn::Eq(zero, zero);
  for (Index l = 0; l < k; l += kLanes) {
    const Vector x = hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(k - l)), d, a + l);
    const auto ones = hn::Eq(x, one);
    binary = hn::And(binary, hn::Or(ones, hn::Eq(x, zero)));
    std::uint8_t bits[8] = {};
    hn::StoreMaskBits(d, ones, bits);
    for (Index i = 0; i < kLanes && l + i < k; i += kFour)
      codes[(l + i) / kFour] = place((l + i) / kFour, bits[i / 8] >> (i % 8) & 15);
  }
  return hn::AllTrue(d, binary);
}

/// The same for op(A) = A': the subsets of one group, `rows` <= 4 rows of A, in all its columns.
bool encode_columns(const float* a, Index lda, Index rows, Index columns, Index group, std::uint16_t* codes,
                    Index stride) {
  const Lane d;
  const hn::RebindToSigned<Lane> di;
  const Vector zero = hn::Zero(d), one = hn::Set(d, 1.0f);
  auto binary = hn::Eq(zero, zero);
  for (Index i = 0; i < columns; i += kLanes) {
    const auto used = hn::FirstN(d, static_cast<std::size_t>(columns - i));
    auto code = hn::Set(di, place(group, 0));
    for (Index l = 0; l < rows; ++l) {
      const Vector x = hn::MaskedLoad(used, d, a + l * lda + i);
      const auto ones = hn::Eq(x, one);
      binary = hn::And(binary, hn::Or(ones, hn::Eq(x, zero)));
      code = hn::Add(code, hn::IfThenElseZero(hn::RebindMask(di, ones),
                                              hn::Set(di, static_cast<std::int32_t>(kColumns << l))));
    }
    alignas(64) std::int32_t places[kLanes];
    hn::Store(code, di, places);
    for (Index lane = 0; lane < std::min(kLanes, columns - i); ++lane)
      codes[(i + lane) * stride] = static_cast<std::uint16_t>(places[lane]);
  }
  return hn::AllTrue(d, binary);
}

/// The 16 subset sums of four rows: table[s] = sum of the rows in the bits of s.
HWY_INLINE void tabulate(const float* const (&rows)[kFour], Index width, float* HWY_RESTRICT table) {
  const Lane d;
  for (Index v = 0; v < kColumns; v += kLanes) {
    Vector sums[kSubsets];
    sums[0] = hn::Zero(d);
    const auto used = hn::FirstN(d, static_cast<std::size_t>(std::max(width - v, Index{0})));
    for (Index l = 0; l < kFour; ++l) {
      const Vector row = rows[l] == nullptr ? hn::Zero(d) : hn::MaskedLoad(used, d, rows[l] + v);
      for (Index s = 0; s < (Index{1} << l); ++s) sums[(Index{1} << l) + s] = hn::Add(sums[s], row);
    }
    for (Index s = 0; s < kSubsets; ++s) hn::Store(sums[s], d, table + s * kColumns + v);
  }
}

/// turned[l, j] = b[j, l] for `width` rows of b and its first `depth` columns, four by four.
HWY_INLINE void turn(const float* b, Index ldb, Index width, Index depth, float* HWY_RESTRICT turned) {
  const hn::Full128<float> d;
  const hn::Repartition<double, decltype(d)> dd;
  const auto pairs = [dd](auto x) HWY_ATTR { return hn::BitCast(dd, x); };
  for (Index j = 0; j < width; j += 4) {
    for (Index l = 0; l < depth; l += 4) {
      if (j + 4 > width || l + 4 > depth) {
        for (Index at = 0; at < 16; ++at) {
          if (j + at / 4 < width && l + at % 4 < depth)
            turned[(l + at % 4) * kColumns + j + at / 4] = b[(j + at / 4) * ldb + l + at % 4];
        }
        continue;
      }
      const float* from = b + j * ldb + l;
      const auto r0 = hn::LoadU(d, from), r1 = hn::LoadU(d, from + ldb), r2 = hn::LoadU(d, from + 2 * ldb),
                 r3 = hn::LoadU(d, from + 3 * ldb);
      const auto low01 = pairs(hn::InterleaveLower(d, r0, r1)), low23 = pairs(hn::InterleaveLower(d, r2, r3));
      const auto high01 = pairs(hn::InterleaveUpper(d, r0, r1)),
                 high23 = pairs(hn::InterleaveUpper(d, r2, r3));
      float* to = turned + l * kColumns + j;
      hn::Store(hn::BitCast(d, hn::InterleaveLower(dd, low01, low23)), d, to);
      hn::Store(hn::BitCast(d, hn::InterleaveUpper(dd, low01, low23)), d, to + kColumns);
      hn::Store(hn::BitCast(d, hn::InterleaveLower(dd, high01, high23)), d, to + 2 * kColumns);
      hn::Store(hn::BitCast(d, hn::InterleaveUpper(dd, high01, high23)), d, to + 3 * kColumns);
    }
  }
}

/// Fetches the part of op(B) that the next tables are made of: it lies in short pieces that processors do not
/// foresee.
HWY_INLINE void fetch(const float* b, Index ldb, Index rows, Index columns) {
  for (Index l = 0; l < rows; ++l) {
    for (Index j = 0; j < columns + 15; j += 16)
      __builtin_prefetch(b + l * ldb + std::min(j, columns - 1), 0, 2);
  }
}

/// Adds the named sums of `groups` tables to kTogether rows of running sums. `stride` lies between the codes
/// of two rows.
HWY_INLINE void add_subsets(const float* HWY_RESTRICT tables, Index groups,
                            const std::uint16_t* HWY_RESTRICT codes, Index stride, bool first,
                            float* HWY_RESTRICT sums) {
  const Lane d;
  Vector sum[kTogether][kVectors];
  for (Index r = 0; r < kTogether; ++r) {
    for (Index v = 0; v < kVectors; ++v)
      sum[r][v] = first ? hn::Zero(d) : hn::Load(d, sums + r * kColumns + v * kLanes);
  }
  for (Index g = 0; g < groups; ++g) {
    for (Index r = 0; r < kTogether; ++r) {
      const float* subset = tables + codes[r * stride + g];
      for (Index v = 0; v < kVectors; ++v) sum[r][v] = hn::Add(sum[r][v], hn::Load(d, subset + v * kLanes));
    }
  }
  for (Index r = 0; r < kTogether; ++r) {
    for (Index v = 0; v < kVectors; ++v) hn::Store(sum[r][v], d, sums + r * kColumns + v * kLanes);
  }
}

/// One panel. `codes` has `stride` places a row, and so has `sums` rows, for whole kTogether rows.
void multiply_panel(const GemmCall& call, const std::uint16_t* codes, Index stride, const Panel& panel,
                    float* sums) {
  const auto* b = static_cast<const float*>(call.b);
  alignas(64) float tables[kGroups * kTable];
  alignas(64) float turned[kGroups * kFour * kColumns];
  const Index all = (call.k + kFour - 1) / kFour;
  for (Index start = 0; start < all; start += kGroups) {
    const Index groups = std::min(kGroups, all - start);
    const Index depth = std::min(groups * kFour, call.k - start * kFour);
    if (call.transpose_b) {
      turn(b + panel.column * call.ldb + start * kFour, call.ldb, panel.width, depth, turned);
    }
    for (Index g = 0; g < groups; ++g) {
      const float* rows[kFour];
      for (Index l = 0; l < kFour; ++l) {
        const Index at = g * kFour + l;
        rows[l] = at >= depth        ? nullptr
                  : call.transpose_b ? turned + at * kColumns
                                     : b + (start * kFour + at) * call.ldb + panel.column;
      }
      tabulate(rows, panel.width, tables + g * kTable);
    }
    const Index next = start + kGroups;
    if (next < all) {
      const Index ahead = std::min(kGroups * kFour, call.k - next * kFour);
      if (call.transpose_b) {
        fetch(b + panel.column * call.ldb + next * kFour, call.ldb, panel.width, ahead);
      } else {
        fetch(b + next * kFour * call.ldb + panel.column, call.ldb, ahead, panel.width);
      }
    }
    for (Index i = 0; i < panel.rows; i += kTogether) {
      add_subsets(tables, groups, codes + (panel.first + i) * stride + start, stride, start == 0,
                  sums + i * kColumns);
    }
  }
  const Lane d;
  const Vector alpha = hn::Set(d, static_cast<float>(call.alpha)),
               beta = hn::Set(d, static_cast<float>(call.beta));
  const bool add = call.beta != 0.0;
  for (Index i = 0; i < panel.rows; ++i) {
    float* c = static_cast<float*>(call.c) + (panel.first + i) * call.ldc + panel.column;
    __builtin_prefetch(c + 8 * call.ldc);
    __builtin_prefetch(c + 8 * call.ldc + 16);
    __builtin_prefetch(c + 8 * call.ldc + 31);
    Index v = 0;
    for (; v + kLanes <= panel.width; v += kLanes) {
      const Vector result = hn::Mul(alpha, hn::Load(d, sums + i * kColumns + v));
      hn::StoreU(add ? hn::MulAdd(beta, hn::LoadU(d, c + v), result) : result, d, c + v);
    }
    if (v < panel.width) {  // masked stores are slow on some processors: only here
      const auto used = hn::FirstN(d, static_cast<std::size_t>(panel.width - v));
      const Vector result = hn::Mul(alpha, hn::Load(d, sums + i * kColumns + v));
      hn::BlendedStore(add ? hn::MulAdd(beta, hn::MaskedLoad(used, d, c + v), result) : result, used, d,
                       c + v);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <omp.h>

#include <atomic>
#include <vector>

namespace basin {

HWY_EXPORT(encode_row);
HWY_EXPORT(encode_columns);
HWY_EXPORT(multiply_panel);

namespace {

/// Below these extents the tables cost more than they save.
constexpr Index kLeastRows = 32, kLeastColumns = 16, kLeastDepth = 16;

/// Rows that every instruction set's kTogether divides.
constexpr Index kWhole = 6;

/// Multiply-adds of a dense product that are worth a second thread.
constexpr Index kThreadWork = 1 << 19;

Index ceiling(Index n, Index divisor) { return (n + divisor - 1) / divisor; }

/// Each thread's running sums; codes beyond the last row are old ones, which name a place in the tables all
/// the same.
float* running_sums() {
  thread_local std::vector<float> memory(static_cast<std::size_t>((kRows + kWhole) * kColumns) + 16);
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  return memory.data() + (64 - address % 64) % 64 / sizeof(float);
}

std::uint16_t* code_memory(Index places) {
  thread_local std::vector<std::uint16_t> memory;
  if (memory.size() < static_cast<std::size_t>(places)) memory.resize(static_cast<std::size_t>(places));
  return memory.data();
}

/// Encodes row i of op(A), or group i of all its rows when A is transposed.
bool encode(const GemmCall& call, Index i, Index stride, std::uint16_t* codes) {
  const auto* a = static_cast<const float*>(call.a);
  if (!call.transpose_a)
    return HWY_DYNAMIC_DISPATCH(encode_row)(a + i * call.lda, call.k, codes + i * stride);
  const Index rows = std::min(kFour, call.k - i * kFour);
  return HWY_DYNAMIC_DISPATCH(encode_columns)(a + i * kFour * call.lda, call.lda, rows, call.m, i, codes + i,
                                              stride);
}

}  // namespace

bool binary_gemm(const GemmCall& call) {
  if (call.m < kLeastRows || call.n < kLeastColumns || call.k < kLeastDepth) return false;
  const Index stride = ceiling(call.k, kFour), encodings = call.transpose_a ? stride : call.m;
  std::uint16_t* codes = code_memory((call.m + kWhole) * stride);
  if (!encode(call, 0, stride, codes)) return false;  // other matrices are mostly found out here
  const int threads =
      call.m * call.n * call.k < kThreadWork || omp_in_parallel() != 0 ? 1 : omp_get_max_threads();
  const Index panels = ceiling(call.n, kColumns), blocks = std::max(ceiling(call.m, kRows), threads / panels);
  const Index rows = ceiling(call.m, blocks * kWhole) * kWhole;
  std::atomic<bool> binary = true;
#pragma omp parallel num_threads(threads)
  {
#pragma omp for schedule(static)
    for (Index i = 1; i < encodings; ++i) {
      if (binary.load(std::memory_order_relaxed) && !encode(call, i, stride, codes))
        binary.store(false, std::memory_order_relaxed);
    }
    if (binary.load(std::memory_order_relaxed)) {
      float* sums = running_sums();
#pragma omp for schedule(static)
      for (Index item = 0; item < panels * blocks; ++item) {
        const Index column = item / blocks * kColumns, first = item % blocks * rows;
        if (first >= call.m) continue;
        const Panel panel{first, std::min(rows, call.m - first), column, std::min(kColumns, call.n - column)};
        HWY_DYNAMIC_DISPATCH(multiply_panel)(call, codes, stride, panel, sums);
      }
    }
  }
  return binary.load(std::memory_order_relaxed);
}

}  // namespace basin
#endif
