#include <utility>

#include "energy/minimise/proximal.h"
#include "energy/minimise/proximal_step.h"

namespace basin {

Ista::Ista(Variable z, ProximalOptions options) : variable_(std::move(z)), options_(options) {
  check_options("Ista", options_);
}

Moved Ista::operator()(const FactorGraph& graph, const State& state, Key key) const {
  const Split split(graph, variable_);
  ProximalStep step = proximal_step(split, state, options_, key);
  Moved moved{state, {{"step", smallest(step.step)}}};
  moved.state.set(variable_, std::move(step.z));
  moved.state.remember(kStepMemory, std::move(step.step));
  return moved;
}

}  // namespace basin
