#include "tensor/cuda/kernels/biased.h"

#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/reduction.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

namespace {

/// Calls body with the function as a constant.
template <class Body>
void with_function(Unary function, const Body& body) {
  if (function == Unary::Relu) return body(std::integral_constant<Unary, Unary::Relu>());
  if (function == Unary::Tanh) return body(std::integral_constant<Unary, Unary::Tanh>());
  return body(std::integral_constant<Unary, Unary::Sigmoid>());
}

}  // namespace

void CudaBackend::biased(const BiasedCall& call) {
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    with_function(call.function, [&](auto function) {
      launch(runtime_, "biased", call.outer * call.channels * call.inner,
             Biased<function(), T>{static_cast<const T*>(call.x), static_cast<const T*>(call.bias),
                                   static_cast<T*>(call.y), call.channels, call.inner});
    });
  });
}

void CudaBackend::biased_gradient(const BiasedGradientCall& call) {
  const ReductionSizes sizes{call.channels, call.outer * call.inner,
                             call.inner == 1 && call.channels > 1 ? Neighbours::Outputs : Neighbours::Items};
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    with_function(call.function, [&](auto function) {
      launch_reduction(runtime_, pool_, "biased_gradient", sizes,
                       BiasedGradient<function(), T>{
                           static_cast<const T*>(call.y), static_cast<const T*>(call.gradient),
                           static_cast<T*>(call.x), static_cast<T*>(call.bias), call.channels, call.inner});
    });
  });
}

}  // namespace basin
