#include "training/optimizers/optimizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// y = op(a, b) of vectors of n numbers; b may be one number for all.
void combine(Binary op, const Tensor& a, const Tensor& b, const Tensor& y) {
  const Shape each{1}, same{0};
  backend(y.device())
      .binary(op, y.dtype(), a.data(), each, b.data(), b.size() == 1 ? same : each, y.data(), {y.size()});
}

}  // namespace

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

Optimizer::Optimizer(std::string name, Rates rates, Restraints restraints)
    : name_(std::move(name)), rates_(std::move(rates)), restraints_(restraints) {
  const auto& [clip_norm, clip_value, l1, l2, from, max_norm] = restraints;
  for (const double value : {clip_norm, clip_value, l1, l2, max_norm}) {
    if (!(value >= 0.0 && std::isfinite(value))) {
      throw Error(
          fmt::format("[{}] expected clip_norm, clip_value, l1, l2 and max_norm of at least 0, received {}",
                      name_, value));
    }
  }
  if (from < 0) throw Error(fmt::format("[{}] expected penalties_from >= 0, received {}", name_, from));
}

void Optimizer::step(const std::vector<Parameter>& parameters, const std::vector<Gradient>& gradients,
                     const Position& position, const Lookout& lookout) {
  if (parameters.size() != gradients.size()) {
    throw Error(fmt::format("[{}] expected one gradient a parameter ({}), received {}", name_,
                            parameters.size(), gradients.size()));
  }
  if (looks_out() && !lookout.evaluate)
    throw Error(
        fmt::format("[{}] expected a way to look at the loss elsewhere, received none; use fit()", name_));
  check_rates(name_, parameters, rates_);
  std::vector<Moving> moving;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double factor = rate_of(rates_, parameters[i].name());
    const bool is_empty = !gradients[i].dense().defined() && gradients[i].products().empty();
    if (!is_empty && factor != 0.0 && parameters[i].is_trained())
      moving.push_back({parameters[i], gradients[i], factor, i});
  }
  update(moving, position, lookout);
}

void Optimizer::update(const std::vector<Moving>& moving, const Position& position,
                       const Lookout& /*lookout*/) {
  begin(position);
  const auto& [clip_norm, clip_value, l1, l2, penalties_from, max_norm] = restraints_;
  const double scale = clip_norm > 0.0 ? shortening(moving) : 1.0;
  const bool has_penalty = (l1 > 0.0 || l2 > 0.0) && position.epoch >= penalties_from;
  for (const Moving& each : moving) {
    const Tensor& p = each.parameter.tensor();
    const bool is_matrix = p.rank() >= 2, penalised = has_penalty && is_matrix;
    if (scale != 1.0 || clip_value > 0.0 || penalised || (clip_norm > 0.0 && p.device() != Device::Cpu)) {
      move(each.parameter, restrained(each, scale, penalised), each.factor);
    } else {
      move(each.parameter, each.gradient, each.factor);
    }
    if (max_norm > 0.0 && is_matrix) {
      settle();
      // [in, out] holds a unit's weights in a column, [K, C, h, w] in a row.
      const Index first = p.dim(0), rest = first > 0 ? p.size() / first : 0;
      const bool in_columns = p.rank() == 2;
      backend(p.device())
          .limit_norms(p.dtype(), p.data(), in_columns ? 1 : first, in_columns ? first : rest,
                       in_columns ? rest : 1, max_norm);
    }
  }
  settle();
}

void Optimizer::later(Device device, const MomentumCall& call) {
  if (device != device_) settle();
  device_ = device;
  momentum_calls_.push_back(call);
}

void Optimizer::later(Device device, const AdaptiveCall& call) {
  if (device != device_) settle();
  device_ = device;
  adaptive_calls_.push_back(call);
}

void Optimizer::settle() {
  if (!momentum_calls_.empty()) backend(device_).momentum_all(momentum_calls_);
  if (!adaptive_calls_.empty()) backend(device_).adaptive_all(adaptive_calls_);
  momentum_calls_.clear();
  adaptive_calls_.clear();
}

double Optimizer::shortening(const std::vector<Moving>& moving) {
  if (moving.empty()) return 1.0;
  const Device device = moving.front().parameter.tensor().device();
  const Tensor& sum = scratch_.get("norm", {1}, {Dtype::F64, device});
  sum.fill(0.0);
  for (const Moving& each : moving) {
    const Tensor& g = dense(each.parameter, each.gradient);
    backend(g.device()).dot(g.dtype(), g.data(), g.data(), g.size(), static_cast<double*>(sum.data()));
  }
  if (device != Device::Cpu) {  // where to look at the norm is to wait for the step
    const Tensor &factor = scratch_.get("shortening", {1}, sum.placement()),
                 &one = scratch_.get("one", {1}, sum.placement());
    factor.fill(restraints_.clip_norm);
    one.fill(1.0);
    backend(device).unary(Unary::Sqrt, sum.dtype(), sum.data(), sum.data(), 1);
    combine(Binary::Div, factor, sum, factor);
    combine(Binary::Min, factor, one, factor);  // hands on a NaN
    return 1.0;
  }
  const double norm = std::sqrt(sum.item());
  return norm <= restraints_.clip_norm ? 1.0 : restraints_.clip_norm / norm;  // a NaN goes on to the check
}

Gradient Optimizer::restrained(const Moving& each, double scale, bool penalised) {
  const Tensor& p = each.parameter.tensor();
  const Tensor& g = dense(each.parameter, each.gradient);
  const Tensor& work = scratch_.get("restrained." + each.parameter.name(), p.shape(), p.placement());
  const bool is_shortened = restraints_.clip_norm > 0.0 && p.device() != Device::Cpu;
  if (is_shortened) {
    const Tensor& factor = scratch_.get("shortening of " + to_string(g.dtype()), {1}, g.placement());
    factor.copy_from(scratch_.get("shortening", {1}, {Dtype::F64, p.device()}));
    combine(Binary::Mul, g, factor, work);
  }
  const double limit = restraints_.clip_value;
  backend(p.device())
      .restrain({.dtype = p.dtype(),
                 .n = p.size(),
                 .gradient = is_shortened ? work.data() : g.data(),
                 .scale = scale,
                 .limit = limit > 0.0 ? limit : std::numeric_limits<double>::infinity(),
                 .l1 = penalised ? restraints_.l1 : 0.0,
                 .l2 = penalised ? restraints_.l2 : 0.0,
                 .parameter = p.data(),
                 .y = work.data()});
  return Gradient(work);
}

const Tensor& Optimizer::dense(const Parameter& parameter, const Gradient& gradient) {
  if (gradient.products().empty()) return gradient.dense();
  const Tensor& p = parameter.tensor();
  const Tensor& whole = scratch_.get("gradient." + parameter.name(), p.shape(), p.placement());
  gradient.accumulate(whole, 1.0, 0.0);
  return whole;
}

void Optimizer::restore(const NamedTensors& state) { state_ = cloned(state); }

Tensor& state_like(NamedTensors& state, const std::string& name, const Tensor& like) {
  return state_of(state, name, like.shape(), like.placement());
}

Tensor& state_of(NamedTensors& state, const std::string& name, const Shape& shape, Placement placement) {
  Tensor& tensor = state[name];
  if (!tensor.defined()) {
    tensor = Tensor::zeros(shape, placement);
  } else if (tensor.shape() != shape) {
    throw Error(
        fmt::format("[optimizer] expected {} of shape {}, received {}; this state belongs to another model",
                    name, to_string(shape), to_string(tensor.shape())));
  } else {
    tensor = tensor.to(placement);
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
