#pragma once

#include "energy/state.h"
#include "energy/transition.h"

namespace basin {

/// Stochastic estimate of the mean log pseudo-likelihood (Besag 1975), in nats a sample, to watch a training
/// by: for each sample one random visible bit i is flipped and D * log sigma(F(v with bit i flipped) - F(v))
/// averaged, D = v.size(); row n draws what it does in the whole batch.
/// Throws Error when v is not binary.
double pseudo_likelihood(const FactorGraph& graph, const Variable& v, const Block& latents, const State& data,
                         Key key);

}  // namespace basin
