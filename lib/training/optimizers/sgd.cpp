#include "training/optimizers/sgd.h"

#include "tensor/backend.h"

namespace basin {

Sgd::Sgd(SgdOptions options) : options_(std::move(options)) {}

void Sgd::step(const std::vector<Parameter>& parameters, const std::vector<Gradient>& gradients,
               const Position& position) {
  check_step("sgd", parameters, gradients, options_.rates);
  const double rate = options_.learning_rate(position);
  const double momentum = options_.momentum(position);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double factor = rate_of(options_.rates, parameters[i].name());
    if (is_empty(gradients[i]) || factor == 0.0) continue;
    const Tensor& p = parameters[i].tensor();
    Gradient scaled;
    if (factor != 1.0) {
      scaled = Gradient(Tensor(p.shape(), p.placement()));
      gradients[i].accumulate(scaled.dense(), factor, 0.0);
    }
    const Gradient& gradient = factor == 1.0 ? gradients[i] : scaled;
    const double decay = options_.decay_biases || p.rank() >= 2 ? factor * rate * options_.weight_decay : 0.0;
    const std::string name = "velocity." + parameters[i].name();
    if (momentum == 0.0 && !velocity_.contains(name)) {
      gradient.accumulate(p, -rate, 1.0 - decay);
      continue;
    }

    const Tensor& u = state_like(velocity_, name, p);
    Backend& kernels = backend(p.device());
    MomentumCall call{
        .dtype = p.dtype(), .n = p.size(), .decay = decay, .velocity = u.data(), .parameter = p.data()};
    if (options_.nesterov) {
      // p - m u is the point without look-ahead; the new one lies (1 + m) u further once u is updated.
      kernels.axpby(p.dtype(), -momentum, u.data(), 1.0, p.data(), p.size());
      gradient.accumulate(u, -rate, momentum);
      if (decay != 0.0) kernels.axpby(p.dtype(), -decay, p.data(), 1.0, u.data(), p.size());
      kernels.axpby(p.dtype(), 1.0 + momentum, u.data(), 1.0, p.data(), p.size());
    } else if (gradient.products().empty()) {
      call.gradient = gradient.dense().data();
      call.rate = -rate;
      call.momentum = momentum;
      kernels.momentum(call);
    } else {
      // gemm has left m u - r g in the velocity: what remains is decay and the step.
      gradient.accumulate(u, -rate, momentum);
      call.gradient = u.data();
      call.rate = 0.0;
      call.momentum = 1.0;
      kernels.momentum(call);
    }
  }
}

void Sgd::restore(const NamedTensors& state) { velocity_ = cloned(state); }

}  // namespace basin
