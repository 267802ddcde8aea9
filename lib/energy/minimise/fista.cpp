#include <utility>

#include "autograd/ops.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/proximal_step.h"
#include "energy/sample_ops.h"

namespace basin {
namespace {

constexpr const char* kPrevious = "fista.previous";
constexpr const char* kT = "fista.t";

}  // namespace

Fista::Fista(Variable z) : Fista(std::move(z), Options{}) {}

Fista::Fista(Variable z, Options options) : variable_(std::move(z)), options_(options) {
  check_options("Fista", options_.proximal);
}

State Fista::operator()(const FactorGraph& graph, const State& state, Key key) const {
  const Split split(graph, variable_);
  const Value& z = state[variable_];
  // Without memory this is the first iteration, z_1 from z_0, after which t_1 = 1.
  const Value t = state.recall(kT), previous = state.recall(kPrevious);
  Value u = z, next = Tensor::full({z.dim(0)}, 1.0, z.placement());
  if (t.defined()) {
    next = (1.0 + sqrt(1.0 + 4.0 * square(t))) * 0.5;
    u = z + per_sample((t - 1.0) / next, z) * (z - previous);
  }
  ProximalStep step = proximal_step(split, state.with(variable_, u), options_.proximal, key);
  if (options_.restart) {
    const Value uphill = basin::step(dot_per_sample((u - step.z).detached(), (step.z - z).detached()));
    next = next + uphill * (1.0 - next);
  }
  State moved = state;
  moved.set(variable_, std::move(step.z));
  moved.remember(kPrevious, z).remember(kT, std::move(next)).remember(kStepMemory, std::move(step.step));
  return moved;
}

Info Fista::info(const FactorGraph&, const State&, const State& after) const {
  return {{"step", after.recall(kStepMemory)}};
}

std::optional<ProximalScheme> Fista::proximal() const {
  const ProximalOptions& own = options_.proximal;
  return ProximalScheme{variable_, own.step, own.rule == StepRule::Backtracking, true, options_.restart};
}

}  // namespace basin
