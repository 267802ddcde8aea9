#include "energy/factors/independent_components.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/determinant.h"
#include "autograd/ops.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

Tensor first_unmixing(const Variable& x, Key key) {
  if (x.domain != Domain::Real || x.is_free()) {
    throw Error(
        fmt::format("[independent_components] expected a real variable of a fixed shape, received {}, "
                    "which is {}",
                    x.name, to_string(x.domain)));
  }
  const Shape shape{x.size(), x.size()};
  return (identity(x.size(), {}) + 0.1 * Value(normal(key, shape))).tensor();
}

}  // namespace

IndependentComponents::IndependentComponents(Variable x, Key key)
    : x_(std::move(x)),
      unmixing_(x_.name + ".unmixing", first_unmixing(x_, key)),
      offset_(x_.name + ".offset", Tensor::zeros({x_.size()})) {}

Value IndependentComponents::sources(const Value& x) const {
  return matmul(flatten(x), unmixing_.value(), {.transpose_b = true}) + offset_.value();
}

Value IndependentComponents::energy(const State& state) const {
  const Value s = sources(state[x_]);
  return sum_per_sample(s + 2.0 * softplus(-s)) - log_abs_det(unmixing_.value());
}

}  // namespace basin
