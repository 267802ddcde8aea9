#pragma once

#include <optional>

#include "modules/module.h"

namespace basin {

struct LayerNormOptions {
  double epsilon = 1e-5;  // added to variances
  bool affine = true;     // with a scale and a shift
  Placement placement = {};
};

/// y = scale (x - m) / sqrt(v + epsilon) + shift, m and v mean and variance of the last axes of one sample: x
/// [.., shape...], scale and shift of that shape.
///
/// Parameters "scale" (starts at 1) and "shift" (0). forward throws Error where x does not end in the shape.
/// Reference: Ba, Kiros, Hinton 2016, "Layer normalization", eq. 3.
class LayerNorm final : public Module {
 public:
  explicit LayerNorm(Shape shape, LayerNormOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;

 private:
  Shape shape_;
  LayerNormOptions options_;
  std::optional<Parameter> scale_, shift_;
};

}  // namespace basin
