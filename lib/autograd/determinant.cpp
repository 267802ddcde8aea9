#include "autograd/determinant.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

struct Eliminated {
  std::vector<double> inverse;
  double log_abs_det = 0.0;
};

/// Gauss and Jordan on [x | 1].
Eliminated eliminate(const char* who, const Tensor& x) {
  if (x.rank() != 2 || x.dim(0) != x.dim(1) || x.dim(0) < 1) {
    throw Error(fmt::format("[{}] expected a square matrix, received shape {}", who, to_string(x.shape())));
  }
  const auto n = static_cast<std::size_t>(x.dim(0));
  std::vector<double> a = x.values();
  Eliminated found{.inverse = std::vector<double>(n * n, 0.0)};
  std::vector<double>& b = found.inverse;
  for (std::size_t i = 0; i < n; ++i) b[i * n + i] = 1.0;
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t best = i;
    for (std::size_t r = i + 1; r < n; ++r)
      best = std::abs(a[r * n + i]) > std::abs(a[best * n + i]) ? r : best;
    const double pivot = a[best * n + i];
    if (!(std::abs(pivot) > 0.0) || !std::isfinite(pivot))
      throw Error(
          fmt::format("[{}] expected a matrix that has an inverse, received a singular one; where it is "
                      "learned, lower the learning rate",
                      who));
    found.log_abs_det += std::log(std::abs(pivot));
    for (std::size_t c = 0; c < n; ++c) {
      std::swap(a[i * n + c], a[best * n + c]), std::swap(b[i * n + c], b[best * n + c]);
      a[i * n + c] /= pivot, b[i * n + c] /= pivot;
    }
    for (std::size_t r = 0; r < n; ++r) {
      const double f = a[r * n + i];
      if (r == i || f == 0.0) continue;
      for (std::size_t c = 0; c < n; ++c) a[r * n + c] -= f * a[i * n + c], b[r * n + c] -= f * b[i * n + c];
    }
  }
  return found;
}

}  // namespace

Value inverse(const Value& x) {
  const Tensor& own = x.tensor();
  return Value::result(
      Tensor::from(eliminate("inverse", own).inverse, own.shape(), own.placement()), {x},
      [](std::size_t, const Value& gradient, const std::vector<Value>&, const Value& output) {
        return -matmul(matmul(output, gradient, {.transpose_a = true}), output, {.transpose_b = true});
      });
}

Value log_abs_det(const Value& x) {
  const Tensor& own = x.tensor();
  return Value::result(
      Tensor::full({1}, eliminate("log_abs_det", own).log_abs_det, own.placement()), {x},
      [](std::size_t, const Value& gradient, const std::vector<Value>& inputs, const Value&) {
        return reshape(gradient, {1, 1}) * transpose(inverse(inputs.front()), {1, 0});
      });
}

}  // namespace basin
