#include "energy/minimise/gradient_scheme.h"

namespace basin {

std::optional<GradientScheme> gradient_scheme(const Transition& transition, const Variable& z) {
  std::optional<GradientScheme> scheme;
  if (const auto* ista = dynamic_cast<const Ista*>(&transition); ista != nullptr && ista->variable() == z) {
    scheme = GradientScheme{ista->options()};
  } else if (const auto* fista = dynamic_cast<const Fista*>(&transition);
             fista != nullptr && fista->variable() == z) {
    scheme = GradientScheme{fista->options().proximal, true, fista->options().restart};
  }
  return scheme && (scheme->proximal.step || scheme->proximal.rule == StepRule::Lipschitz) ? scheme
                                                                                           : std::nullopt;
}

}  // namespace basin
