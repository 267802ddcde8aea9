#include <utility>

#include "energy/minimise/proximal.h"
#include "energy/minimise/proximal_step.h"

namespace basin {

Ista::Ista(Variable z, ProximalOptions options) : variable_(std::move(z)), options_(options) {
  check_options("Ista", options_);
}

State Ista::operator()(const FactorGraph& graph, const State& state, Key key) const {
  const Split split(graph, variable_);
  ProximalStep step = proximal_step(split, state, options_, key);
  State moved = state;
  moved.set(variable_, std::move(step.z));
  moved.remember(kStepMemory, std::move(step.step));
  return moved;
}

Info Ista::info(const FactorGraph&, const State&, const State& after) const {
  return {{"step", after.recall(kStepMemory)}};
}

std::optional<ProximalScheme> Ista::proximal() const {
  return ProximalScheme{variable_, options_.step, options_.rule == StepRule::Backtracking};
}

}  // namespace basin
