#pragma once

#include "autograd/value.h"
#include "modules/module.h"

namespace basin {

/// The rule "contraction": an encoder that is a Linear layer (after a Flatten or not) and then a sigmoid or
/// tanh has
///   |dh/dx|_F^2 = sum_j f'(a_j)^2 |W_j|^2,   f' = h (1 - h) or 1 - h^2,
/// with W_j the weights of code j: no second differentiation. Reference: Rifai et al. 2011, eq. 3.
bool recognises_contraction(const Module& encoder);

/// It, [N], for an encoder that is recognised; differentiable in x and the parameters.
Value contraction(const Module& encoder, const Value& x);

}  // namespace basin
