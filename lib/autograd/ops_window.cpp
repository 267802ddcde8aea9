#include <fmt/format.h>

#include "autograd/indexed.h"
#include "autograd/ops.h"
#include "autograd/tensor_ops.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

/// The call without its operands. Throws Error for windows that do not fit.
WindowCall checked(const char* who, const Value& x, const Window2d& window) {
  const Tensor& images = raw::checked(who, x);
  WindowCall call{.dtype = images.dtype(),
                  .window_height = window.size[0],
                  .window_width = window.size[1],
                  .padding_y = window.padding[0],
                  .padding_x = window.padding[1],
                  .stride_y = window.stride[0] == 0 ? window.size[0] : window.stride[0],
                  .stride_x = window.stride[1] == 0 ? window.size[1] : window.stride[1]};
  constexpr Index kMost = Index{1} << 31;
  bool fits = images.rank() == 4;
  for (std::size_t i = 0; fits && i < 2; ++i) {
    fits = window.size[i] >= 1 && window.size[i] < kMost && window.stride[i] >= 0 &&
           window.stride[i] < kMost && window.padding[i] >= 0 && window.padding[i] < window.size[i] &&
           window.size[i] <= images.dim(static_cast<Index>(i) + 2) + 2 * window.padding[i];
  }
  if (!fits) {
    throw Error(
        fmt::format("[{}] expected [N, C, H, W] and windows no larger than the padded image, stride >= 0 and "
                    "padding below "
                    "the window's size, received {}, windows {} x {}, stride {} x {}, padding {} x {}",
                    who, to_string(images.shape()), window.size[0], window.size[1], window.stride[0],
                    window.stride[1], window.padding[0], window.padding[1]));
  }
  call.planes = images.dim(0) * images.dim(1);
  call.height = images.dim(2);
  call.width = images.dim(3);
  return call;
}

Shape pooled(const Tensor& x, const WindowCall& call) {
  return {x.dim(0), x.dim(1), call.out_height(), call.out_width()};
}

Tensor run(WindowCall call, WindowProduct product, const Tensor& x, Shape shape) {
  Tensor y(std::move(shape), x.placement());
  call.product = product;
  call.x = x.data();
  call.y = y.data();
  if (y.size() > 0) backend(x.device()).windows(call);
  return y;
}

/// One of the two pairs of transposes, Sum and Spread or Unfold and Fold, as an op whose rule is the other.
Value linear(const Value& x, const WindowCall& call, WindowProduct product, WindowProduct transpose,
             Shape shape) {
  return Value::result(run(call, product, x.tensor(), std::move(shape)), {x},
                       [=](std::size_t, const Value& g, const Values& inputs, const Value&) {
                         return linear(g, call, transpose, product, inputs[0].shape());
                       });
}

/// x^p of x >= 0.
Value power(const Value& x, double p) {
  const Tensor& from = x.tensor();
  return Value::result(raw::binary("power", Binary::Pow, from, Tensor::full({}, p, from.placement())), {x},
                       [p](std::size_t, const Value& g, const Values& inputs, const Value&) -> Value {
                         if (p == 0.0) return {};
                         return p == 1.0 ? g : g * (p * power(inputs[0], p - 1.0));
                       });
}

}  // namespace

MaxPooled max_pool2d(const Value& x, const Window2d& window) {
  WindowCall call = checked("max_pool2d", x, window);
  const Tensor& images = x.tensor();
  check_whole("max_pool2d", images.dtype(), call.height * call.width);
  const Tensor indices(pooled(images, call), images.placement());
  call.index = indices.data();
  Tensor y = run(call, WindowProduct::Max, images, indices.shape());
  const Indexing at{.outer = call.planes,
                    .middle = call.height * call.width,
                    .count = call.out_height() * call.out_width(),
                    .whole = images.shape(),
                    .chosen = indices.shape()};
  return {Value::result(std::move(y), {x},
                        [indices, at](std::size_t, const Value& g, const Values&, const Value&) {
                          return scattered(g, indices, at);
                        }),
          indices};
}

Value unpool2d(const Value& y, const Tensor& indices, std::array<Index, 2> size) {
  const Tensor& from = raw::checked("unpool2d", y);
  raw::checked("unpool2d", indices);
  raw::check_placements("unpool2d", from, indices);
  constexpr Index kMost = Index{1} << 31;
  if (from.rank() != 4 || indices.shape() != from.shape() || size[0] < 1 || size[1] < 1 || size[0] >= kMost ||
      size[1] >= kMost) {
    throw Error(
        fmt::format("[unpool2d] expected [N, C, H', W'], as many indices and a size of at least 1 x 1, "
                    "received {}, {} and "
                    "{} x {}; give what max_pool2d returned and the size of its input",
                    to_string(from.shape()), to_string(indices.shape()), size[0], size[1]));
  }
  check_indices("unpool2d", indices, size[0] * size[1]);
  return scattered(y, indices,
                   {.outer = from.dim(0) * from.dim(1),
                    .middle = size[0] * size[1],
                    .count = from.dim(2) * from.dim(3),
                    .whole = {from.dim(0), from.dim(1), size[0], size[1]},
                    .chosen = from.shape()});
}

Value sum_pool2d(const Value& x, const Window2d& window) {
  const WindowCall call = checked("sum_pool2d", x, window);
  return linear(x, call, WindowProduct::Sum, WindowProduct::Spread, pooled(x.tensor(), call));
}

Value average_pool2d(const Value& x, const Window2d& window) {
  const WindowCall call = checked("average_pool2d", x, window);
  return linear(x, call, WindowProduct::Sum, WindowProduct::Spread, pooled(x.tensor(), call)) *
         (1.0 / static_cast<double>(call.window_height * call.window_width));
}

Value lp_pool2d(const Value& x, const Window2d& window, double p) {
  if (!(p >= 1.0 && p < 1e3)) {
    throw Error(fmt::format("[lp_pool2d] expected 1 <= p < 1000, received {}; p = 2 is the usual", p));
  }
  const WindowCall call = checked("lp_pool2d", x, window);
  const Value powers = p == 2.0 ? square(x) : power(abs(x), p);
  const Value sums =
      linear(powers, call, WindowProduct::Sum, WindowProduct::Spread, pooled(x.tensor(), call));
  // The root has no slope at 0: there it is taken of 1 and dropped.
  const Value zero(raw::binary("lp_pool2d", Binary::Equal, sums.tensor(), zeros_like(sums).tensor()));
  return power(sums + zero, 1.0 / p) * (1.0 - zero);
}

Value log_sum_exp_pool2d(const Value& x, const Window2d& window, double beta) {
  if (!(beta > 0.0 && beta <= 1e6)) {
    throw Error(fmt::format("[log_sum_exp_pool2d] expected 0 < beta <= 1e6, received {}", beta));
  }
  Value places = windows2d(x * beta, window);
  if (window.padding[0] > 0 || window.padding[1] > 0) {
    const Value ones(Tensor::full({1, 1, x.dim(2), x.dim(3)}, 1.0, x.placement()));
    places = places + log(windows2d(ones, window));  // padding takes no part: log 0
  }
  return log_sum_exp(places, 2) * (1.0 / beta);
}

Value windows2d(const Value& x, const Window2d& window) {
  const WindowCall call = checked("windows2d", x, window);
  return linear(
      x, call, WindowProduct::Unfold, WindowProduct::Fold,
      {x.dim(0), x.dim(1), call.window_height * call.window_width, call.out_height(), call.out_width()});
}

}  // namespace basin
