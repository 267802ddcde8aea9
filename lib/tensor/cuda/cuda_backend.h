#pragma once

#include "tensor/backend.h"
#include "tensor/solvers.h"

namespace basin {

/// The kernels for NVIDIA GPUs. Throws Error when they are not built in or there is no such device.
Backend& cuda_backend();

/// Their solvers, nullptr where there are none.
Solvers* cuda_solvers();

}  // namespace basin
