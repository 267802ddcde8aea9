#include "modules/linear.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

Linear::Linear(Index in, Index out, Key key, LinearOptions options)
    : weight_("weight", options.initializer.weights(in, out, key.fold("weight"), options.placement)) {
  if (options.bias) bias_.emplace("bias", Tensor::zeros({out}, options.placement));
}

Value Linear::without_bias(const Value& x) const {
  const Index in = weight_.value().dim(0);
  if (x.rank() < 1 || x.dim(-1) != in) {
    throw Error(
        fmt::format("[linear] expected [.., {}], received {}; flatten the input or change the layer's size",
                    in, to_string(x.shape())));
  }
  return matmul(x, weight_.value());
}

Value Linear::forward(const Value& x, const Context&) const {
  const Value product = without_bias(x);
  return bias_ ? product + bias_->value() : product;
}

std::vector<Parameter> Linear::parameters() const {
  std::vector<Parameter> result{weight_};
  if (bias_) result.push_back(*bias_);
  return result;
}

}  // namespace basin
