#pragma once

#include <optional>

#include "energy/transition.h"

namespace basin {

/// The scheme of a transition of z with a step that is fixed or 1 / Lipschitz, for kernels of their own;
/// nullopt for others.
std::optional<ProximalScheme> gradient_scheme(const Transition& transition, const Variable& z);

}  // namespace basin
