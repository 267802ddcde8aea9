#include "energy/factors/bias.h"

#include <utility>

#include "autograd/ops.h"

namespace basin {

Bias::Bias(Variable v, BiasOptions options)
    : variable_(std::move(v)),
      bias_(variable_.name + "." + options.label, Tensor::zeros({variable_.size()})) {}

std::string Bias::name() const { return "Bias(" + variable_.name + ")"; }

Value Bias::energy(const State& state) const {
  const Value& v = state[variable_];
  const Value b = reshape(bias_.value(), {variable_.size(), 1});
  return -reshape(matmul(flatten(v), b), {v.dim(0)});
}

}  // namespace basin
