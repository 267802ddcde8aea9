#pragma once

#include <optional>

#include "autograd/ops.h"
#include "modules/initializer.h"
#include "modules/module.h"

namespace basin {

struct Conv1dLayerOptions {
  Index padding = 0, stride = 1, dilation = 1, groups = 1;
  Index output_padding = 0;  // of ConvTranspose1d alone, below the stride
  bool bias = true;
  Initializer initializer = {};
  Placement placement = {};
};

/// Correlations along sequences, y[n,k] = sum_c W[k,c] correlated with x[n,c], + b[k]:  x [N, C, L], W [K, C
/// / groups, l], b [K], y [N, K, L'], L' = floor((L + 2p - d (l - 1) - 1) / s) + 1.
///
/// Parameters "weight" and "bias" (starts at zero). Throws Error like Conv2d.
class Conv1d final : public Module {
 public:
  Conv1d(Index in_channels, Index out_channels, Index filter, Key key, Conv1dLayerOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;
  bool is_affine() const override { return true; }

 private:
  Conv1dOptions options_;
  Parameter weight_;
  std::optional<Parameter> bias_;
};

/// The transpose of such a correlation:  z [N, K, L'], W [K, C / groups, l], b [C], y [N, C, s (L' - 1) + d
/// (l - 1) + 1 - 2p + output_padding]. Parameters and errors like Conv1d's.
class ConvTranspose1d final : public Module {
 public:
  ConvTranspose1d(Index in_channels, Index out_channels, Index filter, Key key,
                  Conv1dLayerOptions options = {});

  Value forward(const Value& z, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;
  bool is_affine() const override { return true; }

 private:
  Conv1dOptions options_;
  Index output_padding_;
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace basin
