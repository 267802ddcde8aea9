#pragma once

#include "energy/marginal/layered.h"
#include "energy/objectives/contrast/contrast.h"

namespace basin {

/// True when the rule "layered" covers the contrast; `pattern` must be of the graph meant: an end layer is
/// freed, the others are averaged by mean field, persistent Gibbs chains draw blocks that each are apart.
bool covers(const Layered& pattern, const ContrastTerms& terms);

/// The phases of a contrast of a deep Boltzmann machine from fused kernels: what the data send to the first
/// latents is one product for all updates of mean field; chains move in place; gradients are products of
/// states. Equal to the derived path: the same draws from the same keys, the same statistics.
///
/// `freed` is the negative phase's call, from the batch. Gradients live in `scratch` until the next call.
ContrastStatistics layered_divergence(const FactorGraph& graph, const Layered& pattern,
                                      const ContrastTerms& terms, const PhaseCall& freed, Carry& carry,
                                      const EvaluateOptions& options, Scratch& scratch);

}  // namespace basin
