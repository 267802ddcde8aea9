#pragma once

#include "tensor/tensor.h"

namespace basin {

/// An upper bound of the largest eigenvalue of D'D for filters w [K, C, h, w] on images of any size, at most
/// 5 % above it for one channel: max over frequencies of sum_{k,c} |w^[k,c]|^2, from samples of this
/// trigonometric polynomial.
/// Reference: Ehlich and Zeller 1964, "Schwankung von Polynomen zwischen Gitterpunkten" (between the samples
/// it rises by at most 1 / cos(pi n / N) for degree n and N samples).
double conv_lipschitz(const Tensor& filters);

}  // namespace basin
