#include "modules/normalisation/layer_norm.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "modules/normalisation/divisor.h"
#include "tensor/error.h"

namespace basin {

LayerNorm::LayerNorm(Shape shape, LayerNormOptions options) : shape_(std::move(shape)), options_(options) {
  if (shape_.empty() || *std::min_element(shape_.begin(), shape_.end()) < 1 || !is_divisor(options.epsilon)) {
    throw Error(
        fmt::format("[layer_norm] expected a shape of positive extents and a finite epsilon above 0 in "
                    "floats, received {} and {}",
                    to_string(shape_), options.epsilon));
  }
  if (!options.affine) return;
  scale_.emplace("scale", Tensor::full(shape_, 1.0, options.placement));
  shift_.emplace("shift", Tensor::zeros(shape_, options.placement));
}

Value LayerNorm::forward(const Value& x, const Context&) const {
  const Shape& all = x.shape();
  if (all.size() < shape_.size() || !std::equal(shape_.rbegin(), shape_.rend(), all.rbegin())) {
    throw Error(
        fmt::format("[layer_norm] expected a shape that ends in {}, received {}; change the layer's shape",
                    to_string(shape_), to_string(all)));
  }
  std::vector<Index> axes;
  for (Index axis = 1; axis <= static_cast<Index>(shape_.size()); ++axis) axes.push_back(-axis);
  const Value centred = x - mean(x, axes, {.keep = true});
  const Value y = centred / sqrt(mean(square(centred), axes, {.keep = true}) + options_.epsilon);
  return scale_ ? y * scale_->value() + shift_->value() : y;
}

std::vector<Parameter> LayerNorm::parameters() const {
  if (!scale_) return {};
  return {*scale_, *shift_};
}

}  // namespace basin
