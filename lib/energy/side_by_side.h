#pragma once

#include <vector>

#include "energy/graph.h"

/// The numbers of several variables side by side, [N, numbers of all], in the order of a block.
namespace basin {

/// Numbers of all variables of a block together.
Index size_of(const Block& block);

/// Values of the variables, side by side; and rows of numbers as values of the variables, which must have no
/// free extent.
Value side_by_side(const std::vector<Value>& values);
std::vector<Value> parted(const Block& block, const Value& rows);

}  // namespace basin
