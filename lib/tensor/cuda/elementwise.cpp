#include "tensor/cuda/kernels/elementwise.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

namespace {

constexpr int kUnaries = static_cast<int>(Unary::Elu) + 1;

/// Launches the function whose number is `op`.
template <class T, int... kOps>
void launch_unary(Runtime& runtime, Unary op, const void* x, void* y, Index n,
                  std::integer_sequence<int, kOps...>) {
  const auto run = [&]<int kOp>(std::integral_constant<int, kOp>) {
    if (op != static_cast<Unary>(kOp)) return;
    using F = UnaryFunction<static_cast<Unary>(kOp)>;
    launch(runtime, "unary", packs_of<T>(n), Map<T, F>(x, y, n, F{}));
  };
  (run(std::integral_constant<int, kOps>()), ...);
}

}  // namespace

void CudaBackend::unary(Unary op, Dtype dtype, const void* x, void* y, Index n) {
  with_type(dtype, [&](auto number) {
    launch_unary<decltype(number)>(runtime_, op, x, y, n, std::make_integer_sequence<int, kUnaries>());
  });
}

void CudaBackend::check(Check what, Dtype dtype, const void* x, Index n, void* flag) {
  with_type(dtype, [&](auto number) {
    using T = decltype(number);
    const T most = std::numeric_limits<T>::max() / static_cast<T>(std::max<Index>(n, 1));
    launch(runtime_, "check", n,
           FailsCheck<T>{static_cast<const T*>(x), static_cast<float*>(flag), most, what == Check::Positive});
  });
}

}  // namespace basin
