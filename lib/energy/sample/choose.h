#pragma once

#include "autograd/value.h"
#include "tensor/key.h"

/// Decisions of samplers, row by row, on the device.
namespace basin {

/// 1 where a proposal is taken, with probability min(1, exp(log_ratio)), else 0, [N]; of a NaN 0. Row n takes
/// draw first + n of the stream.
Value accepted(const Value& log_ratio, Key key, Index first);

/// Rows of x by their numbers, [M] whole numbers in [0, N) in x's dtype: [N, ...] -> [M, ...]. They are not
/// looked at: nothing waits for the device.
Value rows_at(const Value& x, const Value& numbers);

/// 0, 1, ..., count - 1. Throws Error where the dtype does not have them all.
Value counting(Index count, Placement placement);

}  // namespace basin
