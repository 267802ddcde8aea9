#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/kernels/elementwise.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

namespace {

/// C = beta C: the product of no columns with no rows is 0.
template <class T>
struct EmptyProduct {
  T* c;
  Index m, n, ldc, stride_c;
  T beta;
  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index line = i / n, which = line / m;
    T& element = c[which * stride_c + (line - which * m) * ldc + (i - line * n)];
    element = beta == T{0} ? T{0} : beta * element;
  }
};

}  // namespace

void CudaBackend::gemm(const GemmCall& call) {
  if (call.m <= 0 || call.n <= 0 || call.batch <= 0) return;
  if (call.k > 0) return products_.gemm(call);
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    launch(runtime_, "gemm", call.batch * call.m * call.n,
           EmptyProduct<T>{static_cast<T*>(call.c), call.m, call.n, call.ldc, call.stride_c,
                           static_cast<T>(call.beta)});
  });
}

}  // namespace basin
