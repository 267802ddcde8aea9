#include "modules/conv2d.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Filters [rows, columns, h, w] of a layer that sums over `inputs` channels.
Parameter filters(const char* who, Index rows, Index columns, std::array<Index, 2> filter, Index inputs,
                  Key key, const ConvOptions& options) {
  if (rows < 1 || columns < 1 || filter[0] < 1 || filter[1] < 1 || options.padding[0] < 0 ||
      options.padding[1] < 0) {
    throw Error(fmt::format(
        "[{}] expected channels and a filter of at least 1 and padding >= 0, received weights {} and padding "
        "{} x {}",
        who, to_string(Shape{rows, columns, filter[0], filter[1]}), options.padding[0], options.padding[1]));
  }
  const Index area = filter[0] * filter[1], outputs = rows * columns / inputs;
  const Tensor drawn =
      options.initializer.weights(inputs * area, outputs, key.fold("weight"), options.placement);
  return {"weight", drawn.reshaped({rows, columns, filter[0], filter[1]})};
}

std::optional<Parameter> bias_of(Index channels, const ConvOptions& options) {
  if (!options.bias) return std::nullopt;
  return Parameter("bias", Tensor::zeros({channels}, options.placement));
}

Value with_bias(const Value& y, const std::optional<Parameter>& bias) {
  return bias ? y + reshape(bias->value(), {bias->tensor().size(), 1, 1}) : y;
}

std::vector<Parameter> listed(const Parameter& weight, const std::optional<Parameter>& bias) {
  std::vector<Parameter> result{weight};
  if (bias) result.push_back(*bias);
  return result;
}

void check_input(const char* who, const Value& x, Index channels) {
  if (x.rank() == 4 && x.dim(1) == channels) return;
  throw Error(fmt::format(
      "[{}] expected [N, {}, height, width], received {}; reshape the input or change the layer's channels",
      who, channels, to_string(x.shape())));
}

}  // namespace

Conv2d::Conv2d(Index in_channels, Index out_channels, std::array<Index, 2> filter, Key key,
               ConvOptions options)
    : padding_(options.padding),
      weight_(filters("conv2d", out_channels, in_channels, filter, in_channels, key, options)),
      bias_(bias_of(out_channels, options)) {}

Value Conv2d::forward(const Value& x, const Context&) const {
  check_input("conv2d", x, weight_.tensor().dim(1));
  return with_bias(conv2d(x, weight_.value(), {.padding = padding_}), bias_);
}

std::vector<Parameter> Conv2d::parameters() const { return listed(weight_, bias_); }

ConvTranspose2d::ConvTranspose2d(Index in_channels, Index out_channels, std::array<Index, 2> filter, Key key,
                                 ConvOptions options)
    : padding_(options.padding),
      weight_(filters("conv_transpose2d", in_channels, out_channels, filter, in_channels, key, options)),
      bias_(bias_of(out_channels, options)) {}

Value ConvTranspose2d::forward(const Value& z, const Context&) const {
  check_input("conv_transpose2d", z, weight_.tensor().dim(0));
  return with_bias(conv_transpose2d(z, weight_.value(), {.padding = padding_}), bias_);
}

std::vector<Parameter> ConvTranspose2d::parameters() const { return listed(weight_, bias_); }

}  // namespace basin
