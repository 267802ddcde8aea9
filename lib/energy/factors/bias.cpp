#include "energy/factors/bias.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

Bias::Bias(Variable v, BiasOptions options)
    : variable_(std::move(v)),
      bias_(variable_.name + "." + options.label, Tensor::zeros({variable_.size()})) {}

Bias::Bias(Variable v, Parameter bias) : variable_(std::move(v)), bias_(std::move(bias)) {
  if (bias_.tensor().shape() == Shape{variable_.size()}) return;
  throw Error(fmt::format("[Bias] expected a bias of shape {} of {}, received {} of {}",
                          to_string(Shape{variable_.size()}), variable_.name, bias_.name(),
                          to_string(bias_.tensor().shape())));
}

std::string Bias::name() const { return "Bias(" + variable_.name + ")"; }

Value Bias::energy(const State& state) const {
  const Value& v = state[variable_];
  const Value b = reshape(bias_.value(), {variable_.size(), 1});
  return -reshape(matmul(flatten(v), b), {v.dim(0)});
}

}  // namespace basin
