#include "tensor/cuda/kernels/steps.h"

#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

void CudaBackend::momentum(const MomentumCall& call) {
  with_type(call.dtype,
            [&](auto number) { launch(runtime_, "momentum", call.n, Momentum<decltype(number)>(call)); });
}

void CudaBackend::adaptive(const AdaptiveCall& call) {
  with_type(call.dtype,
            [&](auto number) { launch(runtime_, "adaptive", call.n, Adaptive<decltype(number)>(call)); });
}

void CudaBackend::restrain(const RestrainCall& call) {
  with_type(call.dtype,
            [&](auto number) { launch(runtime_, "restrain", call.n, Restrain<decltype(number)>(call)); });
}

}  // namespace basin
