#pragma once

#include <array>

#include "modules/initializer.h"
#include "modules/module.h"

namespace basin {

struct ConvOptions {
  std::array<Index, 2> padding = {0, 0};  // zeros above and below, left and right; h - 1 and w - 1 is "full"
  bool bias = true;
  Initializer initializer = {};
  Placement placement = {};
};

/// y[n,k] = sum_c W[k,c] correlated with x[n,c], + b[k]:  x [N, C, H, W], W [K, C, h, w], b [K], y [N, K, H +
/// 2p - h + 1, W + 2p - w + 1].
///
/// Parameters "weight" and "bias" (starts at zero); the initializer counts C h w inputs and K outputs. The
/// constructor throws Error when an extent is below 1, forward when x does not fit.
class Conv2d final : public Module {
 public:
  Conv2d(Index in_channels, Index out_channels, std::array<Index, 2> filter, Key key,
         ConvOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;
  bool is_affine() const override { return true; }

  const Parameter& weight() const { return weight_; }
  const std::optional<Parameter>& bias() const { return bias_; }
  std::array<Index, 2> padding() const { return padding_; }

 private:
  std::array<Index, 2> padding_;
  Parameter weight_;
  std::optional<Parameter> bias_;
};

/// The transpose of such a correlation, a decoder that sets filters down where codes are:  y[n,c] = sum_k
/// z[n,k] convolved with W[k,c], + b[c], cropped by p:  z [N, K, H, W], W [K, C, h, w], b [C], y [N, C, H + h
/// - 1 - 2p, W + w - 1 - 2p].
/// Padding h - 1 leaves the part of the image that whole filters cover ("valid").
///
/// Parameters "weight" and "bias" (starts at zero); the initializer counts K h w inputs and C outputs. Throws
/// Error like Conv2d.
class ConvTranspose2d final : public Module {
 public:
  ConvTranspose2d(Index in_channels, Index out_channels, std::array<Index, 2> filter, Key key,
                  ConvOptions options = {});

  Value forward(const Value& z, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;
  bool is_affine() const override { return true; }

  const Parameter& weight() const { return weight_; }
  const std::optional<Parameter>& bias() const { return bias_; }
  std::array<Index, 2> padding() const { return padding_; }

 private:
  std::array<Index, 2> padding_;
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace basin
