#include "energy/factors/map_bias.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

Index maps_of(const Variable& x) {
  if (x.shape.size() == 2) return 1;
  if (x.shape.size() == 3) return x.shape[0];
  throw Error(
      fmt::format("[MapBias] expected maps [height, width] or [maps, height, width], received {} of "
                  "shape {}",
                  x.name, to_string(x.shape)));
}

Parameter bias_of(const Variable& x, Index maps, double value) {
  return {x.name + ".bias", Tensor::full({maps}, value, {})};
}

}  // namespace

MapBias::MapBias(Variable x, double value)
    : variable_(std::move(x)), bias_(bias_of(variable_, maps_of(variable_), value)) {}

MapBias::MapBias(PooledMaps maps, double value)
    : variable_(maps.variable), maps_(std::move(maps)), bias_(bias_of(variable_, maps_->maps(), value)) {}

Value MapBias::energy(const State& state) const {
  const Value& x = state[variable_];
  const Index maps = bias_.tensor().dim(0), samples = x.dim(0);
  const Value units = maps_ ? maps_->detections(x) : x;
  const Value rows = reshape(units, {samples, maps, units.tensor().size() / (samples * maps)});
  return -reshape(matmul(sum(rows, {2}), reshape(bias_.value(), {maps, 1})), {samples});
}

}  // namespace basin
