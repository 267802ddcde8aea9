#pragma once

#include "autograd/grad.h"

namespace basin {

/// d(sum_k outputs[k] . cotangents[k]) / d(wrt[i]): what grad and hessian_vector_product have in common. The
/// cotangents are held fixed. Outputs must have the shapes of their cotangents; `who` is named in errors.
std::vector<Value> backward(const char* who, const std::vector<Value>& outputs,
                            const std::vector<Value>& cotangents, const std::vector<Value>& wrt,
                            GradOptions options);

}  // namespace basin
