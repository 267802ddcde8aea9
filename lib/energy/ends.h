#pragma once

#include "energy/graph.h"

namespace basin {

/// 1 at the steps of sequences, 0 past their ends at the context's lengths: of a shape [N, ...] with the
/// variable's time, its free extent or else its first, on the same axis; all other extents become 1.
/// `declared` is the graph's own variable, whose free extent is not fixed. Throws Error as length_mask().
Value inside_lengths(const Variable& declared, Shape shape, const Context& context, Placement placement);

}  // namespace basin
