#pragma once

#include "tensor/shape.h"

namespace basin {

/// What holds steps back, in this order; 0 switches each off. Matrices are parameters with two axes or more.
///   clip_norm   the gradients of all that moves are scaled down to this Euclidean norm, taken together
///   clip_value  each number of a gradient is cut to +-this
///   l1, l2      of matrices: l1 |p|_1 + l2/2 |p|^2 is added to the loss,
///               its slope to the gradient behind the clipping; from the
///               epoch penalties_from on (0: the first)
///   max_norm    after the step, incoming weights of a unit (a column of a matrix [in, out], a filter of [K,
///               ...]) are scaled down to this Euclidean norm
/// References: clipping: Pascanu, Mikolov, Bengio 2013, algorithm 1; max-norm: Srivastava et al. 2014,
/// "Dropout", section 5.1.
struct Restraints {
  double clip_norm = 0.0, clip_value = 0.0;
  double l1 = 0.0, l2 = 0.0;
  Index penalties_from = 0;
  double max_norm = 0.0;
};

}  // namespace basin
