#pragma once

#include <vector>

#include "energy/likelihood/annealed_importance.h"

namespace basin {

/// Throws Error unless it rises from 0 to 1.
void check_ladder(const std::vector<double>& ladder);

/// Which way chains have walked: up from the base model, whose weights estimate Z, or down to it, 1/Z.
enum class Walk { Up, Down };

/// What weights, base_log_z and burn_in of an estimate say: its log Z, errors and warning. Weights of a walk
/// down are turned to be those of Z. `stands`: the start chains did not drift.
void finish_estimate(PartitionEstimate& estimate, Walk walk, bool stands = true);

}  // namespace basin
