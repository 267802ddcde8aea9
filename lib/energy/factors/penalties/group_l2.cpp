#include "energy/factors/penalties/group_l2.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

GroupL2::GroupL2(Variable z, Index group, double lambda, GroupL2Options options)
    : variable_(std::move(z)), group_(group), lambda_(lambda), axis_(0) {
  if (variable_.domain != Domain::Real && variable_.domain != Domain::NonNegative) {
    throw Error(fmt::format("[GroupL2] expected a real or non-negative variable, received {}, which is {}",
                            variable_.name, to_string(variable_.domain)));
  }
  if (!std::isfinite(lambda_) || lambda_ < 0.0) {
    throw Error(fmt::format("[GroupL2] expected lambda >= 0 for {}, received {}", variable_.name, lambda_));
  }
  const auto rank = static_cast<Index>(variable_.shape.size());
  const Index axis = options.axis < 0 ? options.axis + rank : options.axis;
  if (axis < 0 || axis >= rank) {
    throw Error(fmt::format("[GroupL2] expected an axis of {} of shape {}, received {}", variable_.name,
                            to_string(variable_.shape), options.axis));
  }
  axis_ = static_cast<std::size_t>(axis);
  if (group_ < 1 || variable_.shape[axis_] % group_ != 0) {
    throw Error(fmt::format(
        "[GroupL2] expected groups that divide the {} members along axis {} of {}, received groups of {}",
        variable_.shape[axis_], axis, variable_.name, group_));
  }
}

Value GroupL2::grouped(const Value& x) const {
  Shape shape{x.dim(0), 1, variable_.shape[axis_] / group_, group_, 1};
  for (std::size_t i = 0; i < variable_.shape.size(); ++i) {
    if (i != axis_) shape[i < axis_ ? 1 : 4] *= variable_.shape[i];
  }
  return reshape(x, std::move(shape));
}

Value GroupL2::norms(const Value& groups) const {
  // So much below the norm of any group in use, and its root has a slope at a silent one.
  constexpr double kTiny = 1e-30;
  return sqrt(sum(square(groups), {3}, {.keep = true}) + kTiny);
}

Value GroupL2::energy(const State& state) const {
  return sum_per_sample(norms(grouped(state[variable_]))) * lambda_;
}

std::optional<Value> GroupL2::prox(const Variable& variable, const Value& value, const Value& step) const {
  if (!(variable == variable_)) return std::nullopt;
  const Value groups = grouped(variable_.domain == Domain::NonNegative ? relu(value) : value);
  // One step for all, or one a sample.
  const Value threshold = reshape(step, {-1, 1, 1, 1, 1}) * lambda_;
  return reshape(groups * relu(1.0 - threshold / norms(groups)), value.shape());
}

std::optional<Value> GroupL2::dual_norm(const Variable& variable, const Value& u) const {
  if (!(variable == variable_) || lambda_ == 0.0) return std::nullopt;
  return max(flatten(norms(grouped(variable_.domain == Domain::NonNegative ? relu(u) : u))), 1) *
         (1.0 / lambda_);
}

}  // namespace basin
