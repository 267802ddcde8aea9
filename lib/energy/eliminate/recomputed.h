#pragma once

#include <functional>

#include "energy/graph.h"

namespace basin {

/// Columns make(rest, 0) .. make(rest, count - 1), [N] each, as [N, count], made one at a time and without
/// history: for gradients, in the graph's parameters and in the values of `rest`, each is made again, and its
/// part of them added up. A second derivative holds all columns at once.
Value recomputed(const FactorGraph& graph, const State& rest, Index count,
                 std::function<Value(const State& rest, Index column)> make);

}  // namespace basin
