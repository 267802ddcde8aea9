#include "energy/eliminate/eliminate.h"

#include "autograd/ops.h"
#include "energy/eliminate/component_energy.h"
#include "energy/marginal/conditional.h"
#include "energy/sample_ops.h"

namespace basin {
namespace {

Value eliminate(const FactorGraph& graph, const Block& given_latents, const State& rest, Elimination how,
                const EliminateOptions& options) {
  const Block latents = resolved(graph, given_latents, rest);
  const std::vector<Component> plan = plan_elimination(graph, latents, rest, how, options.states);
  if (plan.size() == 1 && plan.front().units.size() == latents.size())
    return closed_form(expand(graph, latents, rest), latents, how);
  const State given = outside(graph, latents, rest);
  Value energy;
  for (const Component& component : plan) {
    const Value part = eliminated(graph, component, given, how, options);
    energy = energy.defined() ? energy + part : part;
  }
  bool others = false;
  const FactorGraph rest_alone = graph.weighted([&](std::size_t, const FactorGraph::Term& term) {
    const double weight = members_of(*term.factor, latents).empty() ? term.weight : 0.0;
    others = others || weight != 0.0;
    return weight;
  });
  return others ? energy + rest_alone.energy(given) : energy;
}

}  // namespace

Value free_energy(const FactorGraph& graph, const Block& latents, const State& rest,
                  const EliminateOptions& options) {
  return eliminate(graph, latents, rest, Elimination::Sum, options);
}

Value min_energy(const FactorGraph& graph, const Block& latents, const State& rest,
                 const EliminateOptions& options) {
  return eliminate(graph, latents, rest, Elimination::Minimum, options);
}

Value log_partition(const FactorGraph& graph, const EliminateOptions& options) {
  return -free_energy(graph, graph.variables(), {}, options);
}

}  // namespace basin
