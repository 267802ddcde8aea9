#pragma once

#include "training/measures/measure.h"

namespace basin {

/// "hidden_units": in epochs, over the first 1,000 training samples, the fractions of a model's hidden units
/// that tell nothing of a sample: "dead_units" (mean below 0.01 in every one of them), and of binary ones
/// "saturated_units" (above 0.99). The stage's encoder gives the means.
Measure hidden_units_measure();

}  // namespace basin
