#include "energy/objectives/contrast/phase.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "energy/eliminate/component_energy.h"
#include "energy/eliminate/eliminate.h"
#include "energy/objectives/contrast/kept_means.h"
#include "energy/objectives/contrast/persistent_chains.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// While it lives, parameters hold other numbers; afterwards their own tensors again, as new leaves: energies
/// to differentiate come later.
class Exchanged {
 public:
  Exchanged(std::vector<Parameter> parameters, const std::vector<Tensor>& others)
      : parameters_(others.empty() ? std::vector<Parameter>{} : std::move(parameters)) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      own_.push_back(parameters_[i].tensor());
      parameters_[i].set(others[i]);
    }
  }
  ~Exchanged() {
    for (std::size_t i = 0; i < own_.size(); ++i) parameters_[i].set(own_[i]);
  }
  Exchanged(const Exchanged&) = delete;
  Exchanged& operator=(const Exchanged&) = delete;

 private:
  std::vector<Parameter> parameters_;
  std::vector<Tensor> own_;
};

/// A variable that stays where it should move, or moves where it is clamped, would bias what chains say.
void require_moved(const FactorGraph& graph, const Transition& transition, const Block& free) {
  const Block moves = transition.moves();
  for (const Variable& variable : graph.variables()) {
    if (contains(free, variable) == contains(moves, variable)) continue;
    throw Error(fmt::format("[contrast] expected {} to move {}, {} {}; change its variables",
                            transition.name(), to_string(free), variable.name,
                            contains(free, variable) ? "stays" : "is clamped and moves"));
  }
}

Block eliminated_by(const Chains& chains, const Block& latents) {
  if (chains.options.eliminated) return *chains.options.eliminated;
  const std::vector<Block>* blocks = chains.transition->gibbs_blocks();
  if (blocks == nullptr) return {};
  for (const Block& block : *blocks) {
    const bool all =
        block.size() == latents.size() &&
        std::all_of(block.begin(), block.end(), [&](const Variable& z) { return contains(latents, z); });
    if (all) return latents;
  }
  return blocks->back();
}

State state_of(const Exact&, const FactorGraph&, const PhaseCall& call, Carry&) { return call.start; }

Value energy_of(const Exact&, const FactorGraph& graph, const PhaseCall& call, const State&) {
  const State rest = outside(graph, call.free, call.start);
  return rest.empty() ? -log_partition(graph) : free_energy(graph, call.free, rest);
}

State state_of(const MeanField& means, const FactorGraph& graph, const PhaseCall& call, Carry& carry) {
  require_moved(graph, means, call.free);
  const Index iterations = means.options().iterations;
  if (!means.options().warm) return iterate(means, graph, call.start, iterations, call.key);
  const KeptMeans kept(graph, means, call, carry);
  State state = iterate(means, graph, kept.begin(), iterations, call.key);
  kept.keep(state);
  return state;
}

Value energy_of(const MeanField& means, const FactorGraph& graph, const PhaseCall&, const State& state) {
  return variational_free_energy(graph, means.units(), state);
}

State state_of(const Chains& chains, const FactorGraph& graph, const PhaseCall& call, Carry& carry) {
  require_moved(graph, *chains.transition, call.free);
  const auto move = [&](const State& from) {
    const Exchanged moving(graph.parameters(), call.moving);
    return iterate(*chains.transition, graph, from, chains.options.steps, call.key.fold("gibbs"));
  };
  if (chains.options.persistent == 0) {
    // What a first Gibbs block draws needs no value.
    const std::vector<Block>* blocks = chains.transition->gibbs_blocks();
    const Block absent = missing(call.free, call.start);
    const bool drawn_first =
        blocks != nullptr && std::all_of(absent.begin(), absent.end(),
                                         [&](const Variable& z) { return contains(blocks->front(), z); });
    return move(drawn_first ? call.start : with_drawn(graph, absent, call.start, call.key.fold("start")));
  }
  PersistentChains kept(graph, call, carry, chains.options);
  State state = move(kept.begin());
  kept.keep(state);
  return state;
}

Value energy_of(const Chains& chains, const FactorGraph& graph, const PhaseCall& call, const State& state) {
  const Block eliminated = eliminated_by(chains, call.latents);
  return free_energy(graph, eliminated, outside(graph, eliminated, state));
}

}  // namespace

Chains::Chains(std::shared_ptr<const Transition> moves, ChainsOptions given)
    : transition(std::move(moves)), options(std::move(given)) {
  if (transition == nullptr)
    throw Error("[contrast] expected a transition that moves chains, received a null pointer");
  if (options.steps < 1 || options.persistent < kAsBatch) {
    throw Error(fmt::format("[contrast] expected at least 1 step and a number of chains, received {} and {}",
                            options.steps, options.persistent));
  }
  if (!(options.restart >= 0.0 && options.restart <= 1.0) ||
      (options.restart > 0.0 && options.persistent == 0)) {
    throw Error(
        fmt::format("[contrast] expected a restart rate in [0, 1], with persistent chains only, received {}; "
                    "set persistent",
                    options.restart));
  }
  if (!(options.fast_rate >= 0.0) || (options.fast_rate > 0.0 && options.persistent == 0)) {
    throw Error(
        fmt::format("[contrast] expected fast weights with persistent chains only, received rate {}; set "
                    "persistent",
                    options.fast_rate));
  }
}

State phase_state(const Phase& phase, const FactorGraph& graph, const PhaseCall& call, Carry& carry) {
  return std::visit([&](const auto& kind) { return state_of(kind, graph, call, carry); }, phase);
}

Value phase_energy(const Phase& phase, const FactorGraph& graph, const PhaseCall& call, const State& state) {
  return std::visit([&](const auto& kind) { return energy_of(kind, graph, call, state); }, phase);
}

}  // namespace basin
