#include "energy/objectives/objective.h"

#include "autograd/grad.h"

namespace basin {

Evaluation differentiate(const Value& loss, const std::vector<Parameter>& parameters, Index count,
                         const EvaluateOptions& options) {
  std::vector<Value> leaves;
  std::vector<std::size_t> where;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!options.wanted(i)) continue;
    leaves.push_back(parameters[i].value());
    where.push_back(i);
  }
  Evaluation evaluation;
  evaluation.count = count;
  evaluation.gradients.resize(parameters.size());
  if (!leaves.empty()) {
    const std::vector<Value> gradients = grad(loss, leaves);
    for (std::size_t i = 0; i < where.size(); ++i)
      evaluation.gradients[where[i]] = Gradient(gradients[i].tensor());
  }
  if (options.metrics) evaluation.metrics["loss"] = loss.item();
  return evaluation;
}

Evaluation differentiate(const Value& loss, const FactorGraph& graph, Index count,
                         const EvaluateOptions& options) {
  return differentiate(loss, graph.parameters(), count, options);
}

}  // namespace basin
