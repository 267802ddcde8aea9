#include "tensor/cuda/kernels/steps.h"

#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

namespace {

/// Runs all calls of one dtype, many a launch.
template <template <class> class Step, class T, class Call>
void launch_together(Runtime& runtime, const char* name, std::span<const Call> calls, Dtype dtype) {
  StepsTogether<Step<T>> together;
  for (const Call& call : calls) {
    if (call.dtype != dtype || call.n <= 0) continue;
    together.add(Step<T>(call), call.n);
    if (together.count < StepsTogether<Step<T>>::kMost) continue;
    launch(runtime, name, together.end(), together);
    together.count = 0;
  }
  launch(runtime, name, together.end(), together);
}

}  // namespace

void CudaBackend::momentum(const MomentumCall& call) {
  with_type(call.dtype,
            [&](auto number) { launch(runtime_, "momentum", call.n, Momentum<decltype(number)>(call)); });
}

void CudaBackend::adaptive(const AdaptiveCall& call) {
  with_type(call.dtype,
            [&](auto number) { launch(runtime_, "adaptive", call.n, Adaptive<decltype(number)>(call)); });
}

void CudaBackend::momentum_all(std::span<const MomentumCall> calls) {
  launch_together<Momentum, float>(runtime_, "momentum_all", calls, Dtype::F32);
  launch_together<Momentum, double>(runtime_, "momentum_all", calls, Dtype::F64);
}

void CudaBackend::adaptive_all(std::span<const AdaptiveCall> calls) {
  launch_together<Adaptive, float>(runtime_, "adaptive_all", calls, Dtype::F32);
  launch_together<Adaptive, double>(runtime_, "adaptive_all", calls, Dtype::F64);
}

void CudaBackend::restrain(const RestrainCall& call) {
  with_type(call.dtype,
            [&](auto number) { launch(runtime_, "restrain", call.n, Restrain<decltype(number)>(call)); });
}

}  // namespace basin
