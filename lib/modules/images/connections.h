#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace basin {

/// For each output map the inputs that it sees, numbers in 0 .. C - 1; empty: every output sees all.
using Connections = std::vector<std::vector<Index>>;

/// The third layer of LeNet-5: which of 6 maps each of 16 sees.
/// Reference: LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition",
/// table 1.
Connections lenet5_connections();

/// [outputs, inputs, 1, 1]: 1 where an output sees an input, else 0. Throws Error unless there is a row for
/// each output, of at least one input each and none twice.
Tensor connection_mask(const Connections& connections, Index outputs, Index inputs, Placement placement);

}  // namespace basin
