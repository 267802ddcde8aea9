// Compiled once per instruction set by Highway; the best one the machine has is chosen at run time. SSE4 is left out: basin needs AVX2.
#define HWY_DISABLED_TARGETS HWY_SSE4
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "data/bernoulli_bytes.cpp"
#include <hwy/foreach_target.h>
// Must come after foreach_target.h.
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "data/bernoulli_bytes.h"

HWY_BEFORE_NAMESPACE();
namespace basin::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lane = hn::ScalableTag<std::uint64_t>;
using Word = hn::Repartition<std::uint32_t, Lane>;
constexpr std::size_t kMaxGroup = 4 * hn::MaxLanes(Lane());  // words that one call of `group` makes

/// philox() on one counter per 64-bit lane. A word sits in the low half of its lane because the product of two words fills the lane;
/// what a product leaves in the high half is ignored by the next product. The lanes count so that the words come out in order.
class Philox {
 public:
  explicit Philox(std::uint64_t key) {
    auto key0 = static_cast<std::uint32_t>(key);
    auto key1 = static_cast<std::uint32_t>(key >> 32);
    for (std::size_t round = 0; round < 10; ++round) {
      key0_[round] = key0;
      key1_[round] = key1;
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
    const std::size_t half = hn::Lanes(Lane()) / 2;
    for (std::size_t i = 0; i < half; ++i) {
      order_[2 * i] = i;
      order_[2 * i + 1] = half + i;
    }
  }

  /// The words of blocks block, block + 1, ...: as many as there are lanes; first half in `low`, second in `high`.
  HWY_INLINE void group(std::uint64_t block, hn::Vec<Word>& low, hn::Vec<Word>& high) const {
    const Lane d;
    const Word w;
    const auto multiplier0 = hn::BitCast(w, hn::Set(d, 0xD2511F53));
    const auto multiplier1 = hn::BitCast(w, hn::Set(d, 0xCD9E8D57));
    auto c0 = hn::Add(hn::Set(d, block), hn::Load(d, order_));
    auto c1 = hn::ShiftRight<32>(c0);
    auto c2 = hn::Zero(d), c3 = hn::Zero(d);
    for (std::size_t round = 0; round < 10; ++round) {
      const auto product0 = hn::MulEven(hn::BitCast(w, c0), multiplier0);
      const auto product1 = hn::MulEven(hn::BitCast(w, c2), multiplier1);
      c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product1), c1), hn::Set(d, key0_[round]));
      c1 = product1;
      c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product0), c3), hn::Set(d, key1_[round]));
      c3 = product0;
    }
    const auto front = hn::OddEven(hn::BitCast(w, hn::ShiftLeft<32>(c1)), hn::BitCast(w, c0));
    const auto back = hn::OddEven(hn::BitCast(w, hn::ShiftLeft<32>(c3)), hn::BitCast(w, c2));
    low = hn::BitCast(w, hn::InterleaveLower(d, hn::BitCast(d, front), hn::BitCast(d, back)));
    high = hn::BitCast(w, hn::InterleaveUpper(d, hn::BitCast(d, front), hn::BitCast(d, back)));
  }

 private:
  std::uint64_t key0_[10], key1_[10];
  HWY_ALIGN std::uint64_t order_[hn::MaxLanes(Lane())] = {};
};

/// 1 where the word lies at or below the byte repeated four times. No word counts as 0, so that the byte 0 never wins.
HWY_INLINE void draw(hn::Vec<Word> word, const std::uint8_t* bytes, float* out) {
  const Word w;
  const hn::Repartition<float, Word> f;
  const hn::Rebind<std::uint8_t, Word> b;
  const auto limit = hn::Mul(hn::PromoteTo(w, hn::LoadU(b, bytes)), hn::Set(w, 0x01010101));
  const auto hit = hn::Eq(hn::Max(hn::Max(word, hn::Set(w, 1)), limit), limit);
  hn::StoreU(hn::IfThenElseZero(hn::RebindMask(f, hit), hn::Set(f, 1.0f)), f, out);
}

void bernoulli_bytes(std::uint64_t key, std::uint64_t first, const std::uint8_t* bytes, std::size_t count, float* out) {
  const Philox philox(key);
  const std::size_t half = hn::Lanes(Word()), group = 2 * half;
  hn::Vec<Word> low, high;
  std::uint64_t block = first / 4;
  const auto part = [&](std::size_t skip, std::size_t length) {  // a group of which only words skip .. skip + length - 1 are asked
    std::uint8_t padded[kMaxGroup] = {};
    float drawn[kMaxGroup];
    std::memcpy(padded + skip, bytes, length);
    philox.group(block, low, high);
    draw(low, padded, drawn);
    draw(high, padded + half, drawn + half);
    std::memcpy(out, drawn + skip, length * sizeof(float));
    block += group / 4;
    bytes += length;
    out += length;
    count -= length;
  };
  if (const std::size_t skip = first % 4; skip != 0) part(skip, std::min(count, group - skip));
  for (; count >= group; count -= group, bytes += group, out += group, block += group / 4) {
    philox.group(block, low, high);
    draw(low, bytes, out);
    draw(high, bytes + half, out + half);
  }
  if (count > 0) part(0, count);
}

}  // namespace basin::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace basin {
HWY_EXPORT(bernoulli_bytes);

void bernoulli_bytes(Key key, std::uint64_t first, std::span<const std::uint8_t> bytes, float* out) {
  HWY_DYNAMIC_DISPATCH(bernoulli_bytes)(key.bits(), first, bytes.data(), bytes.size(), out);
}
}  // namespace basin
#endif
