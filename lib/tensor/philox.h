#pragma once

#include <array>
#include <cstdint>

namespace basin {

/// Four 32-bit words: a counter going in, random words coming out.
using PhiloxBlock = std::array<std::uint32_t, 4>;

/// Philox4x32-10: a keyed bijection of 128-bit counters whose outputs are random words; the reference for all
/// kernels.
///
/// One round maps (c0, c1, c2, c3) to (hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1, lo(M0 c0)); after
/// each round but the last the key words grow by the Weyl constants.
/// Reference: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3.
constexpr PhiloxBlock philox(PhiloxBlock counter, std::uint32_t key0, std::uint32_t key1) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {
        static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<std::uint32_t>(product1),
        static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<std::uint32_t>(product0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return counter;
}

/// Block `block` of the stream of a 64-bit key: the words of draws 4 * block .. 4 * block + 3.
/// Streams use counters (block low, block high, 0, 0) only; the other two words are left to Key for deriving
/// new keys.
constexpr PhiloxBlock philox_block(std::uint64_t key, std::uint64_t block) {
  return philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0},
                static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32));
}

/// The word of draw i of the stream of a 64-bit key.
constexpr std::uint32_t philox_word(std::uint64_t key, std::uint64_t draw) {
  return philox_block(key, draw / 4)[draw % 4];
}

}  // namespace basin
