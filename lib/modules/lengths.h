#pragma once

#include <vector>

#include "modules/context.h"

namespace basin {

/// The context's lengths of `rows` sequences of `steps`; none where all are as long. Throws Error unless
/// there is a length a row, a whole number from 1 to `steps`.
std::vector<Index> lengths_of(const Context& context, Index rows, Index steps);

/// 1 for positions of sequences along an axis, 0 past their ends: of that shape, whose extents beside the
/// first and the axis are 1. Throws Error unless there is a length a row, a whole number from 1 to the
/// extent.
Tensor length_mask(const Tensor& lengths, const Shape& shape, std::size_t axis, Placement placement);

}  // namespace basin
