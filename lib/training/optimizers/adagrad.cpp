#include "training/optimizers/adagrad.h"

namespace basin {

void AdaGrad::move(const Parameter& parameter, const Gradient& gradient, double factor) {
  const Tensor& p = parameter.tensor();
  const Tensor& s = state_like(state_, "square." + parameter.name(), p);
  later(p.device(), AdaptiveCall{.dtype = p.dtype(),
                                 .n = p.size(),
                                 .gradient = dense(parameter, gradient).data(),
                                 .square_keep = 1.0,
                                 .square_share = 1.0,
                                 .rate = factor * rate_,
                                 .epsilon = options_.epsilon,
                                 .square = s.data(),
                                 .parameter = p.data()});
}

}  // namespace basin
