#pragma once

#include "modules/initializer.h"
#include "modules/module.h"

namespace basin {

struct LinearOptions {
  bool bias = true;
  Initializer initializer = {};
  Placement placement = {};
};

/// y = x W + b, with x [.., in], W [in, out], b [out], y [.., out].
///
/// Parameters "weight" and "bias" (starts at zero). forward throws Error when the last axis of x is not `in`.
class Linear final : public Module {
 public:
  Linear(Index in, Index out, Key key, LinearOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;
  bool is_affine() const override { return true; }

  const Parameter& weight() const { return weight_; }
  /// The product alone.
  Value without_bias(const Value& x) const;
  const std::optional<Parameter>& bias() const { return bias_; }

 private:
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace basin
