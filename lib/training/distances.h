#pragma once

#include "autograd/value.h"

namespace basin {

/// |a_i - b_j|^2 of rows of as many numbers, [a rows, b rows], as |a_i|^2 + |b_j|^2 - 2 a_i.b_j: by rounding
/// it may lie below 0.
Value squared_distances(const Value& a, const Value& b);

}  // namespace basin
