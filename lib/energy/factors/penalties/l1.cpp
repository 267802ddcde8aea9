#include "energy/factors/penalties/l1.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

L1::L1(Variable z, double lambda) : variable_(std::move(z)), lambda_(lambda) {
  if (variable_.domain != Domain::Real && variable_.domain != Domain::NonNegative) {
    throw Error(
        fmt::format("[L1] expected a real or non-negative variable, received {}, which is {}; use Bias for a "
                    "cost of active units",
                    variable_.name, to_string(variable_.domain)));
  }
  if (!std::isfinite(lambda_) || lambda_ < 0.0) {
    throw Error(fmt::format("[L1] expected lambda >= 0 for {}, received {}", variable_.name, lambda_));
  }
}

Value L1::energy(const State& state) const {
  const Value& z = state[variable_];
  return sum_per_sample(variable_.domain == Domain::NonNegative ? z : abs(z)) * lambda_;
}

std::optional<Value> L1::prox(const Variable& variable, const Value& value, const Value& step) const {
  if (!(variable == variable_)) {
    return std::nullopt;
  }
  const Value threshold = step * lambda_;
  if (variable_.domain == Domain::NonNegative) {
    return relu(value - threshold);
  }
  return relu(value - threshold) - relu(-value - threshold);
}

std::optional<Value> L1::dual_norm(const Variable& variable, const Value& u) const {
  if (!(variable == variable_) || lambda_ == 0.0) {
    return std::nullopt;
  }
  const Value flat = flatten(u);
  return max(variable_.domain == Domain::NonNegative ? relu(flat) : abs(flat), 1) * (1.0 / lambda_);
}

}  // namespace basin
