#pragma once

#include "energy/minimise/infer.h"

namespace basin {

/// min_z E(z, rest) of a real or non-negative z by Fista, [N], of a graph all of whose factors read z.
/// Gradients hold z*; they are not differentiated again (z* would move): that throws. Throws Error where a
/// factor is not known to be convex in z (Factor::convex_in, tested at random points) or a sample does not
/// converge.
Value searched_minimum(const FactorGraph& graph, const Variable& z, const State& rest,
                       const InferOptions& options);

}  // namespace basin
