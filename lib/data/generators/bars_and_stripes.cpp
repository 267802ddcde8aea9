#include "data/generators/bars_and_stripes.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {

Samples bars_and_stripes(const BarsAndStripesOptions& options) {
  const Index side = options.side;
  if (side < 1 || side > 12)
    throw Error(fmt::format("[bars_and_stripes] expected a side of 1 to 12, received {}", side));
  std::vector<std::uint8_t> pixels;
  const Index codes = Index{1} << side;  // bit k: colour of line k
  for (const bool bars : {true, false}) {
    for (Index code = 0; code < codes; ++code) {
      const bool plain = code == 0 || code == codes - 1;
      if (plain && !bars && !options.count_plain_twice) continue;
      for (Index row = 0; row < side; ++row) {
        for (Index column = 0; column < side; ++column) {
          const bool lit = (code >> (bars ? column : row) & 1) != 0;
          pixels.push_back(lit ? 255 : 0);
        }
      }
    }
  }
  return {byte_column("image", {side, side}, std::move(pixels))};
}

}  // namespace basin
