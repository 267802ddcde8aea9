#include "autograd/gradient.h"

#include <fmt/format.h>

#include <utility>

#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// y = alpha * left^T right + beta * y.
void add_product(const OuterProduct& product, double alpha, double beta, const Tensor& y) {
  const Tensor &left = product.left, &right = product.right;
  if (left.dim(1) * right.dim(1) != y.size() || left.placement() != y.placement()) {
    throw Error(
        fmt::format("[gradient] expected products for {} elements of {} on {}, received {} x {} of {} on {}; "
                    "use the parameter's own",
                    y.size(), to_string(y.dtype()), to_string(y.device()), left.dim(1), right.dim(1),
                    to_string(left.dtype()), to_string(left.device())));
  }
  if (y.size() == 0) return;
  GemmCall call;
  call.dtype = y.dtype();
  call.transpose_a = true;
  call.m = left.dim(1);
  call.n = right.dim(1);
  call.k = left.dim(0);
  call.alpha = alpha * product.scale;
  call.a = left.data();
  call.lda = call.m;
  call.b = right.data();
  call.ldb = call.n;
  call.beta = beta;
  call.c = y.data();
  call.ldc = call.n;
  backend(y.device()).gemm(call);
}

}  // namespace

Gradient& Gradient::add(OuterProduct product) {
  const Tensor &left = product.left, &right = product.right;
  if (left.rank() != 2 || right.rank() != 2 || left.dim(0) != right.dim(0)) {
    throw Error(
        fmt::format("[gradient] expected matrices [N, m] and [N, n], received {} and {}; flatten the samples",
                    to_string(left.shape()), to_string(right.shape())));
  }
  if (left.placement() != right.placement()) {
    throw Error(fmt::format(
        "[gradient] expected factors of one dtype on one device, received {} on {} and {} on {}; convert one",
        to_string(left.dtype()), to_string(left.device()), to_string(right.dtype()),
        to_string(right.device())));
  }
  products_.push_back(std::move(product));
  return *this;
}

void Gradient::accumulate(const Tensor& y, double scale, double beta) const {
  if (!y.defined())
    throw Error(
        "[gradient] expected a tensor to accumulate into, received an undefined one; allocate it first");
  double rest = beta;  // applied by whichever term comes first
  if (dense_.defined()) {
    if (dense_.shape() != y.shape() || dense_.placement() != y.placement()) {
      throw Error(
          fmt::format("[gradient] expected a target like {} of {} on {}, received {} of {} on {}; use the "
                      "parameter's own",
                      to_string(dense_.shape()), to_string(dense_.dtype()), to_string(dense_.device()),
                      to_string(y.shape()), to_string(y.dtype()), to_string(y.device())));
    }
    if (y.size() > 0) backend(y.device()).axpby(y.dtype(), scale, dense_.data(), beta, y.data(), y.size());
    rest = 1.0;
  }
  for (const OuterProduct& product : products_) {
    if (product.left.dim(0) == 0) continue;  // no samples
    add_product(product, scale, rest, y);
    rest = 1.0;
  }
  if (rest == 0.0) {
    y.fill(0.0);
  } else if (rest != 1.0 && y.size() > 0) {
    backend(y.device()).axpby(y.dtype(), rest, y.data(), 0.0, y.data(), y.size());
  }
}

Tensor Gradient::to_tensor(const Shape& shape) const {
  if (dense_.defined() && products_.empty()) return dense_.reshaped(shape);
  const Tensor* like = dense_.defined() ? &dense_ : products_.empty() ? nullptr : &products_.front().left;
  Tensor result(shape, like != nullptr ? like->placement() : Placement{});
  accumulate(result, 1.0, 0.0);
  return result;
}

}  // namespace basin
