#pragma once

#include "energy/graph.h"

namespace basin {

/// E_n -> scale_n E_n: a graph over the same variables whose energies are scaled row by row, as rows of
/// parallel tempering or of annealing at several temperatures are. `scales` is [N], one number a row of the
/// states that it will be asked about. Its factors are of a type of their own, so that no rewrite rule takes
/// them for the plain ones. Throws Error when a factor has a kink (its prox would need another step a row).
FactorGraph tempered(const FactorGraph& graph, const Value& scales);

}  // namespace basin
