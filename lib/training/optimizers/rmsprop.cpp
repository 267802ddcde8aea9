#include "training/optimizers/rmsprop.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {

RmsProp::RmsProp(RmsPropOptions options)
    : Optimizer("rmsprop", options.rates, options.restraints), options_(std::move(options)) {
  if (!(options_.keep >= 0.0 && options_.keep < 1.0))
    throw Error(fmt::format("[rmsprop] expected keep in [0, 1), received {}", options_.keep));
}

void RmsProp::move(const Parameter& parameter, const Gradient& gradient, double factor) {
  const Tensor& p = parameter.tensor();
  const Tensor& s = state_like(state_, "square." + parameter.name(), p);
  later(p.device(), AdaptiveCall{.dtype = p.dtype(),
                                 .n = p.size(),
                                 .gradient = dense(parameter, gradient).data(),
                                 .square_keep = options_.keep,
                                 .square_share = 1.0 - options_.keep,
                                 .rate = factor * rate_,
                                 .epsilon = options_.epsilon,
                                 .square = s.data(),
                                 .parameter = p.data()});
}

}  // namespace basin
