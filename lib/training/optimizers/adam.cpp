#include "training/optimizers/adam.h"

#include <cmath>

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
  later(p.device(), AdaptiveCall{.dtype = p.dtype(),
                                 .n = p.size(),
                                 .gradient = dense(parameter, gradient).data(),
                                 .mean_keep = options_.beta1,
                                 .mean_share = 1.0 - options_.beta1,
                                 .square_keep = options_.beta2,
                                 .square_share = 1.0 - options_.beta2,
                                 .rate = factor * mean_rate_,
                                 .scale = square_scale_,
                                 .epsilon = options_.epsilon,
                                 .keep = p.rank() >= 2 ? 1.0 - factor * rate_ * options_.weight_decay : 1.0,
                                 .mean = m.data(),
                                 .square = s.data(),
                                 .parameter = p.data()});
}

}  // namespace basin
