#pragma once

#include "tensor/backend.h"

namespace basin {

/// Any correlation sum by sum along the rows, whatever its strides, dilations and groups; equal bits for any
/// number of threads. The filters' sums are kept in f64.
void conv_direct(const ConvCall& call);

}  // namespace basin
