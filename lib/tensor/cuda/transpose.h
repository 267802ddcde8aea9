#pragma once

#include "tensor/cuda/launch.h"

// Exchanging two axes, by squares that a block of threads reads along one axis and writes along the other:
// every access to memory is a run of neighbours.

namespace basin::cuda {

/// y[p, i, j] = x[p, j, i] of planes p; x is [planes, columns, rows], y [planes, rows, columns], rows within
/// one plane of x `pitch` elements apart and planes `plane_stride`.
struct Transposition {
  Index planes = 0, rows = 0, columns = 0, pitch = 0, plane_stride = 0;
};

#ifdef __CUDACC__

inline constexpr unsigned kTile = 32, kTileRows = 8;

template <class T>
__global__ void __launch_bounds__(kTile* kTileRows)
    run_transposition(const Transposition sizes, const T* x, T* y) {
  __shared__ T
      tile[kTile][kTile + 1];  // a column to the side, or all rows of a column would meet in one bank
  const Index across = (sizes.columns + kTile - 1) / kTile, down = (sizes.rows + kTile - 1) / kTile;
  const Index squares = sizes.planes * across * down;
  for (Index square = blockIdx.x; square < squares; square += gridDim.x) {
    const Index line = square / across, plane = line / down;
    const Index left = (square - line * across) * kTile, top = (line - plane * down) * kTile;
    const T* from = x + plane * sizes.plane_stride;
    T* to = y + plane * sizes.rows * sizes.columns;
    for (unsigned k = threadIdx.y; k < kTile; k += kTileRows) {
      const Index i = top + threadIdx.x, j = left + k;
      if (i < sizes.rows && j < sizes.columns) tile[k][threadIdx.x] = from[j * sizes.pitch + i];
    }
    __syncthreads();
    for (unsigned k = threadIdx.y; k < kTile; k += kTileRows) {
      const Index i = top + k, j = left + threadIdx.x;
      if (i < sizes.rows && j < sizes.columns) to[i * sizes.columns + j] = tile[threadIdx.x][k];
    }
    __syncthreads();
  }
}

template <class T>
void launch_transposition(Runtime& runtime, const Transposition& sizes, const T* x, T* y) {
  constexpr Index kMostBlocks = Index{1} << 30;
  const Index across = (sizes.columns + kTile - 1) / kTile, down = (sizes.rows + kTile - 1) / kTile;
  const Index squares = sizes.planes * across * down;
  if (squares <= 0) return;
  runtime.use();
  run_transposition<T><<<static_cast<unsigned>(std::min(squares, kMostBlocks)), dim3(kTile, kTileRows), 0,
                         static_cast<cudaStream_t>(runtime.stream())>>>(sizes, x, y);
  runtime.launched("strided_copy");
}

#else

template <class T>
void launch_transposition(Runtime& runtime, const Transposition& sizes, const T* x, T* y) {
  for (Index plane = 0; plane < sizes.planes; ++plane) {
    for (Index i = 0; i < sizes.rows; ++i) {
      for (Index j = 0; j < sizes.columns; ++j)
        y[(plane * sizes.rows + i) * sizes.columns + j] = x[plane * sizes.plane_stride + j * sizes.pitch + i];
    }
  }
  runtime.launched("strided_copy");
}

#endif

}  // namespace basin::cuda
