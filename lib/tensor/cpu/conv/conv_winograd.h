#pragma once

#include "tensor/cpu/cpu_backend.h"

namespace basin {

/// Whether conv_winograd takes a call: filters of 3 x 3 in f32 without stride, dilation or groups, and so
/// many channels that products of matrices outweigh the transforms.
bool is_winograd(const ConvCall& call);

/// The three products of a correlation with 3 x 3 filters by 16 products of matrices for each 2 x 2
/// outputs, 2.25 times fewer multiplications than the sums have; rounding is a few times theirs, and an
/// infinity or NaN may reach the other outputs of its 2 x 2. The same bits for any number of threads.
/// Reference: Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", section 4.1, F(2x2,
/// 3x3).
void conv_winograd(CpuBackend& backend, const ConvCall& call);

}  // namespace basin
