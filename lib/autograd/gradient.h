#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace basin {

/// scale * left^T right, with left [N, m] and right [N, n]: the gradient of a matrix as statistics leave it.
struct OuterProduct {
  double scale = 1.0;
  Tensor left, right;
};

/// The gradient of one parameter: dense + sum of outer products, kept apart so that an optimizer can let gemm
/// accumulate the products straight into its velocity or into the parameter, without a pass over memory of
/// its own.
class Gradient {
 public:
  Gradient() = default;
  explicit Gradient(Tensor dense) : dense_(std::move(dense)) {}

  Gradient& add(OuterProduct product);

  const Tensor& dense() const { return dense_; }  // undefined when there is none
  const std::vector<OuterProduct>& products() const { return products_; }

  /// y = scale * gradient + beta * y.
  void accumulate(const Tensor& y, double scale, double beta) const;
  /// The gradient as one tensor of the given shape.
  Tensor to_tensor(const Shape& shape) const;

 private:
  Tensor dense_;
  std::vector<OuterProduct> products_;
};

}  // namespace basin
