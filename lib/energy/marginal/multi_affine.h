#pragma once

#include "energy/transition.h"

namespace basin {

/// What mean field needs of an energy, so that E_q[E] = E(means) + 1/2 sum h Var_q for a q of independent
/// units: throws Error "[who] ..." naming factor and variable unless every factor is
///   - affine, or a diagonal quadratic in real and non-negative units, in each variable with all others held,
///     and the curvature in each unit is the same at all values of the other `units`, or
///   - affine in each binary unit or one-hot group of it with all others held, at means too (Chain).
/// Declared orders and probes as for conditionals; remembered by the graph.
void require_multi_affine(const FactorGraph& graph, const Block& units, const State& data, const char* who);

}  // namespace basin
