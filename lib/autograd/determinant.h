#pragma once

#include "autograd/value.h"

namespace basin {

/// The inverse of a square matrix [n, n], by Gaussian elimination with pivots in f64 on the host: for small
/// n. Throws Error for other shapes and where a pivot is 0 or no number.
Value inverse(const Value& x);
/// log |det x| of a square matrix [n, n], [1], the same way; its gradient is the inverse, transposed.
Value log_abs_det(const Value& x);

}  // namespace basin
