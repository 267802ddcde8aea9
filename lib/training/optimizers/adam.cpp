#include "training/optimizers/adam.h"

#include <cmath>

#include "tensor/backend.h"

namespace basin {

void Adam::begin(const Position& position) {
  const auto t = static_cast<double>(count_up(state_));
  rate_ = options_.learning_rate(position);
  mean_rate_ = rate_ / (1.0 - std::pow(options_.beta1, t));
  square_scale_ = 1.0 / (1.0 - std::pow(options_.beta2, t));
}

void Adam::move(const Parameter& parameter, const Gradient& gradient, double factor) {
  const Tensor& p = parameter.tensor();
  const Tensor& m = state_like(state_, "mean." + parameter.name(), p);
  const Tensor& s = state_like(state_, "square." + parameter.name(), p);
  Backend& kernels = backend(p.device());
  const Index n = p.size();

  const Tensor work = room(p);
  gradient.accumulate(work, 1.0, 0.0);
  kernels.axpby(p.dtype(), 1.0 - options_.beta1, work.data(), options_.beta1, m.data(), n);
  kernels.unary(Unary::Square, p.dtype(), work.data(), work.data(), n);
  kernels.axpby(p.dtype(), 1.0 - options_.beta2, work.data(), options_.beta2, s.data(), n);

  // work = m / (sqrt(s / (1 - beta2^t)) + epsilon)
  kernels.axpby(p.dtype(), square_scale_, s.data(), 0.0, work.data(), n);
  kernels.unary(Unary::Sqrt, p.dtype(), work.data(), work.data(), n);
  kernels.binary(Binary::Add, p.dtype(), work.data(), {1}, epsilon_.data(), {0}, work.data(), {n});
  kernels.binary(Binary::Div, p.dtype(), m.data(), {1}, work.data(), {1}, work.data(), {n});

  const double keep = p.rank() >= 2 ? 1.0 - factor * rate_ * options_.weight_decay : 1.0;
  kernels.axpby(p.dtype(), -factor * mean_rate_, work.data(), keep, p.data(), n);
}

Tensor Adam::room(const Tensor& parameter) {
  if (!room_.defined() || room_.placement() != parameter.placement() || room_.size() < parameter.size()) {
    room_ = Tensor({parameter.size()}, parameter.placement());
    epsilon_ = Tensor::full({1}, options_.epsilon, parameter.placement());
  }
  return room_.rows(0, parameter.size()).reshaped(parameter.shape());
}

}  // namespace basin
