#include "energy/factors/gaussian_components.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <utility>

#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

Tensor zeros_of(const Variable& x, const Variable& z) { return Tensor::zeros({z.size(), x.size()}); }

}  // namespace

GaussianComponents::GaussianComponents(Variable x, Variable z)
    : x_(std::move(x)),
      z_(std::move(z)),
      logits_(z_.name + ".logits", Tensor::zeros({z_.size()})),
      mean_(z_.name + "." + x_.name + ".mean", zeros_of(x_, z_)),
      log_precision_(z_.name + "." + x_.name + ".log_precision", zeros_of(x_, z_)) {
  if (x_.domain != Domain::Real || z_.domain != Domain::Categorical || z_.shape.size() != 1 || x_.is_free()) {
    throw Error(fmt::format("[{}] expected a real variable and one code of categories, received {} and {}",
                            name(), to_string(x_.domain), to_string(z_.domain)));
  }
}

std::string GaussianComponents::name() const {
  return "GaussianComponents(" + x_.name + ", " + z_.name + ")";
}

Value GaussianComponents::energy(const State& state) const {
  // Seen from the middle of the means: what all of them have in common does not cancel between squares.
  const Value middle = basin::mean(mean_.value(), {0}, {.keep = true}).detached();
  const Value x = flatten(state[x_]) - middle, m = mean_.value() - middle, s = log_precision_.value();
  const Value precision = exp(s), pull = precision * m;
  const Value distance = matmul(square(x), precision, {.transpose_b = true}) -
                         2.0 * matmul(x, pull, {.transpose_b = true}) + sum(pull * m, {1});
  const double volume = std::log(2.0 * std::numbers::pi) * static_cast<double>(x_.size());
  const Value log_joint = log_softmax(logits_.value()) + 0.5 * sum(s, {1}) - 0.5 * volume - 0.5 * distance;
  return -dot_per_sample(flatten(state[z_]), log_joint);
}

}  // namespace basin
