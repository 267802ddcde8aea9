#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "tensor/cuda/group.h"
#include "tensor/host_device.h"

namespace basin::cuda {

/// Unsigned whole numbers in the order of the numbers; a NaN is -infinity, and -0 is 0.
template <class T>
using OrderedKey = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
BASIN_HOST_DEVICE OrderedKey<T> ordered_key(T x) {
  using Key = OrderedKey<T>;
  constexpr Key kSign = Key{1} << (8 * sizeof(T) - 1);
  const T number = x != x ? -std::numeric_limits<T>::infinity() : x == T{0} ? T{0} : x;
  const Key bits = std::bit_cast<Key>(number);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

/// Marks the `count` largest of a row, count in 1 .. columns: the least of them is found bit by bit, and of
/// those that equal it the last to be marked by bisection.
template <class T>
struct MarkCount {
  const T* x;
  T* y;
  Index columns, count;

  BASIN_GROUP void operator()(Group& group, Index row) const {
    using Key = OrderedKey<T>;
    const T* from = x + row * columns;
    T* to = y + row * columns;
    const auto how_many = [&](auto is_one) {
      double own = 0.0;
      for (Index c = group.lane(); c < columns; c += group.lanes())
        own += is_one(ordered_key(from[c]), c) ? 1.0 : 0.0;
      return static_cast<Index>(group.sum(own));
    };
    Key least = 0;
    for (int bit = static_cast<int>(8 * sizeof(T)) - 1; bit >= 0; --bit) {
      const Key candidate = least | Key{1} << bit;
      if (how_many([=](Key key, Index) { return key >= candidate; }) >= count) least = candidate;
    }
    const Index equals = count - how_many([=](Key key, Index) { return key > least; });
    Index last = 0, end = columns;  // `equals` of those before `end`, fewer before `last`
    while (end - last > 1) {
      const Index middle = last + (end - last) / 2;
      if (how_many([=](Key key, Index c) { return key == least && c < middle; }) >= equals) {
        end = middle;
      } else {
        last = middle;
      }
    }
    for (Index c = group.lane(); c < columns; c += group.lanes()) {
      const Key key = ordered_key(from[c]);
      to[c] = key > least || (key == least && c < end) ? T{1} : T{0};
    }
  }
};

}  // namespace basin::cuda
