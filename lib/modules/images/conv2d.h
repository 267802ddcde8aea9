#pragma once

#include <array>

#include "autograd/ops.h"
#include "modules/images/connections.h"
#include "modules/initializer.h"
#include "modules/module.h"

namespace basin {

struct ConvOptions {
  std::array<Index, 2> padding = {0, 0};  // zeros above and below, left and right; h - 1 and w - 1 is "full"
  std::array<Index, 2> stride = {1, 1}, dilation = {1, 1};
  Index groups = 1;  // divides both numbers of channels: a part of the outputs sees a part of the inputs
  std::array<Index, 2> output_padding = {0, 0};  // of ConvTranspose2d alone, below the stride
  Connections connections = {};                  // of Conv2d alone: the inputs that each output sees
  bool bias = true;
  Initializer initializer = {};
  Placement placement = {};

  /// What the op is told.
  Conv2dOptions op() const {
    return {.padding = padding, .stride = stride, .dilation = dilation, .groups = groups};
  }
};

/// y[n,k] = sum_c W[k,c] correlated with x[n,c], + b[k]:  x [N, C, H, W], W [K, C / groups, h, w], b [K], y
/// [N, K, H', W'], H' = floor((H + 2p - d (h - 1) - 1) / s) + 1. With connections, W[k,c] counts as 0 where
/// output k does not see input c, and starts there.
///
/// Parameters "weight" and "bias" (starts at zero); the initializer counts C / groups h w inputs and K
/// outputs. The constructor throws Error when an extent is below 1 or a table does not fit, forward when x
/// does not.
class Conv2d final : public Module {
 public:
  Conv2d(Index in_channels, Index out_channels, std::array<Index, 2> filter, Key key,
         ConvOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;
  bool is_affine() const override { return true; }

  const Parameter& weight() const { return weight_; }
  const std::optional<Parameter>& bias() const { return bias_; }
  const ConvOptions& options() const { return options_; }
  /// The correlation alone.
  Value without_bias(const Value& x) const;

 private:
  ConvOptions options_;
  Parameter weight_;
  std::optional<Parameter> bias_;
  Tensor mask_;  // [K, C, 1, 1], 1 where output k sees input c; undefined: everywhere
};

/// The transpose of such a correlation, a decoder that sets filters down where codes are:  y[n,c] = sum_k
/// z[n,k] convolved with W[k,c], + b[c], cropped by p:  z [N, K, H, W], W [K, C / groups, h, w], b [C], y [N,
/// C, s (H - 1) + d (h - 1) + 1 - 2p + output_padding, the same of W]. Padding h - 1 leaves the part of the
/// image that whole filters cover ("valid").
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
  const ConvOptions& options() const { return options_; }
  std::array<Index, 2> padding() const { return options_.padding; }

 private:
  ConvOptions options_;
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace basin
