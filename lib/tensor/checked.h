#pragma once

#include <concepts>
#include <initializer_list>
#include <optional>

namespace basin {

/// Arithmetic of sizes that come from outside (keys, headers of files, arguments): the result, or none where
/// the type cannot hold it. Nothing is computed with such a size before it has passed here or a bound.
template <std::integral T>
constexpr std::optional<T> checked_add(T a, T b) {
  T sum{};
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

template <std::integral T>
constexpr std::optional<T> checked_product(std::initializer_list<T> factors) {
  T product = 1;
  for (const T factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) return std::nullopt;
  }
  return product;
}

/// Whether a + b a whole number of times fits into `room`, for a and b of at least 0: a + times * b <= room.
template <std::integral T>
constexpr bool fits_into(T room, T a, T times, T b) {
  const std::optional<T> product = checked_product({times, b});
  const std::optional<T> sum = product ? checked_add(a, *product) : std::nullopt;
  return sum && *sum <= room;
}

}  // namespace basin
