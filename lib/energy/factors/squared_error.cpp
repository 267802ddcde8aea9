#include "energy/factors/squared_error.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/factors/map.h"
#include "tensor/error.h"

namespace basin {

SquaredError::SquaredError(Variable target, std::shared_ptr<const Module> f, Variable source,
                           SquaredErrorOptions options)
    : target_(std::move(target)),
      module_(std::move(f)),
      source_(std::move(source)),
      options_(std::move(options)) {
  expect_map(name(), module_, source_, target_);
  if (!std::isfinite(options_.weight) || options_.weight < 0.0) {
    throw Error(fmt::format("[{}] expected a weight >= 0, received {}", name(), options_.weight));
  }
}

std::string SquaredError::name() const { return "SquaredError(" + target_.name + ", " + source_.name + ")"; }

Value SquaredError::energy(const State& state) const {
  const Value difference =
      flatten(state[target_]) - flatten(module_->forward(state[source_], state.context()));
  return sum_per_sample(square(difference)) * (0.5 * options_.weight);
}

Order SquaredError::order_in(const Variable& variable) const {
  if (target_ == source_) return Order::Any;
  if (variable == target_) return Order::Quadratic;
  if (!module_->is_affine()) return Order::Any;
  return source_.size() == 1 ? Order::Quadratic : Order::Undeclared;
}

bool SquaredError::convex_in(const Variable& variable) const {
  return module_->is_affine() || (variable == target_ && !(target_ == source_));
}

std::vector<Parameter> SquaredError::parameters() const {
  return prefixed_parameters(*module_, options_.label.value_or(source_.name + "." + target_.name));
}

}  // namespace basin
