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

void check_rates(const std::string& who, const std::vector<Parameter>& parameters, const Rates& rates) {
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
      throw Error(fmt::format("[{}] expected rates of parameters that are there, received '{}'; there are {}",
                              who, prefix, fmt::join(names, ", ")));
    }
  }
}

void Optimizer::step(const std::vector<Parameter>& parameters, const std::vector<Gradient>& gradients,
                     const Position& position) {
  if (parameters.size() != gradients.size()) {
    throw Error(fmt::format("[{}] expected one gradient a parameter ({}), received {}", name_,
                            parameters.size(), gradients.size()));
  }
  check_rates(name_, parameters, rates_);
  begin(position);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double factor = rate_of(rates_, parameters[i].name());
    const bool is_empty = !gradients[i].dense().defined() && gradients[i].products().empty();
    if (!is_empty && factor != 0.0 && parameters[i].is_trained()) move(parameters[i], gradients[i], factor);
  }
}

void Optimizer::restore(const NamedTensors& state) { state_ = cloned(state); }

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

Index count_up(NamedTensors& state) {
  Tensor& count = state["count"];
  count = count.defined() ? count.to(Device::Cpu) : Tensor::zeros({1}, {Dtype::F64, Device::Cpu});
  *count.host<double>() += 1.0;
  return static_cast<Index>(*count.host<double>());
}

NamedTensors cloned(const NamedTensors& state) {
  NamedTensors copy;
  for (const auto& [name, tensor] : state) copy[name] = tensor.clone();
  return copy;
}

}  // namespace basin
