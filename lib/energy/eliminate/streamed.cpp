#include "energy/eliminate/streamed.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/eliminate/turn.h"
#include "energy/sample_ops.h"

namespace basin {
namespace {

Value combined(const Value& negative, Elimination how) {
  return how == Elimination::Sum ? log_sum_exp(negative, 1) : max(negative, 1);
}

Value column(const Value& x) { return reshape(x, {x.dim(0), 1}); }

}  // namespace

Value streamed(const FactorGraph& graph, const State& rest, Index states, Index at_once, Elimination how,
               EnergiesOfStates energies) {
  std::vector<Value> inputs;
  Block tracked;
  State fixed = rest;
  for (const Parameter& parameter : graph.parameters()) inputs.push_back(parameter.value());
  for (const Variable& variable : graph.variables()) {
    if (!rest.has(variable) || !rest[variable].tracked()) continue;
    tracked.push_back(variable);
    inputs.push_back(rest[variable]);
    fixed.set(variable, rest[variable].detached());
  }

  Value top, turn_of_minimum;  // -F; the first turn that attains a minimum
  for (Index begin = 0; begin < states; begin += at_once) {
    const Value negative = -energies(fixed, begin, std::min(begin + at_once, states)).detached();
    const Value here = combined(negative, how);
    if (!top.defined()) {
      top = here;
      turn_of_minimum = zeros_like(here);
      continue;
    }
    const Value both = combined(concat({column(top), column(here)}, 1), how), lower = step(both - top);
    turn_of_minimum = (1.0 - lower) * turn_of_minimum + lower * static_cast<double>(begin / at_once);
    top = both;
  }

  const auto turn = std::make_shared<Turn>();
  const std::size_t parameters = inputs.size() - tracked.size();
  auto rule = [=](std::size_t index, const Value& gradient, const std::vector<Value>& at,
                  const Value& output) {
    const bool record = std::any_of(at.begin(), at.end(), [](const Value& input) { return input.tracked(); });
    State state = fixed;
    if (!record && turn->gradient.lock() == gradient.node()) return turn->gradients[index];
    std::vector<Value> leaves(at.begin(), at.end());
    if (!record) {
      const std::vector<Parameter> own = graph.parameters();
      for (std::size_t i = 0; i < leaves.size(); ++i)
        leaves[i] = i < parameters ? own[i].value() : Value::leaf(at[i].tensor());
    }
    for (std::size_t i = 0; i < tracked.size(); ++i) state.set(tracked[i], leaves[parameters + i]);
    if (record) {
      const Value all = combined(-energies(state, 0, states), how);
      return grad(sum(-all * gradient), {leaves[index]}, {.differentiable = true}).front();
    }
    std::vector<Value> total(leaves.size());
    for (Index begin = 0; begin < states; begin += at_once) {
      const Value energy = energies(state, begin, std::min(begin + at_once, states));
      Value share;
      if (how == Elimination::Sum) {
        share = exp(column(output) - energy.detached());
      } else {
        // Compared within this evaluation: it need not round as the first one did.
        const Value negative = -energy.detached(), ties = 1.0 - step(column(max(negative, 1)) - negative);
        const Value other = abs(turn_of_minimum - static_cast<double>(begin / at_once));
        share = ties * column((1.0 - step(other)) / sum(ties, {1}));
      }
      const std::vector<Value> part = grad(sum(energy * (share * column(gradient))), leaves);
      for (std::size_t i = 0; i < total.size(); ++i)
        total[i] = total[i].defined() ? total[i] + part[i] : part[i];
    }
    turn->gradient = gradient.node();
    turn->gradients = std::move(total);
    return turn->gradients[index];
  };
  return Value::result((-top).tensor(), std::move(inputs), std::move(rule));
}

}  // namespace basin
