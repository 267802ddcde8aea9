#include "modules/initializer.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {

Tensor Initializer::weights(Index in, Index out, Key key, Placement placement) const {
  if (in < 1 || out < 1) {
    throw Error(
        fmt::format("[initializer] expected at least one input and one output, received {} and {}; check the "
                    "layer's sizes",
                    in, out));
  }
  const Shape shape{in, out};
  const auto gaussian = [&](double deviation) {
    return (Value(normal(key, shape, placement)) * deviation).tensor();
  };
  switch (kind) {
    case Kind::GlorotUniform: {
      const double bound = gain * std::sqrt(6.0 / static_cast<double>(in + out));
      return ((Value(uniform(key, shape, placement)) - 0.5) * (2.0 * bound)).tensor();
    }
    case Kind::HeNormal:
      return gaussian(gain * std::sqrt(2.0 / static_cast<double>(in)));
    case Kind::Normal:
      return gaussian(gain);
    case Kind::Zeros:
      break;
  }
  return Tensor::zeros(shape, placement);
}

}  // namespace basin
