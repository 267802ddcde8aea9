#pragma once

#include "energy/sample/sample_run.h"

namespace basin {

/// `count` directions through all numbers of some variables, drawn once under `key` from a standard normal:
/// scalars [N, count] of states whose mixing says of every variable what its energy alone may not.
Watch random_projections(Block variables, Index count, Key key);

}  // namespace basin
