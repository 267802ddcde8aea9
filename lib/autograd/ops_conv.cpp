#include <fmt/format.h>

#include <array>
#include <string>

#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

std::string text(const Conv2dOptions& options) {
  return fmt::format("padding {} x {}, stride {} x {}, dilation {} x {}, groups {}", options.padding[0],
                     options.padding[1], options.stride[0], options.stride[1], options.dilation[0],
                     options.dilation[1], options.groups);
}

/// Both arguments as [.., .., height, width] in one place, under options that make sense of their own.
void check_images(const char* who, const Value& a, const Value& b, const Conv2dOptions& options) {
  const Tensor &first = raw::checked(who, a), &second = raw::checked(who, b);
  raw::check_placements(who, first, second);
  constexpr Index kMost = Index{1} << 31;
  bool sensible = first.rank() == 4 && second.rank() == 4 && options.groups >= 1;
  for (std::size_t i = 0; i < 2; ++i) {
    sensible = sensible && options.padding[i] >= 0 && options.padding[i] < kMost && options.stride[i] >= 1 &&
               options.stride[i] < kMost && options.dilation[i] >= 1 && options.dilation[i] < kMost;
  }
  if (!sensible) {
    throw Error(fmt::format(
        "[{}] expected two arguments of rank 4, padding >= 0 and stride, dilation, groups >= 1, received {}, "
        "{}, {}",
        who, to_string(first.shape()), to_string(second.shape()), text(options)));
  }
}

[[noreturn]] void refuse(const char* who, const char* expected, const Value& a, const Value& b,
                         const Conv2dOptions& options) {
  throw Error(fmt::format("[{}] expected {}, received {} and {} with {}; check channels and sizes", who,
                          expected, to_string(a.shape()), to_string(b.shape()), text(options)));
}

/// The three arrays of a correlation by their extents; all but the operands are filled in.
ConvCall call_of(ConvProduct product, const Shape& x, const Shape& w, Dtype dtype,
                 const Conv2dOptions& options) {
  return {.dtype = dtype,
          .product = product,
          .images = x[0],
          .in_channels = x[1],
          .out_channels = w[0],
          .height = x[2],
          .width = x[3],
          .filter_height = w[2],
          .filter_width = w[3],
          .padding_y = options.padding[0],
          .padding_x = options.padding[1],
          .stride_y = options.stride[0],
          .stride_x = options.stride[1],
          .dilation_y = options.dilation[0],
          .dilation_x = options.dilation[1],
          .groups = options.groups};
}

/// The product as a new tensor; zeros where there is nothing to sum.
Tensor run(ConvCall call, Shape shape, Placement placement) {
  Tensor result(std::move(shape), placement);
  if (result.size() == 0) return result;
  if (call.x_size() == 0 || call.w_size() == 0 || call.y_size() == 0) {
    result.fill(0.0);
    return result;
  }
  call.result = result.data();
  backend(placement.device).convolve(call);
  return result;
}

/// What is left of an extent of x behind the last window: the output padding of the transpose.
std::array<Index, 2> remainder(const Shape& x, const Shape& y, const Shape& w, const Conv2dOptions& options) {
  std::array<Index, 2> result{};
  for (std::size_t i = 0; i < 2; ++i)
    result[i] = x[i + 2] + 2 * options.padding[i] - options.dilation[i] * (w[i + 2] - 1) - 1 -
                options.stride[i] * (y[i + 2] - 1);
  return result;
}

}  // namespace

Value conv2d(const Value& x, const Value& w, Conv2dOptions options) {
  check_images("conv2d", x, w, options);
  if (x.dim(1) != w.dim(1) * options.groups || w.dim(0) % options.groups != 0 || w.dim(2) < 1 ||
      w.dim(3) < 1) {
    refuse("conv2d", "x [N, C, H, W] and w [K, C / groups, h, w], groups a divisor of K", x, w, options);
  }
  ConvCall call = call_of(ConvProduct::Output, x.shape(), w.shape(), x.placement().dtype, options);
  if (call.out_height() < 1 || call.out_width() < 1) {
    refuse("conv2d", "x [N, C, H, W] and w [K, C / groups, h, w] no larger than the padded x", x, w, options);
  }
  call.x = x.tensor().data();
  call.w = w.tensor().data();
  Tensor y = run(call, {call.images, call.out_channels, call.out_height(), call.out_width()}, x.placement());
  return Value::result(
      std::move(y), {x, w}, [options](std::size_t index, const Value& g, const Values& inputs, const Value&) {
        const Shape &from = inputs[0].shape(), &filter = inputs[1].shape();
        return index == 0
                   ? conv_transpose2d(g, inputs[1], options, remainder(from, g.shape(), filter, options))
                   : conv2d_filter(inputs[0], g, options, {filter[2], filter[3]});
      });
}

Value conv_transpose2d(const Value& y, const Value& w, Conv2dOptions options,
                       std::array<Index, 2> output_padding) {
  check_images("conv_transpose2d", y, w, options);
  Shape x{y.dim(0), w.dim(1) * options.groups, 0, 0};
  bool fits = y.dim(1) == w.dim(0) && w.dim(0) % options.groups == 0 && w.dim(2) >= 1 && w.dim(3) >= 1;
  for (std::size_t i = 0; fits && i < 2; ++i) {
    const Index count = y.dim(static_cast<Index>(i) + 2), size = w.dim(static_cast<Index>(i) + 2);
    x[i + 2] = options.stride[i] * (count - 1) + options.dilation[i] * (size - 1) + 1 -
               2 * options.padding[i] + output_padding[i];
    fits = count >= 1 && x[i + 2] >= 1 && output_padding[i] >= 0 && output_padding[i] < options.stride[i];
  }
  if (!fits) {
    refuse("conv_transpose2d",
           "y [N, K, H', W'] and w [K, C / groups, h, w] whose result is not cropped away, groups a divisor "
           "of K and output padding below the stride",
           y, w, options);
  }
  ConvCall call = call_of(ConvProduct::Input, x, w.shape(), y.placement().dtype, options);
  call.y = y.tensor().data();
  call.w = w.tensor().data();
  return Value::result(run(call, x, y.placement()), {y, w},
                       [options](std::size_t index, const Value& g, const Values& inputs, const Value&) {
                         const Shape& filter = inputs[1].shape();
                         return index == 0 ? conv2d(g, inputs[1], options)
                                           : conv2d_filter(g, inputs[0], options, {filter[2], filter[3]});
                       });
}

Value conv2d_filter(const Value& x, const Value& y, Conv2dOptions options, std::array<Index, 2> filter) {
  check_images("conv2d_filter", x, y, options);
  Shape w{y.dim(1), x.dim(1) / options.groups, filter[0], filter[1]};
  bool fits = x.dim(0) == y.dim(0) && x.dim(1) % options.groups == 0 && y.dim(1) % options.groups == 0;
  for (std::size_t i = 0; fits && i < 2; ++i) {
    const Index extent = x.dim(static_cast<Index>(i) + 2), count = y.dim(static_cast<Index>(i) + 2);
    const Index room = extent + 2 * options.padding[i] - options.stride[i] * (count - 1) - 1;
    if (filter[i] == 0 && room >= 0) w[i + 2] = room / options.dilation[i] + 1;
    fits = w[i + 2] >= 1 && window_count(extent, w[i + 2], options.padding[i], options.stride[i],
                                         options.dilation[i]) == count;
  }
  if (!fits) {
    refuse("conv2d_filter",
           "x [N, C, H, W] and the y [N, K, H', W'] of filters on it, no larger than the padded x", x, y,
           options);
  }
  ConvCall call = call_of(ConvProduct::Filter, x.shape(), w, x.placement().dtype, options);
  call.x = x.tensor().data();
  call.y = y.tensor().data();
  return Value::result(run(call, w, x.placement()), {x, y},
                       [options, w](std::size_t index, const Value& g, const Values& inputs, const Value&) {
                         return index == 0 ? conv_transpose2d(
                                                 inputs[1], g, options,
                                                 remainder(inputs[0].shape(), inputs[1].shape(), w, options))
                                           : conv2d(inputs[0], g, options);
                       });
}

Value conv1d(const Value& x, const Value& w, Conv1dOptions options) {
  const Tensor &from = raw::checked("conv1d", x), &filters = raw::checked("conv1d", w);
  if (from.rank() != 3 || filters.rank() != 3) {
    throw Error(fmt::format(
        "[conv1d] expected x [N, C, L] and w [K, C / groups, l], received {} and {}; reshape them",
        to_string(from.shape()), to_string(filters.shape())));
  }
  const Value y = conv2d(reshape(x, {from.dim(0), from.dim(1), 1, from.dim(2)}),
                         reshape(w, {filters.dim(0), filters.dim(1), 1, filters.dim(2)}),
                         {.padding = {0, options.padding},
                          .stride = {1, options.stride},
                          .dilation = {1, options.dilation},
                          .groups = options.groups});
  return reshape(y, {y.dim(0), y.dim(1), y.dim(3)});
}

}  // namespace basin
