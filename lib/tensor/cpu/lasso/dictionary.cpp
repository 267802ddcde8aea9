#include <algorithm>
#include <cmath>

#include "tensor/cpu/cpu_solvers.h"
#include "tensor/cpu/workspace.h"

namespace basin {
namespace {

// Rows whose mutual corrections are kept up one by one; the rest of the residual comes from gemm, block after
// block.
constexpr Index kBlock = 32;

/// residual = B[block] - A[block, :] D.
template <class T>
void block_residual(CpuBackend& backend, const DictionaryCall& call, Index begin, Index rows, T* residual) {
  const Index features = call.features;
  const T* cross = static_cast<const T*>(call.cross) + begin * features;
  std::copy(cross, cross + rows * features, residual);
  backend.gemm({.dtype = call.dtype,
                .m = rows,
                .n = features,
                .k = call.atoms,
                .alpha = -1.0,
                .a = static_cast<const T*>(call.gram) + begin * call.atoms,
                .lda = call.atoms,
                .b = call.dictionary,
                .ldb = features,
                .beta = 1.0,
                .c = residual,
                .ldc = features});
}

/// d <- u / |u| with u = d + residual / diagonal, the step it made into residual; false when it stays as it
/// is.
template <class T>
bool move_row(T* __restrict d, T* __restrict residual, T diagonal, Index features) {
  T square = 0;
#pragma omp simd reduction(+ : square)
  for (Index i = 0; i < features; ++i) {
    const T u = d[i] + residual[i] / diagonal;
    square += u * u;
  }
  if (!(square > T{0})) return false;
  const T scale = T{1} / std::sqrt(square);
#pragma omp simd
  for (Index i = 0; i < features; ++i) {
    const T moved = (d[i] + residual[i] / diagonal) * scale;
    residual[i] = moved - d[i];
    d[i] = moved;
  }
  return true;
}

template <class T>
void descend(CpuBackend& backend, const DictionaryCall& call) {
  const Index features = call.features;
  const T* gram = static_cast<const T*>(call.gram);
  T* dictionary = static_cast<T*>(call.dictionary);
  const Workspace<T> work(backend, kBlock * features);
  T* residual = work.data();
  for (Index begin = 0; begin < call.atoms; begin += kBlock) {
    const Index end = std::min(begin + kBlock, call.atoms);
    block_residual(backend, call, begin, end - begin, residual);
    for (Index j = begin; j < end; ++j) {
      const T diagonal = gram[j * call.atoms + j];
      T* __restrict step = residual + (j - begin) * features;
      if (!(static_cast<double>(diagonal) > call.tiny) ||
          !move_row(dictionary + j * features, step, diagonal, features))
        continue;
      for (Index k = j + 1; k < end; ++k) {
        const T weight = gram[k * call.atoms + j];
        T* __restrict other = residual + (k - begin) * features;
#pragma omp simd
        for (Index i = 0; i < features; ++i) other[i] -= weight * step[i];
      }
    }
  }
}

}  // namespace

void CpuSolvers::dictionary(const DictionaryCall& call) {
  call.dtype == Dtype::F32 ? descend<float>(kernels_, call) : descend<double>(kernels_, call);
}

}  // namespace basin
