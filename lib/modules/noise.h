#pragma once

#include <string_view>

#include "modules/context.h"

namespace basin {

/// One uniform in [0, 1) an element of x, under the context's key (which must be there), the same in all
/// replicas of a sample. Throws Error "[who] ..." unless x holds whole samples.
Value uniform_noise(std::string_view who, const Value& x, const Context& context);

}  // namespace basin
