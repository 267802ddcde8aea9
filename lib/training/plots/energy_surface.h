#pragma once

#include "results/pictures/surface.h"
#include "training/stage_view.h"

namespace basin {

/// The energy of a stage (SampleEnergy) over the square that its density is summed over, dark where it is
/// least, cut where it is higher than on all but a hundredth of the training samples by as much again as it
/// spreads over them; training samples as dots. Throws Error unless its samples are two real numbers.
Picture energy_surface(const StageView& view, SurfaceOptions options);

}  // namespace basin
