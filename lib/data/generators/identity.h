#pragma once

#include "data/dataset.h"

namespace basin {

/// Numbers that are to be given back: "number" and "target", reals [1], both evenly from -1/2 to 1/2 (one
/// alone: 1/2). Two of them are the smallest task for a network with a hidden unit. Throws Error for a
/// negative count.
Samples identity(Index count);

}  // namespace basin
