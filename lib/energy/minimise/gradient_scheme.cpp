#include "energy/minimise/gradient_scheme.h"

namespace basin {

std::optional<ProximalScheme> gradient_scheme(const Transition& transition, const Variable& z) {
  std::optional<ProximalScheme> scheme = transition.proximal();
  const bool known = scheme && scheme->z == z && (scheme->step || !scheme->backtracking);
  return known ? scheme : std::nullopt;
}

}  // namespace basin
