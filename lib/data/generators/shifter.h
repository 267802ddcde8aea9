#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// The shifter problem: row 0 is a random pattern of fair bits (0 or 255), row 1 the same pattern shifted by
/// one with wrap-around.
///
/// Samples are {2, bits}, labelled 0 = shifted left, 1 = not shifted, 2 = shifted right. Sample i is a
/// function of (key, i) alone.
/// Throws Error for a negative count or fewer than 3 bits (left and right would be the same).
/// Reference: Hinton and Sejnowski 1986, "Learning and relearning in Boltzmann machines".
Samples shifter(Key key, Index count, Index bits = 8);

}  // namespace basin
