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

#include "tensor/cpu/random_stream.h"
#include "tensor/cpu/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace basin {
namespace HWY_NAMESPACE {

using Wides = hn::Repartition<std::uint64_t, Words>;
using Wide = hn::Vec<Wides>;

/// Calls sink(i, words) for i = 0, N, 2 N, ... < count with the words of draws 4 * block + i .. + N - 1; N = Lanes(Words()).
///
/// A counter word lives in the low half of a 64-bit lane, where the 32 x 32 -> 64 product reads it; what a product leaves in the
/// high half is never read, so a round is two products, two shifts and four exclusive ors. The lanes hold their blocks in the order
/// 0, n/2, 1, n/2 + 1, ... that makes the two unpacks at the end leave all words in the order of the draws.
template <class Sink>
HWY_INLINE void for_words(std::uint64_t key, std::uint64_t block, std::size_t count, const Sink& sink) {
  const Wides d;
  const Words dw;
  const std::size_t n = hn::Lanes(d);
  alignas(64) std::uint64_t offsets[hn::MaxLanes(d)];
  for (std::size_t lane = 0; lane < n; ++lane) offsets[lane] = (lane % 2) * (n / 2) + lane / 2;
  Wide counter = hn::Add(hn::Set(d, block), hn::Load(d, offsets));
  const Wide step = hn::Set(d, n);
  const auto product = [](Wide a, std::uint32_t multiplier) { return hn::MulEven(hn::BitCast(Words(), a), hn::Set(Words(), multiplier)); };
  for (std::size_t i = 0; i < count; i += 4 * n) {
    Wide c0 = counter, c1 = hn::ShiftRight<32>(counter), c2 = hn::Zero(d), c3 = hn::Zero(d);
    std::uint32_t key0 = static_cast<std::uint32_t>(key), key1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
      const Wide product0 = product(c0, 0xD2511F53), product1 = product(c2, 0xCD9E8D57);
      c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product1), c1), hn::Set(d, key0));
      c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product0), c3), hn::Set(d, key1));
      c1 = product1;
      c3 = product0;
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
    const Word w01 = hn::OddEven(hn::BitCast(dw, hn::ShiftLeft<32>(c1)), hn::BitCast(dw, c0));
    const Word w23 = hn::OddEven(hn::BitCast(dw, hn::ShiftLeft<32>(c3)), hn::BitCast(dw, c2));
    sink(i, hn::BitCast(dw, hn::InterleaveLower(d, hn::BitCast(d, w01), hn::BitCast(d, w23))));
    sink(i + 2 * n, hn::BitCast(dw, hn::InterleaveUpper(d, hn::BitCast(d, w01), hn::BitCast(d, w23))));
    counter = hn::Add(counter, step);
  }
}

/// Uniforms of draws first .. first + n - 1, n <= kStreamChunk, left in `buffer` (kStreamRoom floats); returns where the first is.
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
