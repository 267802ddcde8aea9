#include "energy/factors/amortised.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

Value in_shape(const Variable& variable, const Value& values) {
  Shape shape = variable.shape;
  shape.insert(shape.begin(), values.dim(0));
  return reshape(values, shape);
}

}  // namespace

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
  Shape one = source_.shape;
  one.insert(one.begin(), 1);
  const std::vector<Parameter> all = module_->parameters();
  const Placement placement = all.empty() ? inner_.placement() : all.front().tensor().placement();
  const Shape out = module_->forward(Tensor::zeros(one, placement)).shape();
  if (out.empty() || out[0] != 1 || element_count(out) != z_.size()) {
    throw Error(
        fmt::format("[{}] expected the module to map {} to {} numbers of {}, received shape {}; change the "
                    "module or the variable",
                    name(), to_string(one), z_.size(), z_.name, to_string(out)));
  }
}

Value Amortised::energy(const State& state) const {
  const Value& source = state[source_];
  return inner_.energy(State().set(y_, in_shape(y_, source)).set(z_, in_shape(z_, module_->forward(source))));
}

std::vector<Parameter> Amortised::parameters() const {
  std::vector<Parameter> all;
  for (const Parameter& parameter : module_->parameters())
    all.push_back(parameter.prefixed(source_.name + "." + z_.name));
  if (options_.train_graph) {
    for (const Parameter& parameter : inner_.parameters()) all.push_back(parameter);
  }
  return all;
}

}  // namespace basin
