#include "config/reader.h"

#include <fmt/format.h>

#include <cmath>

namespace basin {

std::int64_t Reader::count(const char* key, std::int64_t least, std::optional<std::int64_t> fallback,
                           std::int64_t most) const {
  const std::int64_t value = table_.integer(key, fallback);
  if (value < least) {
    table_.fail(key, fmt::format("expected a whole number of at least {}, received {}", least, value));
  }
  if (value > most) {
    table_.fail(key, fmt::format("expected a whole number of at most {}, received {}", most, value));
  }
  return value;
}

double Reader::within(const char* key, double low, double high, std::optional<double> fallback) const {
  const double value = table_.number(key, fallback);
  if (!(value >= low && value <= high)) {
    table_.fail(key, std::isinf(high)
                         ? fmt::format("expected a number of at least {}, received {}", low, value)
                         : fmt::format("expected a number between {} and {}, received {}", low, high, value));
  }
  return value;
}

double Reader::positive(const char* key, std::optional<double> fallback) const {
  const double value = table_.number(key, fallback);
  if (!(value > 0.0 && std::isfinite(value))) {
    table_.fail(key, fmt::format("expected a positive number, received {}", value));
  }
  return value;
}

}  // namespace basin
