#pragma once

#include "energy/transition.h"

namespace basin {

/// log Z = log sum over all states of `enumerated` of exp(-F), F the free energy with `marginal`
/// eliminated (free_energy); the two blocks together are all variables of the graph. Exact oracle; free
/// energies in the graph's own precision, `batch` states at a time, their sum in f64.
double log_partition(const FactorGraph& graph, const Block& enumerated, const Block& marginal,
                     Index batch = 4096);

/// The same as one differentiable Value, all states in one batch (small graphs: exact maximum likelihood).
Value log_partition_value(const FactorGraph& graph, const Block& enumerated, const Block& marginal);

}  // namespace basin
