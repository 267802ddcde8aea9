#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/picture.h"
#include "results/store.h"
#include "training/assembly.h"

namespace basin {

struct SampleOptions {
  Index chains = 100;
  Index steps = 1000;  // Gibbs sweeps
};

/// Mean visible states [chains, v.shape...] at the end of Gibbs chains that start from the objective's particles in `carry`, or from
/// coin flips (binary) or normals (real) where there are none. Draws under Key(plan.seed).fold("samples").
Tensor fantasies(const Plan& plan, const Rbm& rbm, const Carry& carry, const SampleOptions& options);

/// The weights of each hidden unit as rows [hidden, v.shape...].
Tensor basis(const Rbm& rbm);

/// Tile options with the height and width of a sample of this shape.
TileOptions tiles_of(const Shape& sample_shape);

/// The epoch metrics whose names begin with `metric`, over epochs; "" takes the most telling one there is. Throws Error naming
/// the metrics in the file when there is none.
void save_curves(const Store& store, const std::string& metric, const std::string& title, bool log_y, const std::string& path);

}  // namespace basin
