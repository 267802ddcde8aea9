#include "training/optimizers/adam.h"

#include <cmath>

#include "tensor/backend.h"

namespace basin {

Adam::Adam(AdamOptions options) : options_(std::move(options)) {}

void Adam::step(const std::vector<Parameter>& parameters, const std::vector<Gradient>& gradients,
                const Position& position) {
  check_step("adam", parameters, gradients, options_.rates);
  ++count_;
  const double rate = options_.learning_rate(position);
  const auto t = static_cast<double>(count_);
  const double mean_rate = rate / (1.0 - std::pow(options_.beta1, t));
  const double square_scale = 1.0 / (1.0 - std::pow(options_.beta2, t));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double factor = rate_of(options_.rates, parameters[i].name());
    if (is_empty(gradients[i]) || factor == 0.0) continue;
    const Tensor& p = parameters[i].tensor();
    const Tensor& m = state_like(moments_, "mean." + parameters[i].name(), p);
    const Tensor& s = state_like(moments_, "square." + parameters[i].name(), p);
    Backend& kernels = backend(p.device());
    const Index n = p.size();

    const Tensor work = room(p);
    gradients[i].accumulate(work, 1.0, 0.0);
    kernels.axpby(p.dtype(), 1.0 - options_.beta1, work.data(), options_.beta1, m.data(), n);
    kernels.unary(Unary::Square, p.dtype(), work.data(), work.data(), n);
    kernels.axpby(p.dtype(), 1.0 - options_.beta2, work.data(), options_.beta2, s.data(), n);

    // work = m / (sqrt(s / (1 - beta2^t)) + epsilon)
    kernels.axpby(p.dtype(), square_scale, s.data(), 0.0, work.data(), n);
    kernels.unary(Unary::Sqrt, p.dtype(), work.data(), work.data(), n);
    kernels.binary(Binary::Add, p.dtype(), work.data(), {1}, epsilon_.data(), {0}, work.data(), {n});
    kernels.binary(Binary::Div, p.dtype(), m.data(), {1}, work.data(), {1}, work.data(), {n});

    const bool decays = options_.decay_biases || p.rank() >= 2;
    const double keep = decays ? 1.0 - factor * rate * options_.weight_decay : 1.0;
    kernels.axpby(p.dtype(), -factor * mean_rate, work.data(), keep, p.data(), n);
  }
}

Tensor Adam::room(const Tensor& parameter) {
  if (!room_.defined() || room_.placement() != parameter.placement() || room_.size() < parameter.size()) {
    room_ = Tensor({parameter.size()}, parameter.placement());
    epsilon_ = Tensor::full({1}, options_.epsilon, parameter.placement());
  }
  return room_.rows(0, parameter.size()).reshaped(parameter.shape());
}

NamedTensors Adam::state() const {
  NamedTensors state = moments_;
  const double count = static_cast<double>(count_);
  state["count"] = Tensor::from(std::span<const double>(&count, 1), {1}, {Dtype::F64, Device::Cpu});
  return state;
}

void Adam::restore(const NamedTensors& state) {
  moments_ = cloned(state);
  const auto count = moments_.find("count");
  count_ = count == moments_.end() ? 0 : static_cast<Index>(count->second.item());
  moments_.erase("count");
}

}  // namespace basin
