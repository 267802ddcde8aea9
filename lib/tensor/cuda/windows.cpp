#include "tensor/cuda/kernels/windows.h"

#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

void CudaBackend::windows(const WindowCall& call) {
  if (call.planes == 0) return;
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    switch (call.product) {
      case WindowProduct::Sum:
        return launch(runtime_, "windows", call.out_size(), WindowSum<T>(call));
      case WindowProduct::Max:
        return launch(runtime_, "windows", call.out_size(), WindowMax<T>(call));
      case WindowProduct::Spread:
        return launch(runtime_, "windows", call.plane_size(), WindowSpread<T>(call));
      case WindowProduct::Unfold:
        return launch(runtime_, "windows", call.out_size(), WindowUnfold<T>(call));
      case WindowProduct::Fold:
        return launch(runtime_, "windows", call.plane_size(), WindowFold<T>(call));
    }
  });
}

}  // namespace basin
