// Philox4x32-10 in vectors, equal bit for bit to tensor/philox.h, for every instruction set.
// Included once per target: the guard flips with each inclusion by foreach_target.h.
#if defined(BASIN_TENSOR_CPU_RANDOM_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BASIN_TENSOR_CPU_RANDOM_INL_H
#undef BASIN_TENSOR_CPU_RANDOM_INL_H
#else
#define BASIN_TENSOR_CPU_RANDOM_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "tensor/cpu/draws/random_stream.h"
#include "tensor/cpu/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

using Wides = hn::Repartition<std::uint64_t, Words>;
using Wide = hn::Vec<Wides>;

/// Calls sink(i, words) for i = 0, N, 2 N, ... (to the next 8 N beyond count) with the words of draws 4 *
/// block + i .. + N - 1; N = Lanes(Words()).
///
/// A counter word lives in the low half of a 64-bit lane, where the 32 x 32 -> 64 product reads it; what a
/// product leaves in the high half is never read, so a round is two products, two shifts and four exclusive
/// ors. The lanes hold their blocks in the order 0, n/2, 1, n/2 + 1, ... that makes the two unpacks at the
/// end leave all words in the order of the draws. Two counters are worked on at a time: a round's steps wait
/// for each other, and the processor does not see far enough ahead for other work.
template <class Sink>
HWY_INLINE void for_words(std::uint64_t key, std::uint64_t block, std::size_t count, const Sink& sink) {
  constexpr int kCounters = 2;
  const Wides d;
  const Words dw;
  const std::size_t n = hn::Lanes(d);
  alignas(64) std::uint64_t offsets[hn::MaxLanes(d)];
  for (std::size_t lane = 0; lane < n; ++lane) offsets[lane] = (lane % 2) * (n / 2) + lane / 2;
  Wide counter = hn::Add(hn::Set(d, block), hn::Load(d, offsets));
  const Wide step = hn::Set(d, n);
  alignas(64) std::uint64_t keys[20 * hn::MaxLanes(d)];  // of the rounds, a pair each
  std::uint32_t key0 = static_cast<std::uint32_t>(key), key1 = static_cast<std::uint32_t>(key >> 32);
  for (std::size_t round = 0; round < 10; ++round) {
    hn::Store(hn::Set(d, key0), d, keys + 2 * round * n);
    hn::Store(hn::Set(d, key1), d, keys + (2 * round + 1) * n);
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  const auto product = [](Wide a, std::uint32_t multiplier) HWY_ATTR {
    return hn::MulEven(hn::BitCast(Words(), a), hn::Set(Words(), multiplier));
  };
  for (std::size_t i = 0; i < count; i += kCounters * 4 * n) {
    Wide c0[kCounters], c1[kCounters], c2[kCounters], c3[kCounters];
    for (int j = 0; j < kCounters; ++j) {
      c0[j] = counter;
      c1[j] = hn::ShiftRight<32>(counter);
      c2[j] = c3[j] = hn::Zero(d);
      counter = hn::Add(counter, step);
    }
    for (std::size_t round = 0; round < 10; ++round) {
      const Wide first_key = hn::Load(d, keys + 2 * round * n),
                 second_key = hn::Load(d, keys + (2 * round + 1) * n);
      for (int j = 0; j < kCounters; ++j) {
        const Wide product0 = product(c0[j], 0xD2511F53), product1 = product(c2[j], 0xCD9E8D57);
        c0[j] = hn::Xor(hn::ShiftRight<32>(product1), hn::Xor(c1[j], first_key));
        c2[j] = hn::Xor(hn::ShiftRight<32>(product0), hn::Xor(c3[j], second_key));
        c1[j] = product1;
        c3[j] = product0;
      }
    }
    for (int j = 0; j < kCounters; ++j) {
      const Word w01 = hn::OddEven(hn::BitCast(dw, hn::ShiftLeft<32>(c1[j])), hn::BitCast(dw, c0[j]));
      const Word w23 = hn::OddEven(hn::BitCast(dw, hn::ShiftLeft<32>(c3[j])), hn::BitCast(dw, c2[j]));
      const std::size_t at = i + static_cast<std::size_t>(j) * 4 * n;
      sink(at, hn::BitCast(dw, hn::InterleaveLower(d, hn::BitCast(d, w01), hn::BitCast(d, w23))));
      sink(at + 2 * n, hn::BitCast(dw, hn::InterleaveUpper(d, hn::BitCast(d, w01), hn::BitCast(d, w23))));
    }
  }
}

/// Uniforms of draws first .. first + n - 1, n <= kStreamChunk, left in `buffer` (kStreamRoom floats);
/// returns where the first is.
HWY_INLINE const float* uniforms_of(std::uint64_t key, std::uint64_t first, std::size_t n, float* buffer) {
  const std::size_t skipped = first % 4;
  for_words(key, first / 4, skipped + n, [buffer](std::size_t i, Word words) {
    const Float top = hn::ConvertTo(Floats(), hn::BitCast(Ints(), hn::ShiftRight<8>(words)));
    hn::Store(hn::Mul(top, constant(0x1p-24f)), Floats(), buffer + i);
  });
  return buffer + skipped;
}

}  // namespace HWY_NAMESPACE
}  // namespace basin
HWY_AFTER_NAMESPACE();

#endif
