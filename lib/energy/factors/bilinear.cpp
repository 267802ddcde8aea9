#include "energy/factors/bilinear.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

void require_two(const Variable& v, const Variable& h) {
  if (!(v == h)) return;
  throw Error(
      fmt::format("[Bilinear] expected two different variables, received {} twice; a variable that "
                  "interacts with itself needs a factor of its own",
                  v.name));
}

Tensor initial_weights(const Variable& v, const Variable& h, Key key, double scale) {
  require_two(v, h);
  if (!std::isfinite(scale) || scale < 0.0) {
    throw Error(fmt::format("[Bilinear] expected a scale >= 0, received {}", scale));
  }
  return (Value(normal(key, {v.size(), h.size()})) * scale).tensor();
}

}  // namespace

Bilinear::Bilinear(Variable v, Variable h, Key key, BilinearOptions options)
    : left_(std::move(v)),
      right_(std::move(h)),
      weight_(left_.name + "." + right_.name + "." + options.label,
              initial_weights(left_, right_, key, options.scale)) {}

Bilinear::Bilinear(Variable v, Variable h, Parameter weight)
    : left_(std::move(v)), right_(std::move(h)), weight_(std::move(weight)) {
  require_two(left_, right_);
  const Shape expected{left_.size(), right_.size()};
  if (weight_.tensor().shape() != expected) {
    throw Error(fmt::format("[Bilinear] expected a weight of shape {} between {} and {}, received {} of {}",
                            to_string(expected), left_.name, right_.name, weight_.name(),
                            to_string(weight_.tensor().shape())));
  }
}

std::string Bilinear::name() const { return "Bilinear(" + left_.name + ", " + right_.name + ")"; }

Value Bilinear::energy(const State& state) const {
  const Value v = flatten(state[left_]);
  const Value h = flatten(state[right_]);
  const Value& w = weight_.value();
  // The side that is differentiated stays out of the product: its gradient is then the product itself, and
  // costs no second gemm.
  if (v.tracked() && !h.tracked()) {
    return -sum_per_sample(matmul(h, w, {.transpose_b = true}) * v);
  }
  return -sum_per_sample(matmul(v, w) * h);
}

}  // namespace basin
