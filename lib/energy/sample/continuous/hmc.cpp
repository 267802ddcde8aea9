#include "energy/sample/continuous/hmc.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {

Hmc::Hmc(Block moved, HmcOptions options) : Hmc(RealBlock("Hmc", std::move(moved)), std::move(options)) {}

Hmc::Hmc(RealBlock moved, HmcOptions options)
    : moved_(std::move(moved)),
      options_(std::move(options)),
      step_(moved_.who(), name(), options_.step, options_.tune) {
  if (options_.leapfrogs < 1 || !(options_.jitter >= 0.0 && options_.jitter < 1.0)) {
    throw Error(fmt::format("[{}] expected leapfrogs >= 1 and 0 <= jitter < 1, received {} and {}",
                            moved_.who(), options_.leapfrogs, options_.jitter));
  }
  check_variances(moved_, options_.variances);
}

std::string Hmc::name() const { return fmt::format("{}({})", moved_.who(), to_string(moved_.variables())); }

State Hmc::operator()(const FactorGraph& graph, const State& state, Key key) const {
  const Hamiltonian hamiltonian(moved_, graph, state, options_.variances);
  Value time = step_.of(state);
  if (options_.jitter > 0.0)
    time = time * (1.0 + options_.jitter * (2.0 * RealBlock::uniforms(state, key.fold("jitter")) - 1.0));
  const Particle start = hamiltonian.start(key.fold("momentum"));
  Particle end = start;
  for (Index i = 0; i < options_.leapfrogs; ++i)
    end = hamiltonian.leapfrog(end, reshape(time, {state.batch(), 1}));
  const Value fall = hamiltonian.energy(start) - hamiltonian.energy(end);
  const Value acceptance = acceptance_of(fall);
  const Value accepted = step(acceptance - RealBlock::uniforms(state, key.fold("accept")));
  State moved = moved_.with(graph, state, choose(accepted, end.position, start.position));
  step_.update(moved, acceptance);
  moved.remember(name() + ".acceptance", acceptance);
  moved.remember(name() + ".step_size", time);
  moved.remember(name() + ".divergent", 1.0 - step(fall + kDivergent));
  return moved;
}

Info Hmc::info(const State& after) const {
  Info said;
  for (const char* what : {"acceptance", "step_size", "divergent"}) {
    if (Value value = after.recall(name() + "." + what); value.defined()) said[what] = std::move(value);
  }
  return said;
}

}  // namespace basin
