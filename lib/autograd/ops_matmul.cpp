#include <fmt/format.h>

#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// The shape of [.., m, k] seen as a matrix: all leading axes are rows.
Shape matrix_shape(const Tensor& x) {
  return {element_count({x.shape().begin(), x.shape().end() - 1}), x.dim(-1)};
}

void check(const Tensor& a, const Tensor& b, MatmulOptions options) {
  raw::check_placements("matmul", a, b);
  const bool many = b.rank() == 3 && a.rank() == 3 && a.dim(0) == b.dim(0);
  if (a.rank() < 1 || (b.rank() != 2 && !many)) {
    throw Error(
        fmt::format("[matmul] expected [.., m, k] and a matrix [k, n], or [B, m, k] and [B, k, n], "
                    "received {} and {}; reshape the arguments",
                    to_string(a.shape()), to_string(b.shape())));
  }
  if (options.transpose_a && a.rank() != 2 && !many) {
    throw Error(
        fmt::format("[matmul] expected a matrix to transpose, received a of shape {}; reshape it first",
                    to_string(a.shape())));
  }
  const Index inner_a = a.dim(options.transpose_a ? -2 : -1), inner_b = b.dim(options.transpose_b ? -1 : -2);
  if (inner_a != inner_b) {
    throw Error(
        fmt::format("[matmul] expected inner extents that agree, received {} of {}{} and {} of {}{}; "
                    "transpose or reshape one",
                    inner_a, to_string(a.shape()), options.transpose_a ? " transposed" : "", inner_b,
                    to_string(b.shape()), options.transpose_b ? " transposed" : ""));
  }
}

}  // namespace

Value matmul(const Value& a, const Value& b, MatmulOptions options) {
  const Tensor &left = raw::checked("matmul", a), &right = raw::checked("matmul", b);
  check(left, right, options);
  const bool many = right.rank() == 3;
  Shape shape = left.shape();
  if (options.transpose_a) shape[shape.size() - 2] = left.dim(-1);
  shape.back() = right.dim(options.transpose_b ? -2 : -1);
  const Tensor rows = many ? left : left.reshaped(matrix_shape(left));
  Tensor product =
      raw::gemm(rows, options.transpose_a, right, options.transpose_b).reshaped(std::move(shape));

  // With C = op(A) op(B) and G = dL/dC:  d op(A) = G op(B)^T,  d op(B) = op(A)^T G; where an operand was
  // transposed, its gradient is the transpose of that product. Every transposition is a flag of gemm.
  return Value::result(
      std::move(product), {a, b},
      [options](std::size_t index, const Value& g, const std::vector<Value>& inputs, const Value&) {
        const bool ta = options.transpose_a, tb = options.transpose_b;
        const Value &A = inputs[0], &B = inputs[1];
        if (index == 0) {
          return ta ? matmul(B, g, {.transpose_a = tb, .transpose_b = true})
                    : matmul(g, B, {.transpose_b = !tb});
        }
        const bool matrix = B.rank() == 2;
        const Value G = matrix ? reshape(g, matrix_shape(g.tensor())) : g,
                    X = matrix ? reshape(A, matrix_shape(A.tensor())) : A;
        return tb ? matmul(G, X, {.transpose_a = true, .transpose_b = ta})
                  : matmul(X, G, {.transpose_a = !ta});
      });
}

}  // namespace basin
