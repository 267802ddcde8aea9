#include "energy/factors/amortised.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/factors/map.h"
#include "energy/sample_ops.h"
#include "tensor/error.h"

namespace basin {

Amortised::Amortised(Variable source, FactorGraph inner, Variable y, Variable z,
                     std::shared_ptr<const Module> f, AmortisedOptions options)
    : source_(std::move(source)),
      inner_(std::move(inner)),
      y_(std::move(y)),
      z_(std::move(z)),
      module_(std::move(f)),
      options_(options) {
  if (module_ == nullptr) throw Error(fmt::format("[{}] expected a module, received a null pointer", name()));
  if (!inner_.has(y_) || !inner_.has(z_) || source_.size() != y_.size()) {
    throw Error(
        fmt::format("[{}] expected two variables of the inner graph, {} as large as {}, received {} and {}",
                    name(), y_.name, source_.name, to_string(y_.shape), to_string(z_.shape)));
  }
  expect_map(name(), module_, source_, z_, "numbers", inner_.placement());
}

Value Amortised::energy(const State& state) const {
  const Value& source = state[source_];
  return inner_.energy(state.like()
                           .set(y_, as_values(y_, source))
                           .set(z_, as_values(z_, module_->forward(source, state.context()))));
}

std::vector<Parameter> Amortised::parameters() const {
  std::vector<Parameter> all = prefixed_parameters(*module_, source_.name + "." + z_.name);
  if (options_.train_graph) {
    for (const Parameter& parameter : inner_.parameters()) all.push_back(parameter);
  }
  return all;
}

}  // namespace basin
