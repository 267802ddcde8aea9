#include "energy/factors/sequences/step_bilinear.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

Tensor initial_weights(const Variable& v, const Variable& h, Key key, double scale) {
  if (v == h || v.shape.size() != 2 || h.shape.size() != 2 || v.shape[0] != h.shape[0]) {
    throw Error(
        fmt::format("[StepBilinear] expected two different variables [steps, units] of as many steps, "
                    "received {} {} and {} {}; give both the same first extent",
                    v.name, to_string(v.shape), h.name, to_string(h.shape)));
  }
  if (!std::isfinite(scale) || scale < 0.0)
    throw Error(fmt::format("[StepBilinear] expected a scale >= 0, received {}", scale));
  return (Value(normal(key, {v.shape[1], h.shape[1]})) * scale).tensor();
}

}  // namespace

StepBilinear::StepBilinear(Variable v, Variable h, Key key, BilinearOptions options)
    : left_(std::move(v)),
      right_(std::move(h)),
      weight_(left_.name + "." + right_.name + "." + options.label,
              initial_weights(left_, right_, key, options.scale)) {}

std::string StepBilinear::name() const { return "StepBilinear(" + left_.name + ", " + right_.name + ")"; }

Value StepBilinear::energy(const State& state) const {
  const Value &v = state[left_], &h = state[right_], &w = weight_.value();
  // The side that is differentiated stays out of the product, as in Bilinear.
  if (v.tracked() && !h.tracked()) return -sum_per_sample(matmul(h, w, {.transpose_b = true}) * v);
  return -sum_per_sample(matmul(v, w) * h);
}

}  // namespace basin
