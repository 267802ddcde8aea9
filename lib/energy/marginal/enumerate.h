#pragma once

#include "energy/transition.h"

namespace basin {

/// Number of joint states of binary and categorical variables. Throws Error for other domains or above
/// `limit`.
Index state_count(const Block& block, Index limit = Index{1} << 26);

/// log2 of their number; infinite for other domains.
double log2_states(const Block& block);

/// Joint states [begin, end) of the block in lexicographic order, first variable slowest, as a State with
/// batch end - begin.
State enumerate_states(const Block& block, Index begin, Index end, Placement placement);

}  // namespace basin
