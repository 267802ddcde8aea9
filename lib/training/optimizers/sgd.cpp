#include "training/optimizers/sgd.h"

#include "tensor/backend.h"

namespace basin {

void Sgd::begin(const Position& position) {
  rate_ = options_.learning_rate(position);
  momentum_ = options_.momentum(position);
}

void Sgd::move(const Parameter& parameter, const Gradient& given, double factor) {
  const Tensor& p = parameter.tensor();
  Gradient scaled;
  if (factor != 1.0) {
    scaled = Gradient(scratch_.get("scaled." + parameter.name(), p.shape(), p.placement()));
    given.accumulate(scaled.dense(), factor, 0.0);
  }
  const Gradient& gradient = factor == 1.0 ? given : scaled;
  const double decay = p.rank() >= 2 ? factor * rate_ * options_.weight_decay : 0.0;
  const std::string name = "velocity." + parameter.name();
  if (momentum_ == 0.0 && !state_.contains(name)) {
    gradient.accumulate(p, -rate_, 1.0 - decay);
    return;
  }

  const Tensor& u = state_like(state_, name, p);
  Backend& kernels = backend(p.device());
  MomentumCall call{
      .dtype = p.dtype(), .n = p.size(), .decay = decay, .velocity = u.data(), .parameter = p.data()};
  if (options_.nesterov) {
    // p - m u is the point without look-ahead; the new one lies (1 + m) u further once u is updated.
    kernels.axpby(p.dtype(), -momentum_, u.data(), 1.0, p.data(), p.size());
    gradient.accumulate(u, -rate_, momentum_);
    if (decay != 0.0) kernels.axpby(p.dtype(), -decay, p.data(), 1.0, u.data(), p.size());
    kernels.axpby(p.dtype(), 1.0 + momentum_, u.data(), 1.0, p.data(), p.size());
  } else if (gradient.products().empty()) {
    call.gradient = gradient.dense().data();
    call.rate = -rate_;
    call.momentum = momentum_;
    later(p.device(), call);
  } else {
    // gemm has left m u - r g in the velocity: what remains is decay and the step.
    gradient.accumulate(u, -rate_, momentum_);
    call.gradient = u.data();
    call.rate = 0.0;
    call.momentum = 1.0;
    later(p.device(), call);
  }
}

}  // namespace basin
