#pragma once

#include <string>

#include "results/picture.h"
#include "results/store.h"

namespace basin {

/// Tile options with the height and width of a sample of this shape.
TileOptions sized(TileOptions options, const Shape& sample_shape);

/// Two grey pictures side by side with a white strip between.
Picture beside(const Picture& left, const Picture& right);

/// The epoch metrics whose names begin with `metric`, over epochs; "" takes the most telling one there is. Throws Error naming
/// the metrics in the file when there is none.
void save_curves(const Store& store, const std::string& metric, const std::string& title, bool log_y, const std::string& path);

}  // namespace basin
