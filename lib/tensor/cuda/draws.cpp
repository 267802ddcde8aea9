#include "tensor/cuda/kernels/draws.h"

#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/kernels/units.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

void CudaBackend::uniform(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) {
  const Stream stream{key, first, n};
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    launch(runtime_, "uniform", stream.blocks(), Uniform<T>{stream, static_cast<T*>(y)});
  });
}

void CudaBackend::normal(Dtype dtype, std::uint64_t key, std::uint64_t first, void* y, Index n) {
  const Stream stream{key, first, n};
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    launch(runtime_, "normal", stream.blocks(), Normal<T>{stream, static_cast<T*>(y)});
  });
}

void CudaBackend::bernoulli(Dtype dtype, std::uint64_t key, std::uint64_t first, const void* p, void* y,
                            Index n) {
  const Stream stream{key, first, n};
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    launch(runtime_, "bernoulli", stream.blocks(),
           Bernoulli<T>{stream, static_cast<const T*>(p), static_cast<T*>(y)});
  });
}

void CudaBackend::units(const UnitCall& call) {
  if (call.rows <= 0 || call.units <= 0) return;
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    const Index blocks = Layer<T>(call).stream.blocks();
    switch (call.unit) {
      case Unit::Binary:
        return launch(runtime_, "units", blocks, BinaryUnits<T>(call));
      case Unit::Gaussian:
        return launch(runtime_, "units", blocks, GaussianUnits<T>(call));
      case Unit::NonNegative:
        return launch(runtime_, "units", blocks, NonNegativeUnits<T>(call));
      case Unit::Categorical:
        return launch(runtime_, "units", call.rows * (call.units / call.group), CategoricalUnits<T>(call));
    }
  });
}

}  // namespace basin
