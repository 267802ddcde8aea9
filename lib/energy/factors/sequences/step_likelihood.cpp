#include "energy/factors/sequences/step_likelihood.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "autograd/ops.h"
#include "energy/factors/map.h"
#include "modules/lengths.h"
#include "tensor/error.h"

namespace basin {

StepLikelihood::StepLikelihood(Variable y, std::shared_ptr<const Module> f, Variable x,
                               StepLikelihoodOptions options)
    : y_(std::move(y)), module_(std::move(f)), x_(std::move(x)), options_(options) {
  if (y_.domain == Domain::NonNegative || y_.shape.size() != 2) {
    throw Error(fmt::format(
        "[{}] expected a categorical, binary or real variable [T, M] to predict, received {}, which is {} {}",
        name(), y_.name, to_string(y_.domain), to_string(y_.shape)));
  }
  if (options_.delay < 0 || (y_ == x_ && options_.delay == 0)) {
    throw Error(
        fmt::format("[{}] expected a delay of at least {}, received {}; what is predicted may not be seen",
                    name(), y_ == x_ ? 1 : 0, options_.delay));
  }
  expect_map(name(), module_, x_, y_, "scores");
}

std::vector<Variable> StepLikelihood::scope() const {
  return y_ == x_ ? std::vector<Variable>{y_} : std::vector<Variable>{y_, x_};
}

Value StepLikelihood::scores(const State& state) const {
  const Value& x = state[x_];
  return reshape(module_->forward(delayed(x, options_.delay), state.context()), {x.dim(0), x.dim(1), -1});
}

Value StepLikelihood::step_energies(const State& state, const Value& f) const {
  const Value& y = state[y_];
  if (f.shape() != y.shape()) {
    throw Error(fmt::format("[{}] expected scores of shape {}, received {}; keep the steps of {}", name(),
                            to_string(y.shape()), to_string(f.shape()), x_.name));
  }
  const auto constant = [&] {
    return 0.5 * static_cast<double>(y.dim(2)) * std::log(2.0 * std::numbers::pi);
  };
  const Value steps = y_.domain == Domain::Categorical ? log_sum_exp(f, -1) - sum(y * f, {-1})
                      : y_.domain == Domain::Binary    ? sum(softplus(f) - y * f, {-1})
                                                       : 0.5 * sum(square(y - f), {-1}) + constant();
  const Tensor& lengths = state.context().lengths;
  return lengths.defined() ? steps * Value(length_mask(lengths, steps.shape(), 1, steps.placement())) : steps;
}

Value StepLikelihood::energy(const State& state) const {
  return sum(step_energies(state, scores(state)), {1});
}

Order StepLikelihood::order_in(const Variable& variable) const {
  if (y_ == x_ || !(variable == y_)) return Order::Any;
  return y_.domain == Domain::Real ? Order::Quadratic : Order::Affine;
}

std::vector<Parameter> StepLikelihood::parameters() const {
  return prefixed_parameters(*module_, x_.name + "." + y_.name);
}

}  // namespace basin
