#pragma once

#include <cstdint>

#include "tensor/key.h"
#include "tensor/philox.h"

namespace basin {

/// The words of one stream, taken one after another: for generators that make one sample from one key.
class Draws {
 public:
  explicit Draws(Key key) : key_(key.bits()) {}

  std::uint32_t word() {
    if (next_ % 4 == 0) block_ = philox_block(key_, next_ / 4);
    return block_[next_++ % 4];
  }
  /// Uniform in [low, high).
  float uniform(float low, float high) {
    return low + (high - low) * static_cast<float>(word() >> 8) * 0x1p-24f;
  }
  /// Uniform among 0 .. count - 1, by the high word of word * count.
  std::uint32_t below(std::uint32_t count) {
    return static_cast<std::uint32_t>((std::uint64_t{word()} * count) >> 32);
  }
  /// Bell-shaped with mean 0 and the given standard deviation, and never beyond 3.45 of them: the sum of the
  /// word's four bytes. Nothing but sums, so the same bits everywhere; and no outlier can tear a drawing
  /// apart.
  float bell(float deviation) {
    constexpr float kMean = 4 * 127.5f, kDeviation = 147.80165f;  // sqrt(4 (256^2 - 1) / 12)
    const std::uint32_t w = word();
    const std::uint32_t sum = (w & 255) + (w >> 8 & 255) + (w >> 16 & 255) + (w >> 24);
    return deviation * (static_cast<float>(sum) - kMean) / kDeviation;
  }

 private:
  std::uint64_t key_;
  std::uint64_t next_ = 0;
  PhiloxBlock block_{};
};

}  // namespace basin
