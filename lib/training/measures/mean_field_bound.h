#pragma once

#include "training/measures/likelihood.h"

namespace basin {

/// Facet of a stage whose latents interact in two blocks that do not: a deep Boltzmann machine.
struct DeepMachine {
  static constexpr const char* kWhat = "layers of a deep Boltzmann machine";

  Variable visible;
  Block latents;         // mean field moves them in this order
  Block even, odd;       // every other layer, those with `visible` and the others
  Index updates = 30;    // of mean field, for each sample
  Likelihood annealing;  // how log Z is found, and of which bits; its variables are not read
};

/// "mean_field_bound": the variational bound on the log-likelihood, -F(q) - log Z in nats a sample, of the
/// samples that the stage is judged by and of the first training samples, q by mean field, log Z by
/// enumeration or by annealed importance sampling, forward and in reverse (annealed_importance.h: the odd
/// layers summed out, the base model of the even ones that of their means over training samples):
/// /evaluation/<part>_bound by the largest of its estimates, <part>_bound_high by the smallest;
/// bound_standard_error and bound_effective_samples, of the first; train_bound, of some training samples;
/// {exact,forward,reverse}/{log_partition, standard_error, ...} as of "likelihood". Draws under
/// key.fold("evaluate").
/// Reference: Salakhutdinov, Hinton 2009, "Deep Boltzmann machines", section 3.2.
Measure mean_field_bound_measure();

}  // namespace basin
