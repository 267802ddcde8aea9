#include "energy/sample/continuous/real_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/sample_ops.h"
#include "energy/side_by_side.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

const char* advice(Domain domain) {
  return domain == Domain::NonNegative ? "move it by BlockGibbs, or state the energy of its logarithm"
                                       : "move it by BlockGibbs";
}

}  // namespace

RealBlock::RealBlock(const char* who, Block variables) : who_(who), variables_(std::move(variables)) {
  if (variables_.empty()) throw Error(fmt::format("[{}] expected a variable to move, received none", who_));
  for (const Variable& variable : variables_) {
    if (variable.domain != Domain::Real) {
      throw Error(fmt::format("[{}] expected real variables, received {}, which is {}; {}", who_,
                              variable.name, to_string(variable.domain), advice(variable.domain)));
    }
    if (std::count(variables_.begin(), variables_.end(), variable) > 1) {
      throw Error(fmt::format("[{}] {} has variable {} twice; name it once", who_, to_string(variables_),
                              variable.name));
    }
  }
}

Value RealBlock::vector(const State& state) const {
  std::vector<Value> parts;
  for (const Variable& variable : variables_) parts.push_back(state[variable].detached());
  return side_by_side(parts);
}

State RealBlock::with(const FactorGraph& graph, const State& state, const Value& vector) const {
  State moved = state;
  const std::vector<Value> parts = parted(resolved(graph, variables_, state), vector);
  for (std::size_t i = 0; i < variables_.size(); ++i) moved.set(variables_[i], parts[i]);
  return moved;
}

Potential RealBlock::potential(const FactorGraph& graph, const State& state, const Value& vector) const {
  const Value q = Value::leaf(vector.tensor());
  const Value energy = graph.energy_touching(variables_, with(graph, state, q));
  if (!energy.tracked()) {
    throw Error(fmt::format(
        "[{}] expected an energy that depends on {}, received one that does not; add factors that read it",
        who_, to_string(variables_)));
  }
  return {energy.detached(), grad(sum(energy), {q}).front().detached()};
}

Value RealBlock::normals(const FactorGraph& graph, const State& state, Key key) const {
  std::vector<Value> parts;
  for (const Variable& variable : variables_) {
    const Variable fixed = resolved(graph, variable, state);
    const auto first = static_cast<std::uint64_t>(state.context().own_row() * fixed.size());
    Value own = normal(key.fold(variable.name), batched(fixed, state.batch()), state.placement(), first);
    if (const Value inside = units_inside(graph, variable, state); inside.defined()) own = own * inside;
    parts.push_back(own);
  }
  return side_by_side(parts);
}

Value RealBlock::uniforms(const State& state, Key key) {
  return uniform(key, {state.batch()}, state.placement(),
                 static_cast<std::uint64_t>(state.context().own_row()));
}

}  // namespace basin
