#include "energy/factors/conv_bilinear.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

/// [channels, height, width].
Shape image_shape(const Variable& image) {
  if (image.shape.size() == 2) return {1, image.shape[0], image.shape[1]};
  if (image.shape.size() == 3) return image.shape;
  throw Error(fmt::format(
      "[ConvBilinear] expected an image [height, width] or [channels, height, width], received {} "
      "of shape {}",
      image.name, to_string(image.shape)));
}

Tensor initial_filters(const Variable& image, const PooledMaps& maps, Index size, Key key, double scale) {
  const Shape whole = image_shape(image);
  if (size < 1 || maps.height() != whole[1] - size + 1 || maps.width() != whole[2] - size + 1) {
    throw Error(
        fmt::format("[ConvBilinear] expected maps of {} x {} for filters of {} x {} on {} of shape {}, "
                    "received maps of {} x {}",
                    whole[1] - size + 1, whole[2] - size + 1, size, size, image.name, to_string(image.shape),
                    maps.height(), maps.width()));
  }
  if (!std::isfinite(scale) || scale < 0.0)
    throw Error(fmt::format("[ConvBilinear] expected a scale >= 0, received {}", scale));
  return (Value(normal(key, {maps.maps(), whole[0], size, size})) * scale).tensor();
}

}  // namespace

ConvBilinear::ConvBilinear(Variable image, PooledMaps maps, Index size, Key key, double scale)
    : image_(std::move(image)),
      maps_(std::move(maps)),
      weight_(image_.name + "." + maps_.variable.name + ".weight",
              initial_filters(image_, maps_, size, key, scale)) {}

std::string ConvBilinear::name() const {
  return "ConvBilinear(" + image_.name + ", " + maps_.variable.name + ")";
}

Value ConvBilinear::energy(const State& state) const {
  const Shape whole = image_shape(image_);
  const Value& v = state[image_];
  const Value image = reshape(v, {v.dim(0), whole[0], whole[1], whole[2]});
  const Value on = maps_.detections(state[maps_.variable]);
  const Value& w = weight_.value();
  // As in Bilinear, the side that is differentiated stays out of the product.
  if (image.tracked() && !on.tracked()) return -sum_per_sample(conv_transpose2d(on, w) * image);
  return -sum_per_sample(conv2d(image, w) * on);
}

}  // namespace basin
