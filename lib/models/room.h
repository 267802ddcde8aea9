#pragma once

#include <string>

#include "tensor/tensor.h"

namespace basin {

/// Throws Error, which begins with `what`, where so many numbers take more than half of the machine's memory:
/// asked before the first parameter of a model is drawn, or the first chain begun, when all sizes are known.
/// (Gradients and what an optimizer keeps come on top: a guard against slips, no promise that training fits.)
/// Counts come as doubles, which do not overflow.
void require_room(const std::string& what, double numbers, Placement placement);

}  // namespace basin
