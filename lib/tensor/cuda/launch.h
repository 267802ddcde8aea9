#pragma once

#include <algorithm>

#include "tensor/cuda/runtime.h"
#include "tensor/host_device.h"
#include "tensor/shape.h"

#ifndef __CUDACC__
#include "tensor/cpu/parallel.h"
#endif

// How kernels run. A kernel is a struct that holds its addresses and numbers; `void operator()(Index i)
// const`, marked BASIN_HOST_DEVICE, does item i of n, in no order. nvcc makes a grid of threads of it, every
// other compiler a loop: what it computes is the same. Products and square roots are rounded one by one on
// both (nvcc -fmad=false, gcc -ffp-contract=off); where one rounding is wanted, fma says so.

namespace basin::cuda {

#ifdef __CUDACC__

inline constexpr unsigned kThreads = 256;

template <class Kernel>
__global__ void __launch_bounds__(kThreads) run_each(const __grid_constant__ Kernel kernel, Index n) {
  const Index step = static_cast<Index>(gridDim.x) * kThreads;
  for (Index i = static_cast<Index>(blockIdx.x) * kThreads + threadIdx.x; i < n; i += step) kernel(i);
}

template <class Kernel>
void launch(Runtime& runtime, const char* name, Index n, const Kernel& kernel) {
  if (n <= 0) return;
  constexpr Index kMostBlocks = Index{1} << 30;
  runtime.use();
  const auto blocks = static_cast<unsigned>(std::min((n + kThreads - 1) / kThreads, kMostBlocks));
  run_each<<<blocks, kThreads, 0, static_cast<cudaStream_t>(runtime.stream())>>>(kernel, n);
  runtime.launched(name);
}

#else

/// Items that are worth a thread of the host.
inline constexpr Index kItemCost = 8;

template <class Kernel>
void launch(Runtime& runtime, const char* name, Index n, const Kernel& kernel) {
  if (n <= 0) return;
  parallel_ranges(n, kItemCost, 16, [&kernel](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) kernel(i);
  });
  runtime.launched(name);
}

#endif

}  // namespace basin::cuda
