#pragma once

#include "energy/minimise/split.h"

namespace basin {

/// What a graph says about z when y alone is given and its smooth part is quadratic in z and affine in y:
///   df/dz = H z - B y - c,   r(z) = weight |z|_1, or the sum of a non-negative z, or nothing.
/// Values as rows: z [N, n], y [N, m]; df/dz = z hessian - y projection - offset.
struct UnrollQuadratic {
  Tensor hessian;        // [n, n]
  Tensor projection;     // [m, n]
  Tensor offset;         // [n]
  double weight = 0.0;   // of the L1 norm
  bool is_wall = false;  // z >= 0
  bool has_offset = false;
};

/// Reads it off the gradients of the smooth part at unit vectors, for any factors. Throws Error when they are
/// of another form (checked at random points), when other variables take part, or when the rough part is no
/// L1.
UnrollQuadratic read_quadratic(const Split& split, const FactorGraph& graph, const Variable& from);

/// The dictionary A [n, m] (rows) of which the form is the squared error: H = w A A' and B = w A', so that
/// B'B = w H. Throws Error when it has other terms.
Tensor dictionary_of(const UnrollQuadratic& form);

}  // namespace basin
