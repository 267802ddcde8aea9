#include <fmt/format.h>

#include <array>

#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

/// Both arguments as [.., .., height, width] in one place.
void check_images(const char* who, const Value& a, const Value& b, Conv2dOptions options) {
  const Tensor &first = raw::checked(who, a), &second = raw::checked(who, b);
  raw::check_placements(who, first, second);
  if (first.rank() != 4 || second.rank() != 4 || options.padding[0] < 0 || options.padding[1] < 0) {
    throw Error(fmt::format(
        "[{}] expected two arguments of rank 4 and padding >= 0, received {}, {} and padding {} x {}", who,
        to_string(first.shape()), to_string(second.shape()), options.padding[0], options.padding[1]));
  }
}

[[noreturn]] void refuse(const char* who, const char* expected, const Value& a, const Value& b,
                         Conv2dOptions options) {
  throw Error(fmt::format(
      "[{}] expected {}, received {} and {} with padding {} x {}; check channels and sizes", who, expected,
      to_string(a.shape()), to_string(b.shape()), options.padding[0], options.padding[1]));
}

/// The three arrays of a correlation by their extents; all but the operands are filled in.
ConvCall call_of(ConvProduct product, const Shape& x, const Shape& w, Dtype dtype, Conv2dOptions options) {
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
          .padding_x = options.padding[1]};
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

}  // namespace

Value conv2d(const Value& x, const Value& w, Conv2dOptions options) {
  check_images("conv2d", x, w, options);
  ConvCall call = call_of(ConvProduct::Output, x.shape(), w.shape(), x.placement().dtype, options);
  if (x.dim(1) != w.dim(1) || call.out_height() < 1 || call.out_width() < 1) {
    refuse("conv2d", "x [N, C, H, W] and w [K, C, h, w] no larger than the padded x", x, w, options);
  }
  call.x = x.tensor().data();
  call.w = w.tensor().data();
  Tensor y = run(call, {call.images, call.out_channels, call.out_height(), call.out_width()}, x.placement());
  return Value::result(
      std::move(y), {x, w}, [options](std::size_t index, const Value& g, const Values& inputs, const Value&) {
        return index == 0 ? conv_transpose2d(g, inputs[1], options) : conv2d_filter(inputs[0], g, options);
      });
}

Value conv_transpose2d(const Value& y, const Value& w, Conv2dOptions options) {
  check_images("conv_transpose2d", y, w, options);
  const Shape x{y.dim(0), w.dim(1), y.dim(2) + w.dim(2) - 1 - 2 * options.padding[0],
                y.dim(3) + w.dim(3) - 1 - 2 * options.padding[1]};
  if (y.dim(1) != w.dim(0) || x[2] < 1 || x[3] < 1) {
    refuse("conv_transpose2d", "y [N, K, H', W'] and w [K, C, h, w] whose result is not cropped away", y, w,
           options);
  }
  ConvCall call = call_of(ConvProduct::Input, x, w.shape(), y.placement().dtype, options);
  call.y = y.tensor().data();
  call.w = w.tensor().data();
  return Value::result(run(call, x, y.placement()), {y, w},
                       [options](std::size_t index, const Value& g, const Values& inputs, const Value&) {
                         return index == 0 ? conv2d(g, inputs[1], options)
                                           : conv2d_filter(g, inputs[0], options);
                       });
}

Value conv2d_filter(const Value& x, const Value& y, Conv2dOptions options) {
  check_images("conv2d_filter", x, y, options);
  const Shape w{y.dim(1), x.dim(1), x.dim(2) + 2 * options.padding[0] - y.dim(2) + 1,
                x.dim(3) + 2 * options.padding[1] - y.dim(3) + 1};
  if (x.dim(0) != y.dim(0) || w[2] < 1 || w[3] < 1) {
    refuse("conv2d_filter", "x [N, C, H, W] and y [N, K, H', W'] no larger than the padded x", x, y, options);
  }
  ConvCall call = call_of(ConvProduct::Filter, x.shape(), w, x.placement().dtype, options);
  call.x = x.tensor().data();
  call.y = y.tensor().data();
  return Value::result(run(call, w, x.placement()), {x, y},
                       [options](std::size_t index, const Value& g, const Values& inputs, const Value&) {
                         return index == 0 ? conv_transpose2d(inputs[1], g, options)
                                           : conv2d(inputs[0], g, options);
                       });
}

}  // namespace basin
