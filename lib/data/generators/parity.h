#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// Random bits, 0 or 255, "bits" [bits], and whether an odd number of them is set, "label" of 2.
///
/// Sample i is a function of (key, i) alone. Throws Error for a negative count and unless 1 <= bits <= 4096.
Samples parity(Key key, Index count, Index bits);

}  // namespace basin
