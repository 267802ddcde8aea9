#pragma once

#include "energy/state.h"
#include "energy/transition.h"

namespace basin {

/// Mean of F over all samples of `data` (values of the variables outside `latents`), in batches, summed in
/// f64.
double mean_free_energy(const FactorGraph& graph, const Block& latents, const State& data,
                        Index batch = 1000);

/// Mean log-likelihood in nats a sample: -mean F(v) - log Z. `log_z` by log_partition() or
/// annealed_importance(); the standard error of an estimated log Z is that of the result. Throws Error for
/// sequences of several lengths, which have no log Z in common.
double average_log_likelihood(const FactorGraph& graph, const Block& latents, const State& data, double log_z,
                              Index batch = 1000);

}  // namespace basin
