#include "data/generators/parabola.h"

#include <fmt/format.h>

#include "data/draws.h"
#include "tensor/error.h"

namespace basin {

Samples parabola(Key key, Index count) {
  if (count < 0) throw Error(fmt::format("[parabola] expected a count >= 0, received {}", count));
  const Tensor points({count, 2});
  for (Index i = 0; i < count; ++i) {
    float* point = points.host<float>() + 2 * i;
    point[0] = Draws(key.fold(static_cast<std::uint64_t>(i))).uniform(-1.0f, 1.0f);
    point[1] = point[0] * point[0];
  }
  return {real_column("point", points)};
}

}  // namespace basin
