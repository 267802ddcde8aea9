#include "energy/factors/cross_entropy.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

CrossEntropy::CrossEntropy(Variable target, std::shared_ptr<const Module> f, Variable source)
    : target_(std::move(target)), module_(std::move(f)), source_(std::move(source)) {
  if (module_ == nullptr) {
    throw Error(fmt::format("[{}] expected a module, received a null pointer", name()));
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
        fmt::format("[{}] expected the module to map {} to {} logits of {}, received shape {}; change the "
                    "module or the variable's shape",
                    name(), to_string(one), target_.size(), target_.name, to_string(out)));
  }
}

std::string CrossEntropy::name() const { return "CrossEntropy(" + target_.name + ", " + source_.name + ")"; }

Value CrossEntropy::energy(const State& state) const {
  const Value logits = flatten(module_->forward(state[source_]));
  return sum_per_sample(softplus(logits) - flatten(state[target_]) * logits);
}

std::vector<Parameter> CrossEntropy::parameters() const {
  std::vector<Parameter> all;
  for (const Parameter& parameter : module_->parameters()) {
    all.push_back(parameter.prefixed(source_.name + "." + target_.name));
  }
  return all;
}

}  // namespace basin
