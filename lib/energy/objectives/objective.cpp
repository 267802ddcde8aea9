#include "energy/objectives/objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "autograd/grad.h"
#include "energy/factors/score.h"
#include "tensor/error.h"

namespace basin {

bool EvaluateOptions::wanted(std::size_t parameter) const {
  if (wants.empty()) return true;
  if (parameter < wants.size()) return wants[parameter];
  throw Error(fmt::format("[objective] expected `wants` to name each parameter, or none, received {} of them",
                          wants.size()));
}

Tensor recall(Carry& carry, const std::string& name, const Shape& shape, Placement placement) {
  const auto found = carry.find(name);
  if (found == carry.end() || !found->second.defined()) return {};
  if (found->second.shape() != shape) {
    throw Error(fmt::format("[carry] expected carried {} of shape {}, received {}; start with an empty carry",
                            name, to_string(shape), to_string(found->second.shape())));
  }
  return found->second = found->second.to(placement);
}

State observed(const State& batch, const EvaluateOptions& options) {
  if (!options.observations) return batch;
  Context context = batch.context();
  context.observations = options.observations;
  return State(batch).in(std::move(context));
}

State observed(const FactorGraph& graph, const Block& expanded, const State& batch,
               const EvaluateOptions& options) {
  const std::vector<FactorGraph::Term> terms = graph.touching(expanded);
  const bool reads_data = std::all_of(terms.begin(), terms.end(), [&](const FactorGraph::Term& term) {
    const std::vector<Parameter> own = term.factor->parameters();
    const auto* score = dynamic_cast<const Score*>(term.factor.get());
    return std::all_of(own.begin(), own.end(), std::mem_fn(&Parameter::is_trained)) ||
           (score != nullptr && !contains(expanded, score->source()));
  });
  return reads_data ? observed(batch, options) : batch;
}

void reduce(const EvaluateOptions& options, const std::vector<Parameter>& parameters,
            std::vector<Gradient>& gradients, std::vector<Tensor> others, Index count) {
  if (!options.reduce) return;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].dense().defined() && gradients[i].products().empty()) continue;
    // A tensor of its own: what grad() returned may be shared between parameters.
    others.push_back(gradients[i].to_tensor(parameters[i].tensor().shape()).clone());
    gradients[i] = Gradient(others.back());
  }
  options.reduce(others, count);
}

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
  evaluation.gradients.resize(parameters.size());
  if (!leaves.empty()) {
    const std::vector<Value> gradients = grad(loss, leaves);
    for (std::size_t i = 0; i < where.size(); ++i)
      evaluation.gradients[where[i]] = Gradient(gradients[i].tensor());
  }
  reduce(options, parameters, evaluation.gradients, {}, count);
  if (options.metrics) evaluation.metrics["loss"] = loss.item();
  return evaluation;
}

Evaluation differentiate(const Value& loss, const FactorGraph& graph, Index count,
                         const EvaluateOptions& options) {
  return differentiate(loss, graph.parameters(), count, options);
}

}  // namespace basin
