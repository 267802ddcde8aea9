#include "models/conv_rbm.h"

#include <fmt/format.h>

#include "energy/factors/conv_bilinear.h"
#include "energy/factors/map_bias.h"
#include "energy/factors/quadratic.h"
#include "tensor/error.h"

namespace basin {
namespace {

Shape hidden_shape(const ConvRbmOptions& options) {
  if (options.image.size() != 2 && options.image.size() != 3) {
    throw Error(
        fmt::format("[conv_rbm] expected images [height, width] or [channels, height, width], received "
                    "{}",
                    to_string(options.image)));
  }
  const Index height = options.image[options.image.size() - 2], width = options.image.back();
  if (options.maps < 1 || options.size < 1 || options.size > height || options.size > width) {
    throw Error(fmt::format(
        "[conv_rbm] expected 1 map or more of filters no larger than the image {}, received {} of "
        "size {}",
        to_string(options.image), options.maps, options.size));
  }
  return PooledMaps::shape(options.maps, height - options.size + 1, width - options.size + 1, options.pool);
}

}  // namespace

ConvRbm conv_rbm(const ConvRbmOptions& options) {
  if (options.visible != UnitKind::Binary && options.visible != UnitKind::Gaussian)
    throw Error("[conv_rbm] expected binary or Gaussian visible units, received others");
  const Shape hidden = hidden_shape(options);
  FactorGraph graph;
  const bool gaussian = options.visible == UnitKind::Gaussian;
  const Variable v = graph.variable("v", gaussian ? Domain::Real : Domain::Binary, options.image);
  const Variable h = graph.categorical("h", hidden);
  const PooledMaps maps(h, options.pool);
  graph.add(MapBias(v)).add(MapBias(maps, options.hidden_bias));
  graph.add(ConvBilinear(v, maps, options.size, options.key.fold("v.h.weight"), options.weight_scale));
  if (gaussian) graph.add(Quadratic(v));
  return {graph, v, h, maps};
}

}  // namespace basin
