#pragma once

#include <string>

#include "autograd/value.h"
#include "results/picture.h"

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

}  // namespace basin
