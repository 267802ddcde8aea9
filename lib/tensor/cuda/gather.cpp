#include "tensor/cuda/kernels/gather.h"

#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

void CudaBackend::gather(const IndexCall& call) {
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    launch(runtime_, "gather", call.chosen_size(),
           Gather<T>{static_cast<const T*>(call.index), static_cast<const T*>(call.x),
                     static_cast<T*>(call.y), call.middle, call.inner, call.count});
  });
}

void CudaBackend::scatter(const IndexCall& call) {
  constexpr Index kEnough = 4096;  // threads to walk with
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    const auto *index = static_cast<const T*>(call.index), *x = static_cast<const T*>(call.x);
    auto* y = static_cast<T*>(call.y);
    if (call.outer * call.inner < kEnough) {
      launch(runtime_, "scatter", call.whole_size(),
             ScatterByLooking<T>{index, x, y, call.middle, call.inner, call.count});
    } else {
      fill(call.dtype, y, 0.0, call.whole_size());
      launch(runtime_, "scatter", call.outer * call.inner,
             ScatterByWalking<T>{index, x, y, call.middle, call.inner, call.count});
    }
  });
}

}  // namespace basin
