#include "tensor/key.h"

#include <algorithm>

#include "tensor/philox.h"

namespace basin {
namespace {

// Every derivation is one Philox block under a tag in counter word 3. Draws have tag 0, so no derived key
// repeats a draw.
enum Tag : std::uint32_t { kSeedTag = 1, kNumberTag = 2, kNameTag = 3 };

// The key under which seeds are hashed: the first 64 bits of the fraction of pi.
constexpr std::uint64_t kRoot = 0x243F6A8885A308D3;

std::uint64_t derive(std::uint64_t key, std::uint64_t payload, std::uint32_t length, Tag tag) {
  const PhiloxBlock words =
      philox({static_cast<std::uint32_t>(payload), static_cast<std::uint32_t>(payload >> 32), length,
              static_cast<std::uint32_t>(tag)},
             static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32));
  return std::uint64_t{words[1]} << 32 | words[0];
}

}  // namespace

Key::Key(std::uint64_t seed) : bits_(derive(kRoot, seed, 0, kSeedTag)) {}

Key Key::fold(std::uint64_t index) const {
  Key result = *this;
  result.bits_ = derive(bits_, index, 0, kNumberTag);
  return result;
}

Key Key::fold(std::string_view name) const {
  // Eight bytes a block, chained through the key. Each block holds the whole length, so "ab" then "c" is not
  // "abc".
  Key result = *this;
  const auto length = static_cast<std::uint32_t>(name.size());
  do {
    const std::size_t count = std::min<std::size_t>(name.size(), 8);
    std::uint64_t payload = 0;
    for (std::size_t i = 0; i < count; ++i)
      payload |= std::uint64_t{static_cast<unsigned char>(name[i])} << (8 * i);
    result.bits_ = derive(result.bits_, payload, length, kNameTag);
    name.remove_prefix(count);
  } while (!name.empty());
  return result;
}

}  // namespace basin
