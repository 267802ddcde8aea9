#pragma once

#include "energy/marginal/bipartite.h"
#include "energy/objectives/contrast/contrast.h"

namespace basin {

/// True when the rule "bipartite" covers the contrast; `pattern` must be of the graph meant.
bool covers(const Bipartite& pattern, const ContrastTerms& terms);

/// The phases of a contrast of a bipartite graph by Gibbs chains from fused kernels: for each Gibbs step a
/// gemm and one pass that makes means and draws, and gradients as products of states, so that the optimizer's
/// gemm writes into the parameters. CD-1 and PCD-1 take five gemms, the optimizer's two among them; fast
/// weights, which read the gradient too, six. Equal to the derived path: the same draws from the same keys,
/// the same statistics.
///
/// `freed` is the negative phase's call, from the batch. Gradients live in `scratch` until the next call.
ContrastStatistics bipartite_divergence(const FactorGraph& graph, const Bipartite& pattern,
                                        const ContrastTerms& terms, const PhaseCall& freed, Carry& carry,
                                        const EvaluateOptions& options, Scratch& scratch);

}  // namespace basin
