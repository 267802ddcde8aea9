#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/kernels/elementwise.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

void* CudaBackend::allocate(std::size_t bytes) { return pool_.take(bytes); }

void CudaBackend::release(void* address, std::size_t bytes) noexcept { pool_.give(address, bytes); }

void CudaBackend::upload(void* device, const void* host, std::size_t bytes) {
  runtime_.upload(device, host, bytes);
}

void CudaBackend::download(void* host, const void* device, std::size_t bytes) {
  runtime_.download(host, device, bytes);
}

void CudaBackend::copy(void* to, const void* from, std::size_t bytes) { runtime_.copy(to, from, bytes); }

CudaMemory CudaBackend::memory() const {
  const MemoryPool::Use use = pool_.use();
  return {use.used, use.peak, use.reserved};
}

void CudaBackend::fill(Dtype dtype, void* y, double value, Index n) {
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    launch(runtime_, "fill", n, Fill<T>{static_cast<T*>(y), static_cast<T>(value)});
  });
}

void CudaBackend::cast(Dtype from, const void* x, Dtype to, void* y, Index n) {
  if (from == to) {
    copy(y, x, static_cast<std::size_t>(n) * (to == Dtype::F32 ? sizeof(float) : sizeof(double)));
  } else if (from == Dtype::F32) {
    launch(runtime_, "cast", n, Cast<float, double>{static_cast<const float*>(x), static_cast<double*>(y)});
  } else {
    launch(runtime_, "cast", n, Cast<double, float>{static_cast<const double*>(x), static_cast<float*>(y)});
  }
}

void CudaBackend::axpby(Dtype dtype, double alpha, const void* x, double beta, void* y, Index n) {
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    const T a = static_cast<T>(alpha), b = static_cast<T>(beta);
    if (b == T{0}) {
      launch(runtime_, "axpby", packs_of<T>(n), Map<T, Scaled<T>>(x, y, n, {a}));
    } else {
      launch(runtime_, "axpby", packs_of<T>(n), FlatBinary<T, ScaledSum<T>>(x, 1, y, 1, y, n, {a, b}));
    }
  });
}

}  // namespace basin
