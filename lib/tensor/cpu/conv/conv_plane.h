#pragma once

#include "tensor/shape.h"

namespace basin {

/// Filters whose sums are in registers together; packed weights come in blocks of so many, the last filled up
/// with zeros.
constexpr int kFilterBlock = 4;

/// Where the rows of an image's channels lie.
template <class T>
struct Plane {
  const T* first = nullptr;
  Index channel_stride = 0, row_stride = 0;

  const T* row(Index channel, Index y) const { return first + channel * channel_stride + y * row_stride; }
  /// The same image with its origin moved.
  Plane at(Index y, Index x) const { return {first + y * row_stride + x, channel_stride, row_stride}; }
};

/// What one output number sums over.
struct Taps {
  Index channels = 0, height = 0, width = 0;
  Index count() const { return channels * height * width; }
};

/// `weight(filter, channel, u, v)` as [block][channel, u, v][kFilterBlock].
template <class T, class Weight>
void pack_filters(Index filters, const Taps& taps, const Weight& weight, T* to) {
  for (Index first = 0; first < filters; first += kFilterBlock) {
    for (Index c = 0; c < taps.channels; ++c) {
      for (Index u = 0; u < taps.height; ++u) {
        for (Index v = 0; v < taps.width; ++v) {
          for (Index q = first; q < first + kFilterBlock; ++q)
            *to++ = q < filters ? weight(q, c, u, v) : T{0};
        }
      }
    }
  }
}

inline Index filter_blocks(Index filters) { return (filters + kFilterBlock - 1) / kFilterBlock; }

}  // namespace basin
