#include "models/conv_encoder.h"

#include "autograd/ops.h"

namespace basin {

ConvEncoder::ConvEncoder(Index channels, Index maps, std::array<Index, 2> filter, Key key,
                         EncoderOptions options)
    : kind_(options.kind),
      filters_(channels, maps, filter, key.fold("filters"),
               {.padding = {filter[0] - 1, filter[1] - 1},
                .initializer = options.initializer,
                .placement = options.placement}) {
  if (kind_ != EncoderKind::Relu) {
    scale_.emplace(kind_ == EncoderKind::Shrinkage ? "threshold" : "gain",
                   Tensor::full({maps}, initial_scale(kind_), options.placement));
  }
}

Value ConvEncoder::forward(const Value& y, const Context& /*nothing is random*/) const {
  const Value scale = scale_ ? reshape(scale_->value(), {scale_->tensor().size(), 1, 1}) : Value();
  const Value maps = y.rank() == 3 ? reshape(y, {y.dim(0), 1, y.dim(1), y.dim(2)}) : y;
  return encode(kind_, filters_.forward(maps), scale);
}

std::vector<Parameter> ConvEncoder::parameters() const {
  std::vector<Parameter> all = filters_.parameters();
  if (scale_) all.push_back(*scale_);
  return all;
}

}  // namespace basin
