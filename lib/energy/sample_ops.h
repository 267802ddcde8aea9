#pragma once

#include "energy/graph.h"
#include "modules/lengths.h"

namespace basin {

/// One number a sample as a factor of x: [N] -> [N, 1, ...] of x's rank.
Value per_sample(const Value& numbers, const Value& x);

/// a.b of each sample, [N].
Value dot_per_sample(const Value& a, const Value& b);

/// Row n of `yes` where take[n], [N], is 1, and of `no` where it is 0; what the other row holds, NaN too,
/// does not matter.
Value choose(const Value& take, const Value& yes, const Value& no);

/// Rows of numbers as values of a variable, [N, ...] -> [N, shape...].
Value as_values(const Variable& variable, const Value& rows);

/// Ones on the diagonal, [n, n].
Value identity(Index n, Placement placement);

/// The variables of a graph alone: what a transition remembered is dropped, and with it all history.
State without_memory(const FactorGraph& graph, const State& state);

/// The same of rows [begin, end), with their lengths and numbers; `begin` at the first row of a sample.
State rows_of(const FactorGraph& graph, const State& state, Index begin, Index end);

/// The same of the first `count` rows (of all, when there are fewer).
State first_samples(const FactorGraph& graph, const State& state, Index count);

/// The variable with its free extent, if it has one, as long as in the state's values of free variables, or
/// else `otherwise`. Throws Error where that is 0.
Variable resolved(const FactorGraph& graph, const Variable& variable, const State& state,
                  Index otherwise = 0);
Block resolved(const FactorGraph& graph, const Block& block, const State& state);

/// Every row `count` times, as neighbours that are one sample's (Context::replicas); history is kept.
Value replicated(const Value& x, Index count);
State replicated(const FactorGraph& graph, const State& state, Index count);

}  // namespace basin
