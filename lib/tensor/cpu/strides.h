#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "tensor/shape.h"

namespace basin {

/// How `Inputs` strided inputs are walked while one contiguous output is written, in the fewest axes.
///
/// Axes of extent 1 are dropped and neighbours are merged where every input allows it, so that most calls
/// become one or two axes: [N, F] + [N, F] is one axis of N F; [N, F] + [F] is two, with strides (F, 1) and
/// (0, 1). There is always a last axis.
template <std::size_t Inputs>
struct Walk {
  Shape extents;                      // slowest first
  std::array<Shape, Inputs> strides;  // in elements, one per axis
  Index total = 0;                    // elements of the output

  Walk(const Shape& shape, const std::array<const Shape*, Inputs>& given) {
    total = element_count(shape);
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis] == 1) continue;
      bool joins = !extents.empty();
      for (std::size_t i = 0; i < Inputs && joins; ++i)
        joins = strides[i].back() == (*given[i])[axis] * shape[axis];
      if (joins) {
        extents.back() *= shape[axis];
        for (std::size_t i = 0; i < Inputs; ++i) strides[i].back() = (*given[i])[axis];
      } else {
        extents.push_back(shape[axis]);
        for (std::size_t i = 0; i < Inputs; ++i) strides[i].push_back((*given[i])[axis]);
      }
    }
    if (extents.empty()) {
      extents.push_back(1);
      for (Shape& one : strides) one.push_back(0);
    }
  }

  /// Calls body(offsets, at, count) for the runs along the last axis that make up the output's elements
  /// [begin, end): `at` is the first element's place in the output, `offsets` its places in the inputs.
  template <class Body>
  void runs(Index begin, Index end, const Body& body) const {
    const std::size_t last = extents.size() - 1;
    Shape index(extents.size());
    std::array<Index, Inputs> offsets{};
    Index rest = begin;
    for (std::size_t axis = extents.size(); axis-- > 0;) {
      index[axis] = rest % extents[axis];
      rest /= extents[axis];
      for (std::size_t i = 0; i < Inputs; ++i) offsets[i] += index[axis] * strides[i][axis];
    }
    for (Index at = begin; at < end;) {
      const Index count = std::min(extents[last] - index[last], end - at);
      body(offsets, at, count);
      at += count;
      step(index, offsets, last, count);
    }
  }

 private:
  /// Moves `count` elements on along `axis`, carrying into the slower axes.
  void step(Shape& index, std::array<Index, Inputs>& offsets, std::size_t axis, Index count) const {
    index[axis] += count;
    for (std::size_t i = 0; i < Inputs; ++i) offsets[i] += count * strides[i][axis];
    while (index[axis] == extents[axis] && axis > 0) {
      index[axis] = 0;
      for (std::size_t i = 0; i < Inputs; ++i)
        offsets[i] += strides[i][axis - 1] - extents[axis] * strides[i][axis];
      --axis;
      ++index[axis];
    }
  }
};

}  // namespace basin
