#include "energy/minimise/rule.h"

#include "energy/factors/squared_error.h"

namespace basin {

std::optional<ProximalScheme> Inference::scheme() const {
  std::optional<ProximalScheme> scheme = transition.proximal();
  const bool known = scheme && scheme->z == split.variable() && (scheme->step || !scheme->backtracking);
  return known ? scheme : std::nullopt;
}

std::optional<Lasso> recognise_lasso(const Split& split) {
  const Variable& z = split.variable();
  const std::optional<double> lambda = split.l1_weight();
  const std::vector<TermOf<SquaredError>> errors = split.smooth().factors<SquaredError>();
  if (!lambda || errors.size() != split.smooth().terms().size()) return std::nullopt;
  Lasso lasso{.lambda = *lambda};
  for (const auto& [error, term_weight] : errors) {
    if (term_weight < 0.0 || error->target() == error->source()) return std::nullopt;
    const bool decodes = error->source() == z;
    (decodes ? lasso.decoders : lasso.predictions)
        .push_back(
            {decodes ? error->target() : error->source(), &error->module(), term_weight * error->weight()});
  }
  return lasso.decoders.empty() ? std::nullopt : std::optional(lasso);
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
