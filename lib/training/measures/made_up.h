#pragma once

#include "training/measures/sequences.h"

namespace basin {

/// Steps that a trained model makes up one after another, each given those before, [steps, size] on the host:
/// symbols as one-hot rows, from the first class on; or bits, from a step of zeros on, each drawn with its
/// probability. Step t takes draw t of `key` (symbols), or its draws t size + m (bits). Throws Error for a
/// model of real numbers or of the values of whole sequences.
Tensor made_up(const Stage& stage, const SequencePredictions& how, Index steps, Key key);

}  // namespace basin
