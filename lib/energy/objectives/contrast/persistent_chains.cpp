#include "energy/objectives/contrast/persistent_chains.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "energy/eliminate/component_energy.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
Block missing(const Block& block, const State& state) {
  Block found = block;
  std::erase_if(found, [&](const Variable& variable) { return state.has(variable); });
  return found;
}

State with_drawn(const FactorGraph& graph, const Block& variables, const State& state, Key key) {
  if (variables.empty()) return state;
  if (!stays_apart(graph, variables, state)) return with_noise(variables, state, key);
  State drawn = state;
  const Key own = key.fold(std::uint64_t{0});
  for (const Conditional& each : conditional(graph, variables, state))
    drawn.set(each.variable, each.sample(own));
  return drawn;
}

State with_noise(const Block& variables, const State& state, Key key) {
  State drawn = state;
  const Key own = key.fold(std::uint64_t{0});
  for (const Variable& variable : variables) {
    const Value zeros = Tensor::zeros(batched(variable, state.batch()), state.placement());
    const Value one = is_continuous(variable) ? ones_like(zeros) : Value();
    drawn.set(variable, Conditional{variable, zeros, one, state.context().own_row()}.sample(own));
  }
  return drawn;
}

PersistentChains::PersistentChains(const FactorGraph& graph, const PhaseCall& call, Carry& carry,
                                   const ChainsOptions& options)
    : graph_(graph),
      call_(call),
      carry_(carry),
      options_(options),
      chains_(options.persistent),
      common_(outside(graph, call.free, call.start).empty()) {
  const Context& context = call.start.context();
  if (common_) {
    if (chains_ < 1) chains_ = call.start.batch();
    if (chains_ < 1) throw Error("[contrast] expected a sample to start chains from, received none");
    std::size_t begun = 0;
    for (const Variable& variable : call.free) {
      const auto held = carry.find(call.prefix + "particles." + variable.name);
      if (held == carry.end() || !held->second.defined()) continue;
      if (begun++ == 0) chains_ = held->second.dim(0);
    }
    begun_ = begun == call.free.size();
    if (begun > 0 && !begun_) {
      throw Error(
          fmt::format("[carry] expected particles of all {} variables of the chains, received those of "
                      "{}; start with an empty carry",
                      call.free.size(), begun));
    }
    return;
  }
  if (!context.ids.defined()) {
    throw Error(
        "[contrast] expected the numbers of the samples in their context (ids), by which persistent chains "
        "beside clamped variables are kept, received none; set Context::ids or let chains begin at the data");
  }
  if (context.replicas != 1) {
    throw Error(fmt::format(
        "[contrast] expected one row a sample where persistent chains beside clamped variables begin, "
        "received {}, as of several chains a sample in the positive phase; keep 1 there, or let the chains "
        "of the negative phase begin at the data",
        context.replicas));
  }
  chains_ = std::max<Index>(options.persistent, 1);
  Index samples = context.samples;
  for (const double id : context.ids.values()) {
    ids_.push_back(static_cast<Index>(id));
    samples = std::max(samples, ids_.back() + 1);
  }
  begun_of_ = stored("chains.begun", {samples}, {Dtype::F64, Device::Cpu});
  for (const Index id : ids_) begun_ = begun_ && begun_of_.host<double>()[id] != 0.0;
}

/// Of a slice of a batch the same slice of the chains.
Context PersistentChains::common_context() const {
  const Context& whole = call_.start.context();
  const Index batch = std::max<Index>(call_.start.batch(), 1);
  return {.key = whole.key, .first_row = whole.first_row * chains_ / batch};
}

/// Chains that stand at the data, what the data lack drawn.
State PersistentChains::at_data(Key key) const {
  State state;
  if (common_) {
    const Index batch = std::max<Index>(call_.start.batch(), 1);
    state.in(common_context());
    for (const Variable& variable : call_.free) {
      if (!call_.start.has(variable)) continue;
      // The first samples, from the beginning again where there are too few.
      const Value tiled = concat(
          std::vector<Value>(static_cast<std::size_t>((chains_ + batch - 1) / batch), call_.start[variable]),
          0);
      state.set(variable, tiled.tensor().rows(0, chains_).clone());
    }
  } else {
    state = replicated(graph_, call_.start, chains_);
  }
  return with_drawn(graph_, missing(call_.free, state), state, key);
}

State PersistentChains::restarted(const State& state) const {
  if (options_.restart == 0.0) return state;
  const Key key = call_.key.fold("restart");
  State fresh = state;
  if (options_.restart_at == Restart::Data) {
    fresh = at_data(key.fold("where"));
  } else {
    Block free;
    for (const Variable& variable : call_.free) free.push_back(resolved(graph_, variable, state));
    fresh = with_noise(free, state, key.fold("where"));
  }
  const Tensor draws = uniform(key.fold("which"), {state.batch()}, state.placement(),
                               static_cast<std::uint64_t>(state.context().own_row()));
  const Value chosen = step(options_.restart - Value(draws));
  State result = state;
  for (const Variable& variable : call_.free)
    result.set(variable, choose(chosen, fresh[variable].detached(), state[variable]));
  return result;
}

State PersistentChains::begin() {
  State state;
  if (!begun_) {
    state = at_data(call_.key.fold("start"));
  } else if (common_) {
    state.in(common_context());
  } else {
    state = replicated(graph_, call_.start, chains_);
  }
  const Index rows = common_ ? chains_ : state.batch();
  for (const Variable& variable : call_.free) {
    const Shape shape = batched(resolved(graph_, variable, state), rows);
    state.set(variable,
              recalled("particles." + variable.name, shape, state.has(variable) ? state[variable] : Value()));
  }
  const std::string memory = call_.prefix + "memory.";
  for (auto entry = carry_.lower_bound(memory); entry != carry_.end() && entry->first.starts_with(memory);
       ++entry) {
    Shape shape = entry->second.shape();
    shape[0] = rows;
    const Value held = recalled(entry->first.substr(call_.prefix.size()), shape, {});
    if (held.defined()) state.remember(entry->first.substr(memory.size()), held);
  }
  return restarted(state);
}

void PersistentChains::keep(const State& state) {
  for (const Variable& variable : call_.free) store("particles." + variable.name, state[variable].tensor());
  for (const auto& [name, value] : state.memory()) store("memory." + name, value.tensor());
  for (const Index id : ids_) begun_of_.host<double>()[id] = 1.0;
}

/// The carried tensor with at least so many rows, new ones zero.
Tensor PersistentChains::stored(const std::string& name, Shape shape, Placement placement) {
  const std::string key = call_.prefix + name;
  Shape there = shape;
  if (const auto found = carry_.find(key); found != carry_.end()) there[0] = found->second.dim(0);
  const Tensor held = recall(carry_, key, there, placement);
  if (held.defined() && held.dim(0) >= shape[0]) return held;
  const Tensor larger = Tensor::zeros(shape, placement);
  if (held.defined()) larger.rows(0, held.dim(0)).copy_from(held);
  return carry_[key] = larger;
}

/// Rows of that shape: `fresh` ones, or zeros, where chains have not begun.
Value PersistentChains::recalled(const std::string& name, const Shape& shape, const Value& fresh) {
  if (common_) return begun_ ? recall(carry_, call_.prefix + name, shape, graph_.placement()) : fresh;
  Shape whole = shape;
  whole[0] = begun_of_.dim(0) * chains_;
  const Tensor from = stored(name, whole, graph_.placement());
  const Tensor rows = fresh.defined() ? fresh.tensor().clone() : Tensor::zeros(shape, from.placement());
  for (std::size_t n = 0; n < ids_.size(); ++n) {
    if (begun_of_.host<double>()[ids_[n]] == 0.0) continue;
    const Index row = static_cast<Index>(n) * chains_;
    rows.rows(row, row + chains_).copy_from(from.rows(ids_[n] * chains_, (ids_[n] + 1) * chains_));
  }
  return rows;
}

void PersistentChains::store(const std::string& name, const Tensor& rows) {
  if (common_) {
    carry_[call_.prefix + name] = rows;
    return;
  }
  Shape whole = rows.shape();
  whole[0] = begun_of_.dim(0) * chains_;
  const Tensor to = stored(name, whole, rows.placement());
  for (std::size_t n = 0; n < ids_.size(); ++n) {
    const Index row = static_cast<Index>(n) * chains_;
    to.rows(ids_[n] * chains_, (ids_[n] + 1) * chains_).copy_from(rows.rows(row, row + chains_));
  }
}

}  // namespace basin
