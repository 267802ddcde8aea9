#include "modules/images/conv2d.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/ops.h"
#include "modules/images/channel_bias.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Filters [rows, columns / groups, h, w] of a layer that sums over `inputs` channels, rows or columns.
Parameter filters(const char* who, Index rows, Index columns, std::array<Index, 2> filter, Index inputs,
                  Key key, const ConvOptions& options) {
  const Index groups = options.groups;
  if (rows < 1 || columns < 1 || filter[0] < 1 || filter[1] < 1 || options.padding[0] < 0 ||
      options.padding[1] < 0 || groups < 1 || rows % groups != 0 || columns % groups != 0) {
    throw Error(
        fmt::format("[{}] expected channels and a filter of at least 1, padding >= 0 and groups that divide "
                    "the channels, "
                    "received weights {}, padding {} x {} and {} groups",
                    who, to_string(Shape{rows, columns, filter[0], filter[1]}), options.padding[0],
                    options.padding[1], groups));
  }
  const Index area = filter[0] * filter[1], outputs = rows * columns / inputs;
  const Tensor drawn =
      options.initializer.weights(inputs / groups * area, outputs, key.fold("weight"), options.placement);
  return {"weight", drawn.reshaped({rows, columns / groups, filter[0], filter[1]})};
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
    : options_(std::move(options)),
      weight_(filters("conv2d", out_channels, in_channels, filter, in_channels, key, options_)),
      bias_(channel_bias(out_channels, options_.bias, options_.placement)) {
  if (options_.output_padding != std::array<Index, 2>{0, 0})
    throw Error("[conv2d] expected no output padding, received some; it belongs to conv_transpose2d");
  if (options_.connections.empty()) return;
  if (options_.groups != 1)
    throw Error("[conv2d] expected connections or groups, received both; say all in the connections");
  mask_ = connection_mask(options_.connections, out_channels, in_channels, options_.placement);
  weight_.set((weight_.value().detached() * Value(mask_)).tensor());
}

Value Conv2d::without_bias(const Value& x) const {
  check_input("conv2d", x, weight_.tensor().dim(1) * options_.groups);
  const Value& w = weight_.value();
  return conv2d(x, mask_.defined() ? w * Value(mask_.to(w.placement())) : w, options_.op());
}

Value Conv2d::forward(const Value& x, const Context&) const { return with_bias(without_bias(x), bias_); }

std::vector<Parameter> Conv2d::parameters() const { return listed(weight_, bias_); }

ConvTranspose2d::ConvTranspose2d(Index in_channels, Index out_channels, std::array<Index, 2> filter, Key key,
                                 ConvOptions options)
    : options_(std::move(options)),
      weight_(filters("conv_transpose2d", in_channels, out_channels, filter, in_channels, key, options_)),
      bias_(channel_bias(out_channels, options_.bias, options_.placement)) {
  if (!options_.connections.empty())
    throw Error("[conv_transpose2d] expected no connections, received some; they belong to conv2d");
}

Value ConvTranspose2d::forward(const Value& z, const Context&) const {
  check_input("conv_transpose2d", z, weight_.tensor().dim(0));
  return with_bias(conv_transpose2d(z, weight_.value(), options_.op(), options_.output_padding), bias_);
}

std::vector<Parameter> ConvTranspose2d::parameters() const { return listed(weight_, bias_); }

}  // namespace basin
