#include "energy/ends.h"

#include <algorithm>

#include "modules/lengths.h"

namespace basin {

Value inside_lengths(const Variable& declared, Shape shape, const Context& context, Placement placement) {
  const auto free = std::find(declared.shape.begin(), declared.shape.end(), Index{0});
  const auto axis =
      declared.is_free() ? static_cast<std::size_t>(free - declared.shape.begin()) + 1 : std::size_t{1};
  for (std::size_t i = 1; i < shape.size(); ++i) {
    if (i != axis) shape[i] = 1;
  }
  return length_mask(context.lengths, shape, axis, placement);
}

}  // namespace basin
