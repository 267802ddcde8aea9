#pragma once

#include <cmath>

#include "tensor/backend.h"
#include "tensor/host_device.h"

namespace basin::cuda {

/// A block of 4 x 4 numbers of C = alpha op(A) op(B) + beta C, read straight from memory: for machines that
/// lack cuBLAS, several times slower than that. Item i is a block; those that follow each other lie side by
/// side.
template <class T>
struct PlainProduct {
  static constexpr Index kSide = 4;

  explicit PlainProduct(const GemmCall& call)
      : a(static_cast<const T*>(call.a)),
        b(static_cast<const T*>(call.b)),
        c(static_cast<T*>(call.c)),
        m(call.m),
        n(call.n),
        k(call.k),
        a_row(call.transpose_a ? 1 : call.lda),
        a_next(call.transpose_a ? call.lda : 1),
        b_column(call.transpose_b ? call.ldb : 1),
        b_next(call.transpose_b ? 1 : call.ldb),
        ldc(call.ldc),
        stride_a(call.stride_a),
        stride_b(call.stride_b),
        stride_c(call.stride_c),
        batch(call.batch),
        alpha(static_cast<T>(call.alpha)),
        beta(static_cast<T>(call.beta)) {}

  Index across() const { return (n + kSide - 1) / kSide; }
  Index down() const { return (m + kSide - 1) / kSide; }
  Index items() const { return batch * down() * across(); }

  BASIN_HOST_DEVICE void operator()(Index i) const {
    const Index wide = (n + kSide - 1) / kSide, high = (m + kSide - 1) / kSide, line = i / wide,
                which = line / high, row = (line - which * high) * kSide, column = (i - line * wide) * kSide;
    const T* rows[kSide];
    const T* columns[kSide];
    for (Index r = 0; r < kSide; ++r) {  // past an end the last one again, which is not written
      rows[r] = a + which * stride_a + (row + r < m ? row + r : m - 1) * a_row;
      columns[r] = b + which * stride_b + (column + r < n ? column + r : n - 1) * b_column;
    }
    T sums[kSide][kSide] = {};
    for (Index t = 0; t < k; ++t) {
      T left[kSide], right[kSide];
      for (Index r = 0; r < kSide; ++r) {
        left[r] = rows[r][t * a_next];
        right[r] = columns[r][t * b_next];
      }
      for (Index r = 0; r < kSide; ++r) {
        for (Index s = 0; s < kSide; ++s) sums[r][s] = std::fma(left[r], right[s], sums[r][s]);
      }
    }
    for (Index r = 0; r < kSide && row + r < m; ++r) {
      T* out = c + which * stride_c + (row + r) * ldc + column;
      for (Index s = 0; s < kSide && column + s < n; ++s)
        out[s] = beta == T{0} ? alpha * sums[r][s] : std::fma(beta, out[s], alpha * sums[r][s]);
    }
  }

  const T* a;
  const T* b;
  T* c;
  Index m, n, k, a_row, a_next, b_column, b_next, ldc, stride_a, stride_b, stride_c, batch;
  T alpha, beta;
};

}  // namespace basin::cuda
