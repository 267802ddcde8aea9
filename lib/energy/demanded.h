#pragma once

#include <string>

#include "autograd/value.h"

namespace basin {

/// Throws Error(message) unless every number of `fault`, none of them below 0, is 0 (a NaN is not): at once,
/// by one download, or when Demands that live on this thread are settled (tensor/demands.h). `name` tells the
/// condition from others.
void demand_none(const std::string& name, const Value& fault, const std::string& message);

}  // namespace basin
