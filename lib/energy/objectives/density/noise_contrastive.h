#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "energy/objectives/density/noise_density.h"
#include "energy/objectives/objective.h"

namespace basin {

struct NoiseContrastiveOptions {
  Index noise_samples = 1;     // nu, for each sample of the data
  double log_partition = 0.0;  // at first
  Placement placement = {};    // of its parameter
};

/// Noise-contrastive estimation: the model tells the data from draws of a known density q, and learns its own
/// log Z by that,
///   loss = mean_n [ softplus(-h(x_n)) + sum_{k <= nu} softplus(h(y_nk)) ],   y_nk ~ q,
///   h(u) = log p(u) - log q(u) - log nu,   log p(u) = -F(u) - c,
/// c, the parameter "log_partition" [1] of the objective, an estimate of log Z at the minimum, where p is the
/// model that made the data (consistent; the larger nu and the nearer q, the less it errs). Latents are
/// summed out. Any domain that q has; an energy may have kinks.
///
/// Draws: key.fold("noise"). Metrics: "loss", "log_partition". Throws Error without a density, where it is
/// not one of the same variables, where the batch holds others, on each of which log Z would depend, or nu
/// < 1. Reference: Gutmann, Hyvarinen 2012, "Noise-contrastive estimation of unnormalized statistical
/// models", eq. 5 to 8.
class NoiseContrastive final : public Objective {
 public:
  explicit NoiseContrastive(std::shared_ptr<const NoiseDensity> noise, NoiseContrastiveOptions options = {});

  std::string name() const override { return "noise_contrastive"; }
  std::string unit() const override { return "nats"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  std::vector<Parameter> parameters() const override { return {log_partition_}; }

 private:
  std::shared_ptr<const NoiseDensity> noise_;
  NoiseContrastiveOptions options_;
  Parameter log_partition_;
};

}  // namespace basin
