#pragma once

#include <optional>

#include "energy/minimise/proximal.h"

namespace basin {

/// How Ista or Fista moves, for kernels of their own.
struct GradientScheme {
  ProximalOptions proximal;
  bool accelerate = false, restart = false;
};

/// That of a transition of z with a step that is fixed or 1 / Lipschitz; nullopt for others.
std::optional<GradientScheme> gradient_scheme(const Transition& transition, const Variable& z);

}  // namespace basin
