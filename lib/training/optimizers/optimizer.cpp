#include "training/optimizers/optimizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "tensor/error.h"

namespace basin {

double rate_of(const Rates& rates, const std::string& parameter) {
  double factor = 1.0;
  std::size_t longest = 0;
  for (const auto& [prefix, rate] : rates) {
    if (parameter.starts_with(prefix) && prefix.size() >= longest) {
      longest = prefix.size();
      factor = rate;
    }
  }
  return factor;
}

void check_step(const std::string& who, const std::vector<Parameter>& parameters,
                const std::vector<Gradient>& gradients, const Rates& rates) {
  if (parameters.size() != gradients.size()) {
    throw Error(fmt::format("[{}] expected one gradient a parameter ({}), received {}", who,
                            parameters.size(), gradients.size()));
  }
  for (const auto& [prefix, rate] : rates) {
    if (!(rate >= 0.0 && std::isfinite(rate))) {
      throw Error(fmt::format("[{}] expected rates of at least 0, received {} for '{}'", who, rate, prefix));
    }
    const auto fits = [&start = prefix](const Parameter& parameter) {  // clang 14 captures no bindings by &
      return parameter.name().starts_with(start);
    };
    if (std::none_of(parameters.begin(), parameters.end(), fits)) {
      std::vector<std::string> names;
      for (const Parameter& parameter : parameters) names.push_back(parameter.name());
      throw Error(fmt::format("[{}] rates: no parameter's name begins with '{}'; there are {}", who, prefix,
                              fmt::join(names, ", ")));
    }
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
