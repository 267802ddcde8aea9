#include "energy/factors/quadratic.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

Quadratic::Quadratic(Variable v, QuadraticOptions options)
    : variable_(std::move(v)), options_(std::move(options)) {
  if (!std::isfinite(options_.log_precision)) {
    throw Error(fmt::format("[Quadratic] expected a finite log_precision for {}, received {}", variable_.name,
                            options_.log_precision));
  }
  if (options_.precision == Precision::PerUnit) {
    log_precision_.emplace(variable_.name + "." + options_.label,
                           Tensor::full({variable_.size()}, options_.log_precision));
  }
}

std::string Quadratic::name() const { return "Quadratic(" + variable_.name + ")"; }

std::vector<Parameter> Quadratic::parameters() const {
  return log_precision_ ? std::vector<Parameter>{*log_precision_} : std::vector<Parameter>{};
}

Value Quadratic::precision(Placement placement) const {
  if (!log_precision_) {
    return Tensor::full({variable_.size()}, std::exp(options_.log_precision), placement);
  }
  return exp(log_precision_->value());
}

Value Quadratic::energy(const State& state) const {
  const Value& v = state[variable_];
  const Value squares = square(flatten(v));
  if (!log_precision_) {
    return sum_per_sample(squares) * (0.5 * std::exp(options_.log_precision));
  }
  const Value precision = exp(log_precision_->value());
  return reshape(matmul(squares, reshape(precision, {variable_.size(), 1})), {v.dim(0)}) * 0.5;
}

}  // namespace basin
