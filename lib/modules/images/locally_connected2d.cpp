#include "modules/images/locally_connected2d.h"

#include <fmt/format.h>

#include "tensor/error.h"

namespace basin {
namespace {

/// K, H', W'.
Shape output(std::array<Index, 3> image, Index channels, std::array<Index, 2> filter,
             const LocallyConnectedOptions& options) {
  Shape shape{channels, 0, 0};
  bool fits = image[0] >= 1 && channels >= 1;
  for (std::size_t i = 0; fits && i < 2; ++i) {
    const Index padded = image[i + 1] + 2 * options.padding[i];
    fits = filter[i] >= 1 && options.stride[i] >= 1 && options.padding[i] >= 0 &&
           options.padding[i] < filter[i] && filter[i] <= padded;
    if (fits) shape[i + 1] = (padded - filter[i]) / options.stride[i] + 1;
  }
  if (!fits) {
    throw Error(
        fmt::format("[locally_connected2d] expected extents and strides of at least 1, padding below the "
                    "filter's size and "
                    "a filter no larger than the padded image, received an image {}, {} outputs, a filter {} "
                    "x {}, stride "
                    "{} x {} and padding {} x {}",
                    to_string(Shape(image.begin(), image.end())), channels, filter[0], filter[1],
                    options.stride[0], options.stride[1], options.padding[0], options.padding[1]));
  }
  return shape;
}

/// One matrix a place.
Tensor weights(Index inputs, const Shape& out, Key key, const LocallyConnectedOptions& options) {
  const Index places = out[1] * out[2];
  std::vector<Value> parts;
  for (Index place = 0; place < places; ++place) {
    parts.emplace_back(options.initializer.weights(
        inputs, out[0], key.fold("weight").fold(static_cast<std::uint64_t>(place)), options.placement));
  }
  return stack(parts, 0).tensor();
}

}  // namespace

LocallyConnected2d::LocallyConnected2d(std::array<Index, 3> image, Index out_channels,
                                       std::array<Index, 2> filter, Key key, LocallyConnectedOptions options)
    : image_(image),
      window_{filter, options.stride, options.padding},
      out_(output(image, out_channels, filter, options)),
      weight_("weight", weights(image[0] * filter[0] * filter[1], out_, key, options)) {
  if (options.bias) bias_.emplace("bias", Tensor::zeros(out_, options.placement));
}

Value LocallyConnected2d::forward(const Value& x, const Context&) const {
  if (x.rank() != 4 || x.dim(1) != image_[0] || x.dim(2) != image_[1] || x.dim(3) != image_[2]) {
    throw Error(
        fmt::format("[locally_connected2d] expected [N, {}, {}, {}], received {}; its filters belong to "
                    "places, so that it takes images of one size",
                    image_[0], image_[1], image_[2], to_string(x.shape())));
  }
  const Index n = x.dim(0), places = out_[1] * out_[2];
  const Value windows = windows2d(x, window_);  // [N, C, h w, H', W']
  const Value rows = reshape(transpose(windows, {3, 4, 0, 1, 2}), {places, n, weight_.tensor().dim(1)});
  const Value y =
      reshape(transpose(matmul(rows, weight_.value()), {1, 2, 0}), {n, out_[0], out_[1], out_[2]});
  return bias_ ? y + bias_->value() : y;
}

std::vector<Parameter> LocallyConnected2d::parameters() const {
  std::vector<Parameter> result{weight_};
  if (bias_) result.push_back(*bias_);
  return result;
}

}  // namespace basin
