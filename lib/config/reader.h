#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "config/config.h"

namespace basin {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The largest number of epochs, samples, units, ... that is taken: products of two of them are numbers yet.
inline constexpr std::int64_t kMostCounted = 1'000'000'000;
inline constexpr std::int64_t kMostSeed = std::numeric_limits<std::int64_t>::max();

/// Reads one table of an experiment; numbers out of range are refused where they stand (Error with file, line
/// and column).
class Reader {
 public:
  explicit Reader(Config table) : table_(std::move(table)) {}

  const Config& table() const { return table_; }
  /// A whole number in [least, most].
  std::int64_t count(const char* key, std::int64_t least, std::optional<std::int64_t> fallback = std::nullopt,
                     std::int64_t most = kMostCounted) const;
  /// A number in [low, high].
  double within(const char* key, double low, double high,
                std::optional<double> fallback = std::nullopt) const;
  /// A finite number above 0.
  double positive(const char* key, std::optional<double> fallback = std::nullopt) const;

 private:
  Config table_;
};

}  // namespace basin
