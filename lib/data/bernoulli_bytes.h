#pragma once

#include <cstdint>
#include <span>

#include "tensor/key.h"

namespace basin {

/// out[i] = 1 with probability bytes[i] / 255, else 0: 1 where byte > 0 and word <= byte * (2^32 - 1) / 255, with the word of draw
/// first + i of the stream `key`. Exact for the bytes 0 and 255, within 2^-32 for the others. out is as long as bytes.
void bernoulli_bytes(Key key, std::uint64_t first, std::span<const std::uint8_t> bytes, float* out);

}  // namespace basin
