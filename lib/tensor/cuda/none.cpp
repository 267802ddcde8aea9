#include "tensor/cuda/cuda_backend.h"
#include "tensor/error.h"

namespace basin {

Backend& cuda_backend() { throw Error("[cuda] this build has no CUDA kernels; use --device cpu"); }

Solvers* cuda_solvers() { return nullptr; }

}  // namespace basin
