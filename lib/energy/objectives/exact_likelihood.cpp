#include "energy/objectives/exact_likelihood.h"

#include <algorithm>

#include "autograd/ops.h"
#include "energy/marginal/enumerate.h"
#include "energy/marginal/free_energy.h"
#include "energy/marginal/latent_check.h"

namespace basin {

ExactLikelihood::ExactLikelihood(Block visible, Block enumerated, Block marginal)
    : visible_(std::move(visible)),
      enumerated_(std::move(enumerated)),
      marginal_(std::move(marginal)),
      check_data_(std::make_shared<LatentCheck>()),
      check_model_(std::make_shared<LatentCheck>()) {}

Evaluation ExactLikelihood::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/,
                                     Key /*key*/, EvaluateOptions options) const {
  Block latents;
  for (const Variable& variable : graph.variables()) {
    if (std::find(visible_.begin(), visible_.end(), variable) == visible_.end()) latents.push_back(variable);
  }
  (*check_data_)(graph, latents);
  (*check_model_)(graph, marginal_);
  const Value loss =
      mean(free_energy(graph, latents, batch)) + log_partition_value(graph, enumerated_, marginal_);
  return differentiate(loss, graph, options);
}

}  // namespace basin
