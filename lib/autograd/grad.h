#pragma once

#include <vector>

#include "autograd/value.h"

namespace basin {

struct GradOptions {
  /// Keep history on the gradients, so that they can be differentiated again.
  bool differentiable = false;
};

/// d(output)/d(wrt[i]) for a scalar output; functional: nothing is stored anywhere. wrt may name leaves or
/// intermediate tracked values; zeros where the output does not depend on them. Throws Error when the output
/// is not of size 1, or when a wrt is a constant.
std::vector<Value> grad(const Value& output, const std::vector<Value>& wrt, GradOptions options = {});

/// The same for an output of any shape, contracted with a cotangent of that shape, which is held fixed:
/// d(output . cotangent)/d(wrt[i]). Throws Error when the shapes differ.
std::vector<Value> vector_jacobian_product(const Value& output, const Value& cotangent,
                                           const std::vector<Value>& wrt, GradOptions options = {});

/// H v for H the Hessian of a scalar function at the given points: the gradient of (grad(output, wrt) .
/// directions).
std::vector<Value> hessian_vector_product(const Value& output, const std::vector<Value>& wrt,
                                          const std::vector<Value>& directions, GradOptions options = {});

}  // namespace basin
