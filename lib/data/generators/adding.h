#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// The adding problem: of `length` numbers two are marked, and their sum is asked for.
///
/// "sequence", reals [length, 2]: a number, uniform in [0, 1), and its mark, which is 1 at one entry of the
/// first half and one of the second, else 0. "target", real [1]: the sum of the two marked numbers. Whoever
/// always says 1 has a mean squared error of 1/6. Sample i is a function of (key, i) alone. Throws Error for
/// a negative count and a length below 2. References: Hochreiter and Schmidhuber 1997, "Long short-term
/// memory", experiment 4; in this form Arjovsky, Shah and Bengio 2016, section 4.2.
Samples adding(Key key, Index count, Index length);

}  // namespace basin
