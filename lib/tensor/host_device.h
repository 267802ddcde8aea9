#pragma once

/// Marks a function that kernels call: on the host, and on a GPU where nvcc compiles it.
#ifdef __CUDACC__
#define BASIN_HOST_DEVICE __host__ __device__
#else
#define BASIN_HOST_DEVICE
#endif
