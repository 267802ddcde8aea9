#pragma once

#include "modules/linear.h"

namespace basin {

/// y = x W' + b with the weight W [in, out] of another Linear: the decoder of an auto-encoder with tied
/// weights. x [.., out], b [in], y [.., in].
///
/// Parameters "weight" (the other's own) and "bias" (starts at zero). forward throws Error when the last axis
/// of x is not `out`.
class LinearTranspose final : public Module {
 public:
  explicit LinearTranspose(const Linear& other, LinearOptions options = {});

  Value forward(const Value& x, const Context& context = {}) const override;
  std::vector<Parameter> parameters() const override;
  bool is_affine() const override { return true; }

 private:
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace basin
