#include "energy/factors/network.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "energy/factors/map.h"
#include "tensor/error.h"

namespace basin {

Network::Network(std::shared_ptr<const Module> module, std::vector<Variable> inputs, NetworkOptions options)
    : module_(std::move(module)), inputs_(std::move(inputs)), options_(std::move(options)) {
  if (module_ == nullptr || inputs_.empty()) {
    throw Error(fmt::format("[{}] expected a module and at least one variable, received {}", name(),
                            module_ == nullptr ? "a null pointer" : "no variable"));
  }
  // Two samples of zeros through the module, of some length where that is free: shapes are checked where the
  // user wrote them, not at the first step of training.
  constexpr Index kAnyLength = 3;
  const std::vector<Parameter> all = module_->parameters();
  const Placement placement = all.empty() ? Placement{} : all.front().tensor().placement();
  State zeros;
  for (const Variable& variable : inputs_) {
    zeros.set(variable, Tensor::zeros(batched(variable.with_extent(kAnyLength), 2), placement));
  }
  const Shape out = module_->forward(input(zeros)).shape();
  if (out.empty() || out[0] != 2) {
    throw Error(
        fmt::format("[{}] expected the module to return [N, ...], received shape {} for N = 2; keep the "
                    "batch as the first axis",
                    name(), to_string(out)));
  }
}

std::string Network::name() const {
  std::string text;
  for (const Variable& variable : inputs_) {
    text += (text.empty() ? "" : ", ") + variable.name;
  }
  return "Network(" + text + ")";
}

Value Network::input(const State& state) const {
  if (inputs_.size() == 1) {
    return state[inputs_.front()];
  }
  std::vector<Value> parts;
  for (const Variable& variable : inputs_) {
    parts.push_back(flatten(state[variable]));
  }
  return concat(parts, 1);
}

Value Network::energy(const State& state) const {
  return sum_per_sample(module_->forward(input(state), state.context()));
}

Order Network::order_in(const Variable& /*variable*/) const {
  return module_->is_affine() ? Order::Affine : Order::Any;
}

std::vector<Parameter> Network::parameters() const { return prefixed_parameters(*module_, options_.label); }

}  // namespace basin
