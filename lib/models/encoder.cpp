#include "models/encoder.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "tensor/error.h"

namespace basin {

EncoderKind parse_encoder_kind(std::string_view name) {
  if (name == "shrinkage") return EncoderKind::Shrinkage;
  if (name == "tanh") return EncoderKind::Tanh;
  if (name == "relu") return EncoderKind::Relu;
  throw Error(fmt::format("[encoder] expected shrinkage, tanh or relu, received {}", name));
}

Value encode(EncoderKind kind, const Value& a, const Value& s) {
  switch (kind) {
    case EncoderKind::Shrinkage:
      return shrink(a, abs(s));
    case EncoderKind::Tanh:
      return s * tanh(a);
    case EncoderKind::Relu:
      break;
  }
  return relu(a);
}

double initial_scale(EncoderKind kind) { return kind == EncoderKind::Shrinkage ? 0.1 : 1.0; }

Encoder::Encoder(Index features, Index atoms, Key key, EncoderOptions options)
    : kind_(options.kind),
      filters_(features, atoms, key.fold("filters"),
               {.initializer = options.initializer, .placement = options.placement}) {
  if (kind_ != EncoderKind::Relu) {
    scale_.emplace(kind_ == EncoderKind::Shrinkage ? "threshold" : "gain",
                   Tensor::full({atoms}, initial_scale(kind_), options.placement));
  }
}

Value Encoder::forward(const Value& y, const Context& /*nothing is random*/) const {
  return encode(kind_, filters_.forward(flatten(y)), scale_ ? scale_->value() : Value());
}

std::vector<Parameter> Encoder::parameters() const {
  std::vector<Parameter> all = filters_.parameters();
  if (scale_) all.push_back(*scale_);
  return all;
}

}  // namespace basin
