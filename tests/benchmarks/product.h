#pragma once

#include "tensor/backend.h"
#include "tensor/random.h"
#include "tensor/tensor.h"

namespace basin::benchmarks {

struct Scale {
  double alpha = 1.0, beta = 0.0;
};

/// C = alpha op(A) op(B) + beta C of matrices, op the transpose where asked for, by the fastest library.
inline void multiply(const Tensor& a, bool ta, const Tensor& b, bool tb, const Tensor& c, Scale scale = {}) {
  GemmCall call{.transpose_a = ta,
                .transpose_b = tb,
                .m = c.dim(0),
                .n = c.dim(1),
                .k = a.dim(ta ? 0 : 1),
                .alpha = scale.alpha,
                .beta = scale.beta};
  call.a = a.data();
  call.lda = a.dim(1);
  call.b = b.data();
  call.ldb = b.dim(1);
  call.c = c.data();
  call.ldc = c.dim(1);
  backend(Device::Cpu).gemm(call);
}

/// C = A B of the sizes of one product of a net, and of its two gradients.
struct Product {
  Product(Index m, Index n, Index k)
      : a(normal(Key(1), {m, k})),
        b(normal(Key(2), {k, n})),
        c(normal(Key(3), {m, n})),
        da({m, k}),
        db({k, n}) {}

  void forward() const { multiply(a, false, b, false, c); }
  void gradient_of_input() const { multiply(c, false, b, true, da); }
  void gradient_of_weights() const { multiply(a, true, c, false, db); }

  Tensor a, b, c, da, db;
};

}  // namespace basin::benchmarks
