#pragma once

#include "tensor/backend.h"

namespace basin {

/// The kernels for NVIDIA GPUs. Throws Error when they are not built in or there is no such device.
Backend& cuda_backend();

}  // namespace basin
