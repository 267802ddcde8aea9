#include "tensor/cpu/cpu_backend.h"
#include "tensor/cuda/products.h"

namespace basin::cuda {

Products::Products(Runtime& runtime, const CudaOptions& options) : runtime_(runtime), options_(options) {}
Products::~Products() = default;

void Products::gemm(const GemmCall& call) {
  CpuBackend().gemm(call);
  runtime_.launched("gemm");
}

}  // namespace basin::cuda
