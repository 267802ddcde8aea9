#include "energy/eliminate/recomputed.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/eliminate/turn.h"

namespace basin {

Value recomputed(const FactorGraph& graph, const State& rest, Index count,
                 std::function<Value(const State& rest, Index column)> make) {
  std::vector<Value> inputs, columns;
  for (const Parameter& parameter : graph.parameters()) inputs.push_back(parameter.value());
  const std::size_t parameters = inputs.size();
  Block tracked;
  State fixed = rest;
  for (const Variable& variable : graph.variables()) {
    if (!rest.has(variable) || !rest[variable].tracked()) continue;
    tracked.push_back(variable);
    inputs.push_back(rest[variable]);
    fixed.set(variable, rest[variable].detached());
  }
  for (Index i = 0; i < count; ++i) columns.push_back(make(fixed, i).detached());

  const auto turn = std::make_shared<Turn>();
  auto rule = [=](std::size_t index, const Value& gradient, const std::vector<Value>& at, const Value&) {
    const bool record = std::any_of(at.begin(), at.end(), [](const Value& input) { return input.tracked(); });
    if (!record && turn->gradient.lock() == gradient.node()) return turn->gradients[index];
    std::vector<Value> leaves;
    for (const Parameter& parameter : graph.parameters()) leaves.push_back(parameter.value());
    State state = fixed;
    for (std::size_t i = 0; i < tracked.size(); ++i) {
      leaves.push_back(record ? at[parameters + i] : Value::leaf(at[parameters + i].tensor()));
      state.set(tracked[i], leaves.back());
    }
    const auto column = [&](Index i) { return reshape(slice(gradient, 1, i, i + 1), {gradient.dim(0)}); };
    if (record) {
      std::vector<Value> made;
      for (Index i = 0; i < count; ++i) made.push_back(make(state, i));
      return vector_jacobian_product(stack(made, 1), gradient, {leaves[index]}, {.differentiable = true})
          .front();
    }
    std::vector<Value> total = vector_jacobian_product(make(state, 0), column(0), leaves);
    for (Index i = 1; i < count; ++i) {
      const std::vector<Value> part = vector_jacobian_product(make(state, i), column(i), leaves);
      for (std::size_t k = 0; k < total.size(); ++k) total[k] = total[k] + part[k];
    }
    turn->gradient = gradient.node();
    turn->gradients = std::move(total);
    return turn->gradients[index];
  };
  return Value::result(stack(columns, 1).tensor(), std::move(inputs), std::move(rule));
}

}  // namespace basin
