#pragma once

#include "energy/eliminate/eliminate.h"
#include "energy/tables.h"

namespace basin {

/// Minus the energy as tables: each factor's at all joint values of the variables of `block` that it reads,
/// an axis for each variable (its states in the order of enumerate_states), what else it reads in `rest`. A
/// tree of pairwise factors, and any graph of discrete variables that has a cheap order of elimination.
/// Throws Error where tables of all samples take more than options.bytes (or 256 MiB).
TableSum tabulated(const FactorGraph& graph, const Block& block, const State& rest,
                   const EliminateOptions& options);

/// Sets a joint draw of all variables of the block, row n the draws of row own_row() + n.
void draw_tabulated(const FactorGraph& graph, const Block& block, const State& rest, Key key,
                    const EliminateOptions& options, State& drawn);

/// The positions in `block` of the variables that a factor reads.
std::vector<std::size_t> axes_of(const Factor& factor, const Block& block);

}  // namespace basin
