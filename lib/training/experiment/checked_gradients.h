#pragma once

#include "training/experiment/plan.h"
#include "training/stage.h"

namespace basin {

/// Before anything is trained: the gradient that each stage of a plan, and its head, would begin to learn by,
/// on one small batch of its samples, in f64 whatever train.dtype says, against finite differences
/// (gradient_check.h). Stages see what those below give as they start. Says a line for each parameter. Throws
/// Error naming those that disagree; of a stage whose gradient is that of no loss it is said why, and the
/// others are checked.
void check_gradients(const Plan& plan, Device device, const Say& say);

}  // namespace basin
