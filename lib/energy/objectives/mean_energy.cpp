#include "energy/objectives/mean_energy.h"

#include "autograd/ops.h"
#include "energy/factors/contractive.h"

namespace basin {

Evaluation MeanEnergy::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/, Key key,
                                EvaluateOptions options) const {
  const Value loss = mean(graph.energy(options_.prepare ? options_.prepare(batch, key) : batch));
  return differentiate(loss, graph, batch.batch(), options);
}

std::vector<std::string> MeanEnergy::rules(const FactorGraph& graph) const {
  std::vector<std::string> rules;
  for (const FactorGraph::Term& term : graph.terms()) {
    const auto* contractive = dynamic_cast<const Contractive*>(term.factor.get());
    if (contractive != nullptr && !contractive->rule().empty()) rules.push_back(contractive->rule());
  }
  return rules;
}

}  // namespace basin
