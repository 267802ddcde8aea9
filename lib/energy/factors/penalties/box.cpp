#include "energy/factors/penalties/box.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

Box::Box(Variable z, double low, double high) : variable_(std::move(z)), low_(low), high_(high) {
  if (variable_.domain != Domain::Real && variable_.domain != Domain::NonNegative) {
    throw Error(fmt::format("[Box] expected a real or non-negative variable, received {}, which is {}",
                            variable_.name, to_string(variable_.domain)));
  }
  if (variable_.domain == Domain::NonNegative) low_ = std::max(low_, 0.0);
  if (!(low_ <= high_) || (std::isinf(low_) && low_ == high_)) {
    throw Error(fmt::format("[Box] expected low <= high within the domain of {}, received {} and {}",
                            variable_.name, low, high));
  }
}

Value Box::clipped(const Value& x) const {
  return minimum(maximum(x, Tensor::full({1}, low_, x.placement())), Tensor::full({1}, high_, x.placement()));
}

Value Box::energy(const State& state) const {
  const Value& z = state[variable_];
  // -log(1) inside, -log(0) outside; z - z is 0, or NaN where z is none.
  return -log(1.0 - step(sum_per_sample(abs(z - clipped(z))))) + sum_per_sample(z - z);
}

std::optional<Value> Box::prox(const Variable& variable, const Value& value, const Value&) const {
  if (!(variable == variable_)) return std::nullopt;
  return clipped(value);
}

}  // namespace basin
