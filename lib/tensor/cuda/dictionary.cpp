#include "tensor/cuda/kernels/dictionary.h"

#include <algorithm>

#include "tensor/cuda/cuda_solvers.h"
#include "tensor/cuda/typed.h"

namespace basin {

using namespace cuda;

/// Blocks of atoms: a product for what all others leave of them, and one kernel for the block.
void CudaSolvers::dictionary(const DictionaryCall& call) {
  constexpr Index kBlock = 32;
  with_type(call.dtype, [&](auto number) {
    using T = decltype(number);
    const auto *gram = static_cast<const T*>(call.gram), *cross = static_cast<const T*>(call.cross);
    const Scratch<T> residual(kernels_.pool(), static_cast<std::size_t>(kBlock * call.features));
    for (Index begin = 0; begin < call.atoms; begin += kBlock) {
      const Index rows = std::min(kBlock, call.atoms - begin);
      kernels_.copy(residual.data(), cross + begin * call.features,
                    static_cast<std::size_t>(rows * call.features) * sizeof(T));
      GemmCall gemm{.dtype = call.dtype, .m = rows, .n = call.features, .k = call.atoms, .alpha = -1.0};
      gemm.a = gram + begin * call.atoms;
      gemm.lda = call.atoms;
      gemm.b = call.dictionary;
      gemm.ldb = call.features;
      gemm.beta = 1.0;
      gemm.c = residual.data();
      gemm.ldc = call.features;
      kernels_.gemm(gemm);
      launch_groups(kernels_.runtime(), "dictionary", 1,
                    MoveAtoms<T>{gram, static_cast<T*>(call.dictionary), residual.data(), call.atoms,
                                 call.features, begin, rows, call.tiny});
    }
  });
}

}  // namespace basin
