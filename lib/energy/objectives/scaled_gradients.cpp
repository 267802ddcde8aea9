#include "energy/objectives/scaled_gradients.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "tensor/error.h"

namespace basin {

ScaledGradients::ScaledGradients(std::shared_ptr<const Objective> objective, std::string prefix,
                                 double factor)
    : objective_(std::move(objective)), prefix_(std::move(prefix)), factor_(factor) {
  if (objective_ == nullptr || !(factor_ >= 0.0 && std::isfinite(factor_))) {
    throw Error(
        fmt::format("[scaled_gradients] expected an objective and a finite factor >= 0, received {} and {}",
                    objective_ == nullptr ? "none" : objective_->name(), factor_));
  }
}

Evaluation ScaledGradients::evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                                     EvaluateOptions options) const {
  Evaluation evaluation = objective_->evaluate(graph, batch, carry, key, options);
  const std::vector<Parameter> parameters = graph.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters[i].name().starts_with(prefix_)) continue;
    const Tensor& own = parameters[i].tensor();
    const Tensor scaled(own.shape(), own.placement());
    evaluation.gradients[i].accumulate(scaled, factor_, 0.0);
    evaluation.gradients[i] = Gradient(scaled);
  }
  return evaluation;
}

}  // namespace basin
