#include "energy/minimise/rule.h"

#include "energy/minimise/conv_lasso.h"
#include "energy/minimise/lasso.h"

namespace basin {

std::optional<ProximalScheme> Inference::scheme() const {
  std::optional<ProximalScheme> scheme = transition.proximal();
  const bool known = scheme && scheme->z == split.variable() && (scheme->step || !scheme->backtracking);
  return known ? scheme : std::nullopt;
}

std::optional<InferenceRule> recognise(const Inference& inference) {
  constexpr std::optional<InferenceRule> (*kRules[])(const Inference&) = {lasso_rule, conv_lasso_rule};
  if (inference.options.fuse == Fuse::Off) return std::nullopt;
  for (const auto& rule : kRules) {
    if (std::optional<InferenceRule> found = rule(inference)) return found;
  }
  return std::nullopt;
}

}  // namespace basin
