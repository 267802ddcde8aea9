#pragma once

#include "results/pictures/surface.h"
#include "training/plots/plot.h"

namespace basin {

/// The loss of a stage's objective on samples over the plane of its two trained numbers, each from -reach to
/// reach in `side` steps: the first to the right, the second up. The numbers are put back. Throws Error
/// unless there are two, and where the objective reports no loss.
Surface loss_surface(const Stage& stage, const State& samples, double reach, std::size_t side);

}  // namespace basin
