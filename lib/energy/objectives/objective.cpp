#include "energy/objectives/objective.h"

#include "autograd/grad.h"

namespace basin {

Evaluation differentiate(const Value& loss, const FactorGraph& graph, EvaluateOptions options) {
  std::vector<Value> leaves;
  for (const Parameter& parameter : graph.parameters()) leaves.push_back(parameter.value());
  Evaluation evaluation;
  for (const Value& gradient : grad(loss, leaves)) evaluation.gradients.emplace_back(gradient.tensor());
  if (options.metrics) evaluation.metrics["loss"] = loss.item();
  return evaluation;
}

}  // namespace basin
