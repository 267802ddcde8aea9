#pragma once

#include <cstdint>
#include <string_view>

namespace basin {

/// A Key names a random stream; nothing draws without one.
///
/// Draw i of a stream is word i mod 4 of Philox4x32-10(counter = i / 4, key) and thus a function of (key, i)
/// alone: it does not depend on thread count, tensor length, slice or device.
///
/// A folded key is the first 64 bits of Philox(counter = (payload low, payload high, length, tag), key): the
/// tag (1 seed, 2 number, 3 name) keeps the kinds apart, and from draws, whose tag is 0. Names go in 8 bytes
/// at a time, each block under the key of the one before and with the length of the whole name. So names and
/// numbers never mean the same stream, and two different paths of folds meet with a chance of about 2^-64.
/// Reference: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
class Key {
 public:
  /// The root stream of an experiment.
  explicit Key(std::uint64_t seed);

  /// An independent stream, named by a word ("train", "gibbs", a variable's name).
  Key fold(std::string_view name) const;

  /// An independent stream, named by a number (an epoch, a step).
  Key fold(std::uint64_t index) const;

  /// The 64 key bits that kernels hand to Philox.
  std::uint64_t bits() const { return bits_; }

  bool operator==(const Key&) const = default;

 private:
  std::uint64_t bits_ = 0;
};

}  // namespace basin
