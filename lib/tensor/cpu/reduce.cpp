#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

// Every accumulation is in double, over blocks whose borders depend on the sizes alone: first within a block,
// then the blocks in order. Threads share out whole blocks and outputs, so results do not depend on their
// number.

/// Elements of a block along the middle axis when it is contiguous (inner = 1).
constexpr Index kRun = 16384;
/// Middle places of a block, and neighbouring outputs taken together, when inner > 1.
constexpr Index kBlock = 1024;
constexpr Index kColumns = 128;
/// Partial results of a run: enough independent chains to keep two vector units of four doubles busy.
constexpr Index kLanes = 16;

struct Sum {
  static constexpr double kEmpty = 0.0;
  static double join(double a, double b) { return a + b; }
};

struct Largest {
  static constexpr double kEmpty = -std::numeric_limits<double>::infinity();
  static double join(double a, double b) { return a > b || a != a ? a : b; }  // a NaN stays
};

/// All n neighbours x[0 .. n) into one number.
template <class Op, class T>
double reduce_run(const T* x, Index n) {
  std::array<double, kLanes> lanes;
  lanes.fill(Op::kEmpty);
  Index i = 0;
  for (; i + kLanes <= n; i += kLanes) {
#pragma omp simd
    for (Index lane = 0; lane < kLanes; ++lane) {
      lanes[static_cast<std::size_t>(lane)] =
          Op::join(lanes[static_cast<std::size_t>(lane)], static_cast<double>(x[i + lane]));
    }
  }
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] = Op::join(lanes[lane], lanes[lane + half]);
  }
  double result = lanes[0];
  for (; i < n; ++i) result = Op::join(result, static_cast<double>(x[i]));
  return result;
}

/// y[j] = the join over m < middle of x[m * inner + j], for j < columns <= kColumns.
template <class Op, class T>
void reduce_columns(const T* x, Index middle, Index inner, Index columns, double* y) {
  std::fill_n(y, columns, Op::kEmpty);
  for (Index m = 0; m < middle; ++m) {
    const T* row = x + m * inner;
#pragma omp simd
    for (Index j = 0; j < columns; ++j) y[j] = Op::join(y[j], static_cast<double>(row[j]));
  }
}

template <class Op, class T>
void reduce_as(const T* x, T* y, Index outer, Index middle, Index inner) {
  const Index length = inner == 1 ? kRun : kBlock;
  const Index blocks = std::max<Index>(1, (middle + length - 1) / length);
  const Index strips = (inner + kColumns - 1) / kColumns;
  // One item is (outer place, block, strip of columns); a single block needs no room for partial results.
  std::vector<double> partial(blocks == 1 ? 0 : static_cast<std::size_t>(outer * blocks * inner));
  const Index items = outer * blocks * strips;
  parallel_ranges(
      items, std::min(middle, length) * std::min(inner, kColumns), 1, [&](Index begin, Index end) {
        for (Index item = begin; item < end; ++item) {
          const Index strip = item % strips, block = item / strips % blocks, o = item / (strips * blocks);
          const Index start = block * length, count = std::min(length, middle - start);
          const Index left = strip * kColumns, columns = std::min(kColumns, inner - left);
          const T* from = x + (o * middle + start) * inner + left;
          std::array<double, kColumns> results;
          if (inner == 1) {
            results[0] = reduce_run<Op>(from, count);
          } else {
            reduce_columns<Op>(from, count, inner, columns, results.data());
          }
          if (blocks == 1) {
            std::transform(results.begin(), results.begin() + columns, y + o * inner + left,
                           [](double a) { return static_cast<T>(a); });
          } else {
            std::copy_n(results.begin(), columns, partial.begin() + (o * blocks + block) * inner + left);
          }
        }
      });
  if (blocks == 1) return;
  for (Index o = 0; o < outer; ++o) {
    for (Index j = 0; j < inner; ++j) {
      double result = Op::kEmpty;
      for (Index block = 0; block < blocks; ++block) {
        result = Op::join(result, partial[static_cast<std::size_t>((o * blocks + block) * inner + j)]);
      }
      y[o * inner + j] = static_cast<T>(result);
    }
  }
}

/// log sum_m exp(x[m]) = top + log sum_m exp(x[m] - top) with top = max_m x[m]. Where top is not finite it is
/// the answer: -inf when all terms are exp(-inf), +inf or NaN when one is.
template <class T>
T log_sum_exp(const T* x, Index n, Index stride) {
  constexpr Index kTerms = 256;  // at a time through the vector exponential
  std::array<T, kTerms> terms;
  const auto for_each_block = [&](const auto& body) {
    for (Index start = 0; start < n; start += kTerms) {
      const Index count = std::min(kTerms, n - start);
      for (Index i = 0; i < count; ++i) terms[static_cast<std::size_t>(i)] = x[(start + i) * stride];
      body(count);
    }
  };
  double top = Largest::kEmpty, sum = 0.0;
  for_each_block([&](Index count) { top = Largest::join(top, reduce_run<Largest>(terms.data(), count)); });
  if (!std::isfinite(top)) return static_cast<T>(top);
  for_each_block([&](Index count) {
    for (Index i = 0; i < count; ++i) terms[static_cast<std::size_t>(i)] -= static_cast<T>(top);
    CpuBackend().unary(Unary::Exp, std::is_same_v<T, float> ? Dtype::F32 : Dtype::F64, terms.data(),
                       terms.data(), count);
    sum += reduce_run<Sum>(terms.data(), count);
  });
  return static_cast<T>(top + std::log(sum));
}

template <class T>
void log_sum_exp_as(const T* x, T* y, Index outer, Index middle, Index inner) {
  parallel_ranges(outer * inner, middle, 1, [&](Index begin, Index end) {
    for (Index at = begin; at < end; ++at) {
      y[at] = log_sum_exp(x + at / inner * middle * inner + at % inner, middle, inner);
    }
  });
}

template <class T>
void dispatch(Reduction op, const void* x, void* y, Index outer, Index middle, Index inner) {
  const auto* from = static_cast<const T*>(x);
  auto* to = static_cast<T*>(y);
  if (outer * inner == 0) return;
  switch (op) {
    case Reduction::Sum:
      return reduce_as<Sum>(from, to, outer, middle, inner);
    case Reduction::Max:
      return reduce_as<Largest>(from, to, outer, middle, inner);
    case Reduction::LogSumExp:
      return log_sum_exp_as(from, to, outer, middle, inner);
  }
}

}  // namespace

void CpuBackend::reduce(Reduction op, Dtype dtype, const void* x, void* y, Index outer, Index middle,
                        Index inner) {
  if (dtype == Dtype::F32) {
    dispatch<float>(op, x, y, outer, middle, inner);
  } else {
    dispatch<double>(op, x, y, outer, middle, inner);
  }
}

}  // namespace basin
