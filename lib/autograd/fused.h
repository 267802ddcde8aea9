#pragma once

#include "autograd/value.h"
#include "tensor/backend.h"

/// Ops that take the place of several of ops.h, in fewer passes over memory.
namespace basin {

/// f(x + b) of [N, C, ...] with one number b a channel, [C]; f is Relu, Tanh or Sigmoid. The numbers are
/// those of the ops one after another; first derivatives take one pass, of [N, C] with more than one channel
/// with the numbers of the ops, further ones go by the ops. Throws Error where b does not fit, or for another
/// f.
Value biased(Unary function, const Value& x, const Value& bias);

}  // namespace basin
