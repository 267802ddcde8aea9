#include "modules/images/conv1d.h"

#include <fmt/format.h>

#include <algorithm>

#include "modules/images/channel_bias.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// Filters [rows, columns / groups, l] of a layer from `in` to `out` channels, one of which are its rows.
Parameter filters(const char* who, Index rows, Index columns, Index filter, Key key, Index in,
                  const Conv1dLayerOptions& options) {
  const Index groups = options.groups;
  if (rows < 1 || columns < 1 || filter < 1 || groups < 1 || rows % groups != 0 || columns % groups != 0) {
    throw Error(fmt::format(
        "[{}] expected channels and a filter of at least 1 and groups that divide the channels, received "
        "{} -> {} channels, a filter of {} and {} groups",
        who, in, rows * columns / std::max<Index>(in, 1), filter, groups));
  }
  return {"weight",
          options.initializer
              .weights(in / groups * filter, rows * columns / in, key.fold("weight"), options.placement)
              .reshaped({rows, columns / groups, filter})};
}

Conv1dOptions op_of(const Conv1dLayerOptions& options) {
  return {options.padding, options.stride, options.dilation, options.groups};
}

void check_input(const char* who, const Value& x, Index channels) {
  if (x.rank() == 3 && x.dim(1) == channels) return;
  throw Error(fmt::format(
      "[{}] expected [N, {}, length], received {}; reshape the input or change the layer's channels", who,
      channels, to_string(x.shape())));
}

}  // namespace

Conv1d::Conv1d(Index in_channels, Index out_channels, Index filter, Key key, Conv1dLayerOptions options)
    : options_(op_of(options)),
      weight_(filters("conv1d", out_channels, in_channels, filter, key, in_channels, options)),
      bias_(channel_bias(out_channels, options.bias, options.placement)) {
  if (options.output_padding != 0)
    throw Error("[conv1d] expected no output padding, received some; it belongs to conv_transpose1d");
}

Value Conv1d::forward(const Value& x, const Context&) const {
  check_input("conv1d", x, weight_.tensor().dim(1) * options_.groups);
  return with_bias(conv1d(x, weight_.value(), options_), bias_);
}

std::vector<Parameter> Conv1d::parameters() const { return listed(weight_, bias_); }

ConvTranspose1d::ConvTranspose1d(Index in_channels, Index out_channels, Index filter, Key key,
                                 Conv1dLayerOptions options)
    : options_(op_of(options)),
      output_padding_(options.output_padding),
      weight_(filters("conv_transpose1d", in_channels, out_channels, filter, key, in_channels, options)),
      bias_(channel_bias(out_channels, options.bias, options.placement)) {}

Value ConvTranspose1d::forward(const Value& z, const Context&) const {
  check_input("conv_transpose1d", z, weight_.tensor().dim(0));
  // That of height 1.
  const Tensor& w = weight_.tensor();
  const Value y = conv_transpose2d(reshape(z, {z.dim(0), z.dim(1), 1, z.dim(2)}),
                                   reshape(weight_.value(), {w.dim(0), w.dim(1), 1, w.dim(2)}),
                                   {.padding = {0, options_.padding},
                                    .stride = {1, options_.stride},
                                    .dilation = {1, options_.dilation},
                                    .groups = options_.groups},
                                   {0, output_padding_});
  return with_bias(reshape(y, {y.dim(0), y.dim(1), y.dim(3)}), bias_);
}

std::vector<Parameter> ConvTranspose1d::parameters() const { return listed(weight_, bias_); }

}  // namespace basin
