#pragma once

#include "tensor/cuda/group.h"
#include "tensor/cuda/kernels/math.h"

namespace basin::cuda {

/// Atoms begin .. begin + rows - 1 of a dictionary, one after another, by one group of threads: each has its
/// residual B - A D as the block found it, and what the atoms before it changed since is taken off as they
/// move.
template <class T>
struct MoveAtoms {
  const T* gram;
  T* dictionary;
  T* residual;  // [rows, features]
  Index atoms, features, begin, rows;
  double tiny;

  BASIN_GROUP void operator()(Group& group, Index) const {
    for (Index j = 0; j < rows; ++j) {
      const T diagonal = gram[(begin + j) * atoms + begin + j];
      if (!(static_cast<double>(diagonal) > tiny)) continue;  // the same of all threads
      T* d = dictionary + (begin + j) * features;
      T* step = residual + j * features;
      double own = 0.0;
      for (Index i = group.lane(); i < features; i += group.lanes()) {
        const T u = d[i] + step[i] / diagonal;
        own += static_cast<double>(u) * static_cast<double>(u);
      }
      const double square = group.sum(own);
      if (!(square > 0.0)) continue;
      const T scale = static_cast<T>(1.0 / ::sqrt(square));
      // From here on every thread touches its own features alone.
      for (Index i = group.lane(); i < features; i += group.lanes()) {
        const T moved = (d[i] + step[i] / diagonal) * scale, change = moved - d[i];
        d[i] = moved;
        for (Index k = j + 1; k < rows; ++k)
          residual[k * features + i] -= gram[(begin + k) * atoms + begin + j] * change;
      }
    }
  }
};

}  // namespace basin::cuda
