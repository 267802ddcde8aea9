#include "energy/eliminate/sample_eliminated.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "energy/eliminate/chain_scan.h"
#include "energy/eliminate/component_energy.h"
#include "energy/eliminate/tabulated.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/enumerate.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Draws the enumerated variables of a component.
void draw_states(const FactorGraph& graph, const Component& component, const State& rest, Key key,
                 const EliminateOptions& options, State& drawn) {
  const Index rows = rest.empty() ? 1 : rest.batch();
  const Placement placement = rest.empty() ? graph.placement() : rest.placement();
  const auto bytes = static_cast<std::size_t>(rows * component.states) * byte_size(placement.dtype);
  if (bytes > options.bytes) {
    throw Error(
        fmt::format("[sample_eliminated] expected at most {} bytes of probabilities, received {} samples of "
                    "{} states; draw fewer "
                    "at a time or raise EliminateOptions::bytes",
                    options.bytes, rows, component.states));
  }
  const Index at_once = states_at_once(graph, component, rest, options);
  std::vector<Value> parts;
  for (Index begin = 0; begin < component.states; begin += at_once) {
    const Index end = std::min(begin + at_once, component.states);
    parts.push_back(
        -component_energy(graph, component, rest, begin, end, Elimination::Sum, options).detached());
  }
  const Variable states{component.enumerated.front().name, Domain::Categorical, {component.states}, 0};
  const Value chosen = Conditional{states, concat(parts, 1), {}, rest.context().own_row()}.sample(key);
  const State all = enumerate_states(component.enumerated, 0, component.states, placement);
  for (const Variable& variable : component.enumerated)
    drawn.set(variable, reshape(matmul(chosen, flatten(all[variable])), batched(variable, rows)));
}

}  // namespace

State sample_eliminated(const FactorGraph& graph, const Block& given_latents, const State& rest, Key key,
                        const EliminateOptions& options) {
  const Block latents = resolved(graph, given_latents, rest);
  const State given = without_memory(graph, outside(graph, latents, rest));
  State drawn = given;
  for (const Component& component :
       plan_elimination(graph, latents, given, Elimination::Sum, options.states)) {
    State at = given;
    if (!component.tabulated.empty()) {
      draw_tabulated(graph, component.tabulated, given, key.fold("tables"), options, drawn);
      continue;
    }
    if (!component.enumerated.empty()) draw_states(graph, component, given, key.fold("states"), options, at);
    // Chains and units do not interact, so that each needs the enumerated ones alone.
    for (const Variable& chain : component.chains) {
      const ChainScores scores = chain_scores(graph, chain, at);
      const Tensor x = sample_chain(scores, at.context().lengths, key.fold("chain").fold(chain.name),
                                    at.context().own_row());
      drawn.set(chain, x);
    }
    for (const JointPart& joint : joint_parts(graph, component, at)) {
      const Key own = key.fold("joint").fold(joint.variables.front().name);
      const std::vector<Value> values = joint.structure->sample(joint.drives, own, at.context().own_row());
      for (std::size_t i = 0; i < values.size(); ++i) drawn.set(joint.variables[i], values[i]);
    }
    const FactorGraph part = only_touching(graph, component.all());
    for (const Conditional& each : conditional(part, component.units, at))
      drawn.set(each.variable, each.sample(key.fold("units")));
    for (const Variable& variable : component.enumerated) drawn.set(variable, at[variable]);
  }
  return drawn;
}

}  // namespace basin
