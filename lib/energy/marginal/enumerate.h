#pragma once

#include <functional>

#include "energy/transition.h"

namespace basin {

/// Number of joint states of binary and categorical variables. Throws Error for other domains or above
/// `limit`.
Index state_count(const Block& block, Index limit = Index{1} << 26);

/// Joint states [begin, end) of the block in lexicographic order, first variable slowest, as a State with
/// batch end - begin.
State enumerate_states(const Block& block, Index begin, Index end, Placement placement);

/// log Z = log sum over all states of `enumerated` of exp(-F), F the free energy with `marginal` summed out
/// in closed form; the two blocks together are all variables of the graph. Exact oracle; sums in batches of
/// `batch` states, in f64.
double log_partition(const FactorGraph& graph, const Block& enumerated, const Block& marginal,
                     Index batch = 4096);

/// The same as one differentiable Value, all states in one batch (small graphs: exact maximum likelihood).
Value log_partition_value(const FactorGraph& graph, const Block& enumerated, const Block& marginal);

}  // namespace basin
