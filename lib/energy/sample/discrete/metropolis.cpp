#include "energy/sample/discrete/metropolis.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/sample/choose.h"
#include "energy/sample/discrete/units.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr const char* kAcceptance = "metropolis.acceptance";

}  // namespace

Metropolis::Metropolis(Block bits, MetropolisOptions options) : bits_(std::move(bits)), options_(options) {
  require_domains("Metropolis", bits_, {Domain::Binary},
                  "move categorical ones by GibbsWithGradients, real ones by Langevin");
  if (options_.proposals < 1 || options_.flips < 1) {
    throw Error(fmt::format("[Metropolis] expected at least 1 proposal of at least 1 flip, received {} of {}",
                            options_.proposals, options_.flips));
  }
}

State Metropolis::operator()(const FactorGraph& graph, const State& state, Key key) const {
  const Block bits = resolved(graph, bits_, state);
  const Index units = size_of(bits), rows = state.batch(), first = state.context().own_row();
  if (options_.flips > units) {
    throw Error(fmt::format("[Metropolis] expected at most {} flips, as {} has units, received {}", units,
                            to_string(bits_), options_.flips));
  }
  State at = state;
  for (const Variable& variable : bits) at.set(variable, state[variable].detached());
  Value energy = graph.energy_touching(bits_, at).detached();
  Value taken = Tensor::zeros({rows}, energy.placement());
  for (Index i = 0; i < options_.proposals; ++i) {
    const Key own = key.fold(static_cast<std::uint64_t>(i));
    const Value scores = uniform(own.fold("units"), {rows, units}, energy.placement(),
                                 static_cast<std::uint64_t>(first * units));
    const std::vector<Value> flips = parted(bits, largest(scores, options_.flips));
    State proposed = at;
    for (std::size_t v = 0; v < bits.size(); ++v) proposed.set(bits[v], abs(at[bits[v]] - flips[v]));
    const Value there = graph.energy_touching(bits_, proposed).detached();
    const Value chosen = accepted(energy - there, own.fold("accept"), first);
    for (std::size_t v = 0; v < bits.size(); ++v)
      at.set(bits[v], abs(at[bits[v]] - per_sample(chosen, flips[v]) * flips[v]));
    if (i + 1 < options_.proposals) energy = choose(chosen, there, energy);
    taken = taken + chosen;
  }
  return at.remember(kAcceptance, taken / static_cast<double>(options_.proposals));
}

Info Metropolis::info(const State& after) const { return {{"acceptance", after.recall(kAcceptance)}}; }

}  // namespace basin
