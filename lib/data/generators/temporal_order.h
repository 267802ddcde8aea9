#pragma once

#include "data/dataset.h"
#include "tensor/key.h"

namespace basin {

/// Temporal order with three signs: in which of eight orders X and Y appeared, far apart, among distractors.
///
/// "input", categories of 8 [110] (a b c d X Y E B = 0 .. 7): E first, B
/// last, between them a, b, c, d at random but X or Y at three places, drawn from 10 .. 20, 33 .. 43 and
/// 66 .. 76. "lengths", 100 .. 110: entries of a sample; those beyond are 0. "label", of 8: the three signs
/// as a binary number, X = 0, Y = 1, the first the highest. Sample i is a function of (key, i) alone. Throws
/// Error for a negative count. Reference: Hochreiter and Schmidhuber 1997, "Long short-term memory",
/// experiment 6b.
Samples temporal_order(Key key, Index count);

}  // namespace basin
