#include "energy/factors/squared_error.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

SquaredError::SquaredError(Variable target, std::shared_ptr<const Module> f, Variable source,
                           SquaredErrorOptions options)
    : target_(std::move(target)), module_(std::move(f)), source_(std::move(source)), options_(options) {
  if (module_ == nullptr) {
    throw Error(fmt::format("[{}] expected a module, received a null pointer", name()));
  }
  if (!std::isfinite(options_.weight) || options_.weight < 0.0) {
    throw Error(fmt::format("[{}] expected a weight >= 0, received {}", name(), options_.weight));
  }
  // One sample of zeros through the module: shapes are checked here, where the user wrote them, not at the
  // first step of training.
  Shape one = source_.shape;
  one.insert(one.begin(), 1);
  const std::vector<Parameter> all = module_->parameters();
  const Shape out =
      module_->forward(Tensor::zeros(one, all.empty() ? Placement{} : all.front().tensor().placement()))
          .shape();
  if (element_count(out) != target_.size() || out.empty() || out[0] != 1) {
    throw Error(
        fmt::format("[{}] expected the module to map {} to {} numbers of {}, received shape {}; change the "
                    "module or the variable's shape",
                    name(), to_string(one), target_.size(), target_.name, to_string(out)));
  }
}

std::string SquaredError::name() const { return "SquaredError(" + target_.name + ", " + source_.name + ")"; }

Value SquaredError::energy(const State& state) const {
  const Value difference = flatten(state[target_]) - flatten(module_->forward(state[source_]));
  return sum_per_sample(square(difference)) * (0.5 * options_.weight);
}

std::vector<Parameter> SquaredError::parameters() const {
  std::vector<Parameter> all;
  for (const Parameter& parameter : module_->parameters()) {
    all.push_back(parameter.prefixed(source_.name + "." + target_.name));
  }
  return all;
}

}  // namespace basin
