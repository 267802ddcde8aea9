#include "tensor/cpu/products/gemm_one_hot.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "tensor/cpu/parallel.h"

namespace basin {
namespace {

constexpr std::int32_t kNone = -1;      // of a row of zeros
constexpr Index kFour = 4;              // rows that binary_gemm adds up before it adds them to the rest
constexpr Index kLine = 16;             // numbers of a cache line
constexpr Index kLeastColumns = kLine;  // below which dense products gain from small numbers alone

/// Where the 1 of a row stands. False when the row has other numbers.
bool find_one(const float* row, Index count, std::int32_t& place) {
  place = kNone;
  for (Index i = 0; i < count; ++i) {
    if (row[i] == 0.0f) continue;
    if (row[i] != 1.0f || place != kNone) return false;
    place = static_cast<std::int32_t>(i);
  }
  return true;
}

/// c = alpha * sum + beta * c.
void write(const GemmCall& call, const float* sum, float* c, Index count) {
  const auto alpha = static_cast<float>(call.alpha), beta = static_cast<float>(call.beta);
  if (call.beta == 0.0) {
    for (Index j = 0; j < count; ++j) c[j] = alpha * sum[j];
  } else {
    for (Index j = 0; j < count; ++j) c[j] = std::fma(beta, c[j], alpha * sum[j]);
  }
}

const float* row_of_b(const GemmCall& call, Index row) {
  return static_cast<const float*>(call.b) + row * call.ldb;
}

void take_rows(const GemmCall& call, std::span<const std::int32_t> places) {
  const std::vector<float> zeros(static_cast<std::size_t>(call.n), 0.0f);
  parallel_ranges(call.m, call.n, 1, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const std::int32_t place = places[static_cast<std::size_t>(i)];
      write(call, place == kNone ? zeros.data() : row_of_b(call, place),
            static_cast<float*>(call.c) + i * call.ldc, call.n);
    }
  });
}

/// Threads take columns, so that every sum is formed in one order.
void add_rows(const GemmCall& call, std::span<const std::int32_t> places) {
  std::vector<float> sums(static_cast<std::size_t>(call.m * call.n), 0.0f);
  parallel_ranges(call.n, call.k, kLine, [&](Index begin, Index end) {
    const Index width = end - begin;
    float together[kFour][kLine];
    for (Index from = 0; from < call.k; from += kFour) {
      const Index count = std::min(kFour, call.k - from);
      for (Index column = begin; column < end; column += kLine) {
        const Index wide = std::min(kLine, end - column);
        // Rows of one symbol among four are added to one another first.
        for (Index r = 0; r < count; ++r) {
          const std::int32_t place = places[static_cast<std::size_t>(from + r)];
          Index first = 0;
          while (places[static_cast<std::size_t>(from + first)] != place) ++first;
          const float* row = row_of_b(call, from + r) + column;
          float* to = together[first];
          for (Index j = 0; j < wide; ++j) to[j] = first == r ? 0.0f + row[j] : to[j] + row[j];
        }
        for (Index r = 0; r < count; ++r) {
          const std::int32_t place = places[static_cast<std::size_t>(from + r)];
          bool is_first = place != kNone;
          for (Index before = 0; before < r; ++before)
            is_first = is_first && places[static_cast<std::size_t>(from + before)] != place;
          if (!is_first) continue;
          float* sum = sums.data() + place * call.n + column;
          for (Index j = 0; j < wide; ++j) sum[j] += together[r][j];
        }
      }
    }
    for (Index i = 0; i < call.m; ++i)
      write(call, sums.data() + i * call.n + begin, static_cast<float*>(call.c) + i * call.ldc + begin,
            width);
  });
}

}  // namespace

bool one_hot_gemm(const GemmCall& call) {
  const Index rows = call.transpose_a ? call.k : call.m, symbols = call.transpose_a ? call.m : call.k;
  if (call.transpose_b || call.n < kLeastColumns || symbols < 2) return false;
  thread_local std::vector<std::int32_t> memory;
  memory.resize(static_cast<std::size_t>(rows));
  const auto* a = static_cast<const float*>(call.a);
  for (Index row = 0; row < rows; ++row) {
    if (!find_one(a + row * call.lda, symbols, memory[static_cast<std::size_t>(row)])) return false;
  }
  call.transpose_a ? add_rows(call, memory) : take_rows(call, memory);
  return true;
}

}  // namespace basin
