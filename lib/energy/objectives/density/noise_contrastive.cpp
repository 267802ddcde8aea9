#include "energy/objectives/density/noise_contrastive.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/sample_ops.h"
#include "energy/transition.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// The variables that the batch lacks. Throws Error where it holds others than the noise's.
Block latents_of(const FactorGraph& graph, const Block& x, const State& batch) {
  Block latents;
  for (const Variable& variable : graph.variables()) {
    if (batch.has(variable) == contains(x, variable)) {
      if (!batch.has(variable)) latents.push_back(variable);
      continue;
    }
    throw Error(
        fmt::format("[noise_contrastive] expected a batch of {}, the variables of the noise density, "
                    "received one {} {}",
                    to_string(x), batch.has(variable) ? "with" : "without", variable.name));
  }
  for (const Variable& variable : x) {
    if (!graph.has(variable))
      throw Error(
          fmt::format("[noise_contrastive] expected a noise density of the graph's variables, "
                      "received one of {}",
                      variable.name));
  }
  return latents;
}

}  // namespace

NoiseContrastive::NoiseContrastive(std::shared_ptr<const NoiseDensity> noise, NoiseContrastiveOptions options)
    : noise_(std::move(noise)),
      options_(options),
      log_partition_("log_partition", Tensor::full({1}, options.log_partition, options.placement)) {
  if (noise_ == nullptr) {
    throw Error(
        "[noise_contrastive] expected a noise density, received none; give independent_density() "
        "fitted to the data, or UniformDensity");
  }
  if (options_.noise_samples < 1) {
    throw Error(
        fmt::format("[noise_contrastive] expected at least 1 sample of noise for each of the data, "
                    "received {}",
                    options_.noise_samples));
  }
}

Evaluation NoiseContrastive::evaluate(const FactorGraph& graph, const State& batch, Carry& /*carry*/, Key key,
                                      EvaluateOptions options) const {
  const Block x = noise_->variables(), latents = latents_of(graph, x, batch);
  const Index rows = batch.batch(), each = options_.noise_samples;
  const State drawn =
      noise_->draw(rows * each, batch.context().own_row() * each, batch.placement(), key.fold("noise"));
  State noise = replicated(graph, batch, each);
  for (const Variable& variable : x) noise.set(variable, drawn[variable]);
  const double ratio = std::log(static_cast<double>(each));
  const auto margin = [&](const State& at) {  // h
    return -free_energy(graph, latents, at) - log_partition_.value() - noise_->log_density(at) - ratio;
  };
  const Value loss =
      mean(softplus(-margin(batch))) + static_cast<double>(each) * mean(softplus(margin(noise)));
  std::vector<Parameter> parameters = graph.parameters();
  parameters.push_back(log_partition_);
  Evaluation evaluation = differentiate(loss, parameters, rows, options);
  if (options.metrics) evaluation.metrics["log_partition"] = log_partition_.tensor().item();
  return evaluation;
}

}  // namespace basin
