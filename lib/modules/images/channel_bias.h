#pragma once

#include <optional>
#include <vector>

#include "autograd/ops.h"
#include "modules/parameter.h"

namespace basin {

/// What convolutions of any number of axes have in common: a number added to each channel of y [N, channels,
/// ...], or none.
inline std::optional<Parameter> channel_bias(Index channels, bool wanted, Placement placement) {
  if (!wanted) return std::nullopt;
  return Parameter("bias", Tensor::zeros({channels}, placement));
}

inline Value with_bias(const Value& y, const std::optional<Parameter>& bias) {
  if (!bias) return y;
  Shape shape(static_cast<std::size_t>(y.rank() - 1), 1);
  shape.front() = bias->tensor().size();
  return y + reshape(bias->value(), shape);
}

inline std::vector<Parameter> listed(const Parameter& weight, const std::optional<Parameter>& bias) {
  std::vector<Parameter> result{weight};
  if (bias) result.push_back(*bias);
  return result;
}

}  // namespace basin
