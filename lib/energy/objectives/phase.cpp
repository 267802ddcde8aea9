#include "energy/objectives/phase.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "energy/eliminate/component_energy.h"
#include "energy/eliminate/eliminate.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/objectives/carried.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// While it lives, parameters hold other numbers; afterwards their own tensors again, as new leaves: energies
/// to differentiate come later.
class Exchanged {
 public:
  Exchanged(std::vector<Parameter> parameters, const std::vector<Tensor>& fast)
      : parameters_(fast.empty() ? std::vector<Parameter>{} : std::move(parameters)) {
    for (const Parameter& parameter : parameters_) own_.push_back(parameter.tensor());
    for (std::size_t i = 0; i < fast.size(); ++i)
      parameters_[i].set((Value(own_[i]) + Value(fast[i])).tensor());
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

Block missing(const Block& block, const State& state) {
  Block found;
  for (const Variable& variable : block) {
    if (!state.has(variable)) found.push_back(variable);
  }
  return found;
}

/// The variables beside `state` drawn from their conditionals, where they do not interact, or else as units
/// that feel nothing.
State with_drawn(const FactorGraph& graph, const Block& variables, const State& state, Key key) {
  if (variables.empty()) return state;
  State drawn = state;
  const Key own = key.fold(std::uint64_t{0});
  if (stays_apart(graph, variables, state)) {
    for (const Conditional& each : conditional(graph, variables, state))
      drawn.set(each.variable, each.sample(own));
    return drawn;
  }
  for (const Variable& variable : variables) {
    const Value zeros = Tensor::zeros(batched(variable, state.batch()), state.placement());
    const Value one = is_continuous(variable) ? ones_like(zeros) : Value();
    drawn.set(variable, Conditional{variable, zeros, one, state.context().own_row()}.sample(own));
  }
  return drawn;
}

/// Persistent chains of a model that clamps nothing: any chain serves any batch.
class CommonChains {
 public:
  CommonChains(const FactorGraph& graph, const PhaseCall& call, Carry& carry) : call_(call), carry_(carry) {
    for (const Variable& variable : call.free) {
      const auto found = carry.find(name(variable));
      if (found == carry.end() || !found->second.defined()) return;
      const Tensor chains =
          carried(carry, name(variable), batched(variable, found->second.dim(0)), graph.placement());
      if (state_.empty()) in_context(chains.dim(0));
      state_.set(variable, chains);
    }
    begun_ = true;
    const std::string memory = call.prefix + "memory.";
    for (auto entry = carry.lower_bound(memory); entry != carry.end() && entry->first.starts_with(memory);
         ++entry)
      state_.remember(entry->first.substr(memory.size()), entry->second.to(graph.placement()));
  }

  State begin(const FactorGraph& graph, Index chains) {
    if (begun_) return state_;
    state_ = State();
    in_context(chains > 0 ? chains : call_.start.batch());
    for (const Variable& variable : call_.free) {
      if (call_.start.has(variable))
        state_.set(variable,
                   first_samples(call_.start[variable].tensor(), chains > 0 ? chains : call_.start.batch()));
    }
    return with_drawn(graph, missing(call_.free, state_), state_, call_.key.fold("start"));
  }

  void keep(const State& state) {
    for (const Variable& variable : call_.free) carry_[name(variable)] = state[variable].tensor();
    for (const auto& [memory, value] : state.memory())
      carry_[call_.prefix + "memory." + memory] = value.tensor();
  }

 private:
  std::string name(const Variable& variable) const { return call_.prefix + "particles." + variable.name; }
  void in_context(Index chains) {
    // Of a slice of a batch the same slice of the chains.
    const Context& whole = call_.start.context();
    state_.in(
        {.key = whole.key, .first_row = whole.first_row * chains / std::max<Index>(call_.start.batch(), 1)});
  }

  const PhaseCall& call_;
  Carry& carry_;
  State state_;
  bool begun_ = false;
};

/// Persistent chains where variables are clamped: each sample has its own, found by its number.
class ChainsOfSamples {
 public:
  ChainsOfSamples(const PhaseCall& call, Carry& carry, Index chains)
      : call_(call), carry_(carry), chains_(std::max<Index>(chains, 1)) {
    const Tensor& ids = call.start.context().ids;
    if (!ids.defined()) {
      throw Error(
          "[contrast] expected the numbers of the samples in their context (ids), by which persistent chains "
          "beside clamped variables are kept, received none; set Context::ids or let chains begin at the "
          "data");
    }
    if (call.start.context().replicas != 1) {
      throw Error(fmt::format(
          "[contrast] expected one row a sample where persistent chains beside clamped variables "
          "begin, received {}, as of several chains a sample in the positive phase; keep 1 there, "
          "or let the chains of the negative phase begin at the data",
          call.start.context().replicas));
    }
    Index most = -1;
    for (const double id : ids.values()) {
      ids_.push_back(static_cast<Index>(id));
      most = std::max(most, ids_.back());
    }
    begun_ =
        stored("chains.begun", {std::max(most + 1, call.start.context().samples)}, {Dtype::F64, Device::Cpu});
  }

  State begin(const FactorGraph& graph) {
    State state = replicated(graph, call_.start, chains_);
    state = with_drawn(graph, missing(call_.free, state), state, call_.key.fold("start"));
    for (const Variable& variable : call_.free)
      state.set(variable, recalled("particles." + variable.name, state[variable]));
    const std::string memory = call_.prefix + "memory.";
    for (auto entry = carry_.lower_bound(memory); entry != carry_.end() && entry->first.starts_with(memory);
         ++entry) {
      Shape shape = entry->second.shape();
      shape[0] = state.batch();
      const std::string name = entry->first.substr(call_.prefix.size());
      state.remember(name.substr(7), recalled(name, Tensor::zeros(shape, entry->second.placement())));
    }
    return state;
  }

  void keep(const State& state) {
    for (const Variable& variable : call_.free) store("particles." + variable.name, state[variable].tensor());
    for (const auto& [name, value] : state.memory()) store("memory." + name, value.tensor());
    for (const Index id : ids_) begun_.host<double>()[id] = 1.0;
  }

 private:
  /// The carried tensor with at least so many rows, new ones zero.
  Tensor stored(const std::string& name, Shape shape, Placement placement) {
    Tensor& tensor = carry_[call_.prefix + name];
    if (tensor.defined() && tensor.placement() != placement) tensor = tensor.to(placement);
    if (!tensor.defined() || tensor.dim(0) < shape[0]) {
      const Tensor larger = Tensor::zeros(std::move(shape), placement);
      if (tensor.defined()) larger.rows(0, tensor.dim(0)).copy_from(tensor);
      tensor = larger;
    }
    return tensor;
  }

  Tensor all(const std::string& name, const Tensor& rows) {
    Shape shape = rows.shape();
    shape[0] = begun_.dim(0) * chains_;
    return stored(name, shape, rows.placement());
  }

  Value recalled(const std::string& name, const Value& fresh) {
    const Tensor from = all(name, fresh.tensor()), rows = fresh.tensor().clone();
    for (std::size_t n = 0; n < ids_.size(); ++n) {
      if (begun_.host<double>()[ids_[n]] == 0.0) continue;
      const auto row = static_cast<Index>(n) * chains_;
      rows.rows(row, row + chains_).copy_from(from.rows(ids_[n] * chains_, (ids_[n] + 1) * chains_));
    }
    return rows;
  }

  void store(const std::string& name, const Tensor& rows) {
    const Tensor to = all(name, rows);
    for (std::size_t n = 0; n < ids_.size(); ++n) {
      const auto row = static_cast<Index>(n) * chains_;
      to.rows(ids_[n] * chains_, (ids_[n] + 1) * chains_).copy_from(rows.rows(row, row + chains_));
    }
  }

  const PhaseCall& call_;
  Carry& carry_;
  Index chains_;
  std::vector<Index> ids_;
  Tensor begun_;  // [samples], host f64
};

Block eliminated_by(const Chains& chains, const Block& latents) {
  if (chains.options.eliminate_latents) return latents;
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

State state_of(const MeanField& means, const FactorGraph& graph, const PhaseCall& call, Carry&) {
  for (const Variable& variable : call.free) {
    if (!contains(means.units(), variable)) {
      throw Error(fmt::format("[contrast] expected {} to approximate all of {}, {} is left; name it too",
                              means.name(), to_string(call.free), variable.name));
    }
  }
  State state = call.start;
  for (Index i = 0; i < means.options().iterations; ++i) state = means(graph, state, call.key);
  return state;
}

Value energy_of(const MeanField& means, const FactorGraph& graph, const PhaseCall&, const State& state) {
  return variational_free_energy(graph, means.units(), state);
}

/// A variable that stays where it should move, or moves where it is clamped, would bias what chains say.
void require_moved(const FactorGraph& graph, const Chains& chains, const PhaseCall& call, const State& from,
                   const State& to) {
  for (const Variable& variable : graph.variables()) {
    const bool free = contains(call.free, variable);
    if (!to.has(variable)) continue;
    if (free != (!from.has(variable) || to[variable].node() != from[variable].node())) {
      throw Error(fmt::format("[contrast] expected {} to move {}, {} {}; change its variables",
                              chains.transition->name(), to_string(call.free), variable.name,
                              free ? "stays" : "is clamped and moves"));
    }
  }
}

State state_of(const Chains& chains, const FactorGraph& graph, const PhaseCall& call, Carry& carry) {
  const auto move = [&](const State& from) {
    const Exchanged moving(graph.parameters(), call.fast);
    State to = iterate(*chains.transition, graph, from, chains.options.steps, call.key.fold("gibbs"));
    require_moved(graph, chains, call, from, to);
    return to;
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
  State state;
  if (outside(graph, call.free, call.start).empty()) {
    CommonChains common(graph, call, carry);
    state = move(common.begin(graph, chains.options.persistent));
    common.keep(state);
  } else {
    ChainsOfSamples own(call, carry, chains.options.persistent);
    state = move(own.begin(graph));
    own.keep(state);
  }
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
  if (options.fast_rate < 0.0 || (options.fast_rate > 0.0 && options.persistent == 0)) {
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
