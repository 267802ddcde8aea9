#include "energy/factors/pooled_maps.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

PooledMaps::PooledMaps(Variable of, Index pooled_side) : variable(std::move(of)), side(pooled_side) {
  const Shape& shape = variable.shape;
  if (variable.domain == Domain::Categorical && side >= 1 && shape.size() == 4 && shape[3] == side * side + 1)
    return;
  throw Error(
      fmt::format("[PooledMaps] expected a one-hot variable of shape [maps, rows, columns, {} * {} + 1], "
                  "received {} {} of shape {}; take PooledMaps::shape",
                  side, side, to_string(variable.domain), variable.name, to_string(shape)));
}

Shape PooledMaps::shape(Index maps, Index height, Index width, Index side) {
  if (maps < 1 || height < 1 || width < 1 || side < 1 || height % side != 0 || width % side != 0) {
    throw Error(
        fmt::format("[PooledMaps] expected maps whose height and width are multiples of the pool's side {}, "
                    "received {} of {} x {}; take another size of filters or pool",
                    side, maps, height, width));
  }
  return {maps, height / side, width / side, side * side + 1};
}

Value PooledMaps::detections(const Value& one_hot) const {
  const Index samples = one_hot.dim(0), rows = variable.shape[1], columns = variable.shape[2];
  const Value on = slice(one_hot, 4, 0, side * side);
  if (side == 1) return reshape(on, {samples, maps(), rows, columns});
  const Value squares = reshape(on, {samples, maps(), rows, columns, side, side});
  return reshape(transpose(squares, {0, 1, 2, 4, 3, 5}), {samples, maps(), height(), width()});
}

Value PooledMaps::pooled(const Value& one_hot) const {
  const Index last = side * side;
  const Value off = slice(one_hot, 4, last, last + 1);
  return reshape(1.0 - off, {one_hot.dim(0), maps(), variable.shape[1], variable.shape[2]});
}

}  // namespace basin
