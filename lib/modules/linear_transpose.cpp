#include "modules/linear_transpose.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

LinearTranspose::LinearTranspose(const Linear& other, LinearOptions options) : weight_(other.weight()) {
  if (options.bias)
    bias_.emplace("bias", Tensor::zeros({weight_.tensor().dim(0)}, weight_.tensor().placement()));
}

Value LinearTranspose::forward(const Value& x, const Context&) const {
  const Index in = weight_.value().dim(1);
  if (x.rank() < 1 || x.dim(-1) != in) {
    throw Error(fmt::format(
        "[linear_transpose] expected [.., {}], received {}; flatten the input or change the layer's size", in,
        to_string(x.shape())));
  }
  const Value product = matmul(x, weight_.value(), {.transpose_b = true});
  return bias_ ? product + bias_->value() : product;
}

std::vector<Parameter> LinearTranspose::parameters() const {
  std::vector<Parameter> result{weight_};
  if (bias_) result.push_back(*bias_);
  return result;
}

}  // namespace basin
