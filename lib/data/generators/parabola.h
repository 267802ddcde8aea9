#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// Points on a parabola, "point", reals [2]: y1 uniform in [-1, 1), y2 = y1^2. A curve in the plane, on which
/// an energy should be low and beside it high.
///
/// Sample i is a function of (key, i) alone. Throws Error for a negative count. Reference: LeCun, Chopra,
/// Hadsell, Ranzato and Huang 2006, "A tutorial on energy-based learning".
Samples parabola(Key key, Index count);

}  // namespace basin
