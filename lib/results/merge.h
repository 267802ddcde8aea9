#pragma once

#include "results/hdf5/store.h"

namespace basin {

/// Puts all datasets of a store, with their units and directions, into another in the place of what is there
/// by the same names; all else stays.
void merge(Store& into, const Store& from);

}  // namespace basin
