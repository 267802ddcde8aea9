#pragma once

#include <array>
#include <optional>

#include "autograd/ops.h"
#include "modules/initializer.h"
#include "modules/module.h"

namespace basin {

struct LocallyConnectedOptions {
  std::array<Index, 2> stride = {1, 1}, padding = {0, 0};
  bool bias = true;
  Initializer initializer = {};
  Placement placement = {};
};

/// A convolution whose filters are not shared:
///   y[n,k,i,j] = sum_{c,u,v} W[i,j,c,u,v,k] x[n,c,s i + u - p,s j + v - p] + b[k,i,j]
/// with x [N, C, H, W] of one size, y [N, K, H', W'].
///
/// Parameters "weight" [H' W', C h w, K] and "bias" [K, H', W'] (starts at zero); the initializer counts C h
/// w inputs and K outputs. The constructor throws Error when an extent is below 1 or the filter does not fit
/// into the image, forward when x is not of that size.
class LocallyConnected2d final : public Module {
 public:
  LocallyConnected2d(std::array<Index, 3> image, Index out_channels, std::array<Index, 2> filter, Key key,
                     LocallyConnectedOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;
  bool is_affine() const override { return true; }

 private:
  std::array<Index, 3> image_;  // C, H, W
  Window2d window_;
  Shape out_;  // K, H', W'
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace basin
