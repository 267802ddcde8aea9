#pragma once

#include "energy/eliminate/eliminate.h"

namespace basin {

/// E[z | rest] of every latent, [N, z.shape...] each: -dF/du for F with an input -u.z added to the energy, so
/// that whatever free_energy() can sum over has means (unit probabilities of binary and one-hot latents,
/// smoothing in a chain: zeros past a sequence's end). Constants; differentiable where
/// options.differentiable.
std::vector<Value> marginals(const FactorGraph& graph, const Block& latents, const State& rest,
                             const EliminateOptions& options = {});

/// argmin_z E(rest, z), the state with all latents set: the same derivative of min_energy() (Viterbi's path
/// of a chain). Of states of equal energy one is taken, that which the
/// row has in the whole batch. Throws Error where the state found does not attain
/// the minimum.
State most_probable(const FactorGraph& graph, const Block& latents, const State& rest,
                    const EliminateOptions& options = {});

}  // namespace basin
