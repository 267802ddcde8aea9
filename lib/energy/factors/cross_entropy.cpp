#include "energy/factors/cross_entropy.h"

#include "autograd/ops.h"
#include "energy/factors/map.h"

namespace basin {

CrossEntropy::CrossEntropy(Variable target, std::shared_ptr<const Module> f, Variable source,
                           CrossEntropyOptions options)
    : target_(std::move(target)),
      module_(std::move(f)),
      source_(std::move(source)),
      options_(std::move(options)) {
  expect_map(name(), module_, source_, target_, "logits");
}

std::string CrossEntropy::name() const { return "CrossEntropy(" + target_.name + ", " + source_.name + ")"; }

Value CrossEntropy::energy(const State& state) const {
  const Value logits = flatten(module_->forward(state[source_], state.context()));
  return sum_per_sample(softplus(logits) - flatten(state[target_]) * logits);
}

std::vector<Parameter> CrossEntropy::parameters() const {
  return prefixed_parameters(*module_, options_.label.value_or(source_.name + "." + target_.name));
}

}  // namespace basin
