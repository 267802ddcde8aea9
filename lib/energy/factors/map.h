#pragma once

#include <memory>
#include <string>
#include <vector>

#include "energy/variable.h"
#include "modules/module.h"

namespace basin {

/// What factors that hold a module share.

/// Throws Error, in the name of a factor, unless the module maps one sample of `source` to as many numbers as
/// `target` has; `what` they are, for the message. `placement` is where a module without parameters is tried.
void expect_map(const std::string& factor, const std::shared_ptr<const Module>& module,
                const Variable& source, const Variable& target, const char* what = "numbers",
                Placement placement = {});

/// The module's parameters, as "prefix.name"; without a prefix by their own names.
std::vector<Parameter> prefixed_parameters(const Module& module, const std::string& prefix);

/// Sequences [N, T, ...] `delay` steps late, zeros before their first step.
Value delayed(const Value& x, Index delay);

}  // namespace basin
