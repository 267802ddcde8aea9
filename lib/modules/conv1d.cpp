#include "modules/conv1d.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {
namespace {

Parameter filters(Index in, Index out, Index filter, Key key, const Conv1dLayerOptions& options) {
  const Index groups = options.groups;
  if (in < 1 || out < 1 || filter < 1 || groups < 1 || in % groups != 0 || out % groups != 0) {
    throw Error(fmt::format(
        "[conv1d] expected channels and a filter of at least 1 and groups that divide the channels, received "
        "{} -> {} channels, a filter of {} and {} groups",
        in, out, filter, groups));
  }
  return {"weight",
          options.initializer.weights(in / groups * filter, out, key.fold("weight"), options.placement)
              .reshaped({out, in / groups, filter})};
}

}  // namespace

Conv1d::Conv1d(Index in_channels, Index out_channels, Index filter, Key key, Conv1dLayerOptions options)
    : options_{options.padding, options.stride, options.dilation, options.groups},
      weight_(filters(in_channels, out_channels, filter, key, options)) {
  if (options.bias) bias_.emplace("bias", Tensor::zeros({out_channels}, options.placement));
}

Value Conv1d::forward(const Value& x, const Context&) const {
  const Index channels = weight_.tensor().dim(1) * options_.groups;
  if (x.rank() != 3 || x.dim(1) != channels) {
    throw Error(fmt::format(
        "[conv1d] expected [N, {}, length], received {}; reshape the input or change the layer's channels",
        channels, to_string(x.shape())));
  }
  const Value y = conv1d(x, weight_.value(), options_);
  return bias_ ? y + reshape(bias_->value(), {bias_->tensor().size(), 1}) : y;
}

std::vector<Parameter> Conv1d::parameters() const {
  std::vector<Parameter> result{weight_};
  if (bias_) result.push_back(*bias_);
  return result;
}

}  // namespace basin
