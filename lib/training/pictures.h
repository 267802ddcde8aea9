#pragma once

#include <string>

#include "autograd/value.h"
#include "results/picture.h"
#include "results/store.h"

namespace basin {

/// The numbers of a value as pictures are made of: f32 on the host.
Tensor on_host(const Value& value);

/// Tile options with the height and width of a sample of this shape.
TileOptions sized(TileOptions options, const Shape& sample_shape);

/// Two grey pictures side by side with a white strip between.
Picture beside(const Picture& left, const Picture& right);

/// Rows of tiles in which tile c of each row is about the same sample: divides each by the largest |number|
/// of tile c of the first row and cuts to [-1, 1], so that under TileScale::Global the tiles of a sample
/// share its grey levels. `tiles` is [rows * columns, ...] on the host in f32, changed in place.
void share_grey_levels(const Tensor& tiles, Index columns);

/// The epoch metrics whose names begin with `metric`, over epochs; "" takes the most telling one there is.
/// Throws Error naming the metrics in the file when there is none.
void save_curves(const Store& store, const std::string& metric, const std::string& title, bool log_y,
                 const std::string& path);

}  // namespace basin
