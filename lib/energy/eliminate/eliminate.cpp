#include "energy/eliminate/eliminate.h"

#include "autograd/ops.h"
#include "energy/eliminate/component_energy.h"
#include "energy/marginal/conditional.h"

namespace basin {
namespace {

Value eliminate(const FactorGraph& graph, const Block& latents, const State& rest, Elimination how,
                const EliminateOptions& options) {
  const std::vector<Component> plan = plan_elimination(graph, latents, rest, how, options.states);
  if (plan.size() == 1 && plan.front().units.size() == latents.size())
    return closed_form(expand(graph, latents, rest), latents, how);
  const State given = outside(graph, latents, rest);
  const FactorGraph others = graph.weighted([&](std::size_t, const FactorGraph::Term& term) {
    return members_of(*term.factor, latents).empty() ? term.weight : 0.0;
  });
  Value energy = others.energy(given);
  for (const Component& component : plan) {
    energy = energy + eliminated(graph, component, given, how, options);
  }
  return energy;
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

}  // namespace basin
