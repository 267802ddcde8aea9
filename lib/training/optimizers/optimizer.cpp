#include "training/optimizers/optimizer.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {

void check_step(const std::string& who, const std::vector<Parameter>& parameters,
                const std::vector<Gradient>& gradients) {
  if (parameters.size() != gradients.size()) {
    throw Error(fmt::format("[{}] expected one gradient a parameter ({}), received {}", who,
                            parameters.size(), gradients.size()));
  }
}

bool is_empty(const Gradient& gradient) { return !gradient.dense().defined() && gradient.products().empty(); }

Tensor& state_like(NamedTensors& state, const std::string& name, const Tensor& like) {
  Tensor& tensor = state[name];
  if (!tensor.defined()) {
    tensor = Tensor::zeros(like.shape(), like.placement());
  } else if (tensor.shape() != like.shape()) {
    throw Error(
        fmt::format("[optimizer] expected {} of shape {}, received {}; this state belongs to another model",
                    name, to_string(like.shape()), to_string(tensor.shape())));
  } else {
    tensor = tensor.to(like.placement());
  }
  return tensor;
}

NamedTensors cloned(const NamedTensors& state) {
  NamedTensors copy;
  for (const auto& [name, tensor] : state) copy[name] = tensor.clone();
  return copy;
}

}  // namespace basin
