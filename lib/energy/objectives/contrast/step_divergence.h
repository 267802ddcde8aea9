#pragma once

#include "energy/marginal/step_bipartite.h"
#include "energy/objectives/contrast/contrast.h"

namespace basin {

/// True when the rule "step_bipartite" covers the contrast: one side freed, the other latent, chains that
/// begin at the data and draw the latent side first; no centring, no sparsity.
bool covers(const StepBipartite& pattern, const ContrastTerms& terms);

/// The phases of such a contrast: biases of all steps by one evaluation, chains of all steps together, and
/// padding left out. Equal to the derived path: the same draws from the same keys, the same gradient.
/// `freed` is the negative phase's call, from the batch.
ContrastStatistics step_divergence(const FactorGraph& graph, const StepBipartite& pattern,
                                   const ContrastTerms& terms, const PhaseCall& freed,
                                   const EvaluateOptions& options);

}  // namespace basin
