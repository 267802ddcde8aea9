#pragma once

#include "tensor/cuda/launch.h"

// Kernels whose threads work together: a struct with `void operator()(Group& group, Index item) const` does
// an item by the `lanes` threads of a block (on the host: by one). Lane l takes elements l, l + lanes, ...;
// all lanes reach every call of sum() and wait(), which make what was written before them seen by all.

namespace basin::cuda {

#ifdef __CUDACC__

class Group {
 public:
  static constexpr unsigned kLanes = 256;
  __device__ explicit Group(double* shared) : shared_(shared) {}
  __device__ Index lane() const { return threadIdx.x; }
  __device__ Index lanes() const { return kLanes; }
  __device__ void wait() const { __syncthreads(); }
  /// Of all lanes, for all lanes. Counts below 2^53 are exact.
  __device__ double sum(double own) const {
    for (unsigned distance = 16; distance > 0; distance /= 2)
      own += __shfl_down_sync(0xFFFFFFFFu, own, distance);
    if (threadIdx.x % 32 == 0) shared_[threadIdx.x / 32] = own;
    __syncthreads();
    double all = 0.0;
    for (unsigned warp = 0; warp < kLanes / 32; ++warp) all += shared_[warp];
    __syncthreads();
    return all;
  }

 private:
  double* shared_;
};

template <class Kernel>
__global__ void __launch_bounds__(Group::kLanes)
    run_groups(const __grid_constant__ Kernel kernel, Index items) {
  __shared__ double shared[Group::kLanes / 32];
  Group group(shared);
  for (Index item = blockIdx.x; item < items; item += gridDim.x) kernel(group, item);
}

template <class Kernel>
void launch_groups(Runtime& runtime, const char* name, Index items, const Kernel& kernel) {
  if (items <= 0) return;
  constexpr Index kMostBlocks = Index{1} << 30;
  runtime.use();
  run_groups<<<static_cast<unsigned>(std::min(items, kMostBlocks)), Group::kLanes, 0,
               static_cast<cudaStream_t>(runtime.stream())>>>(kernel, items);
  runtime.launched(name);
}

#define BASIN_GROUP __device__

#else

class Group {
 public:
  Index lane() const { return 0; }
  Index lanes() const { return 1; }
  void wait() const {}
  double sum(double own) const { return own; }
};

template <class Kernel>
void launch_groups(Runtime& runtime, const char* name, Index items, const Kernel& kernel) {
  if (items <= 0) return;
  parallel_ranges(items, kParallelElements, 1, [&kernel](Index begin, Index end) {
    Group group;
    for (Index item = begin; item < end; ++item) kernel(group, item);
  });
  runtime.launched(name);
}

#define BASIN_GROUP

#endif

}  // namespace basin::cuda
