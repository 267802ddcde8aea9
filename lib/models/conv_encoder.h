#pragma once

#include "models/encoder.h"
#include "modules/images/conv2d.h"

namespace basin {

/// g(y): code maps [N, K, H + h - 1, W + w - 1] of images y [N, C, H, W], or [N, H, W] of one channel, in one
/// pass, one code wherever a filter touches the image: a = W correlated with y (padding h - 1, w - 1), + b,
/// then encode(kind, a, s) with one s a map. Parameters "weight" [K, C, h, w], "bias", and "threshold"
/// (Shrinkage) or "gain" (Tanh). Reference: Kavukcuoglu, Sermanet, Boureau, Gregor, Mathieu, LeCun 2010,
/// "Learning convolutional feature hierarchies for visual recognition", sec. 2.2.
class ConvEncoder final : public Module {
 public:
  ConvEncoder(Index channels, Index maps, std::array<Index, 2> filter, Key key, EncoderOptions options = {});

  Value forward(const Value& y, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;

  EncoderKind kind() const { return kind_; }
  const Parameter& weight() const { return filters_.weight(); }
  /// The threshold or gain; none for Relu.
  const std::optional<Parameter>& scale() const { return scale_; }

 private:
  EncoderKind kind_;
  Conv2d filters_;
  std::optional<Parameter> scale_;
};

}  // namespace basin
