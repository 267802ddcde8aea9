#include "tensor/shape.h"

#include <fmt/format.h>

#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {

Index element_count(const Shape& shape) {
  // An extent of 0 hides no overflow: {0, 2^62, 8} is refused like {1, 2^62, 8}, so that its rows can be
  // counted.
  Index product = 1;
  bool empty = false;
  for (const Index extent : shape) {
    if (extent < 0) throw Error(fmt::format("[shape] expected extents >= 0, received {}", to_string(shape)));
    if (extent == 0) {
      empty = true;
      continue;
    }
    const std::optional<Index> next = checked_product({product, extent});
    if (!next)
      throw Error(fmt::format("[shape] expected fewer than 2^63 elements, received {}", to_string(shape)));
    product = *next;
  }
  return empty ? 0 : product;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape[axis]);
  }
  return text + "]";
}

}  // namespace basin
