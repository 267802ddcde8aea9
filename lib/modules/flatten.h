#pragma once

#include "autograd/ops.h"
#include "modules/module.h"

namespace basin {

/// Samples of any shape as rows: [N, ...] -> [N, features].
class Flatten final : public Module {
 public:
  Value forward(const Value& x, const Context& /*nothing is drawn*/ = {}) const override {
    return flatten(x);
  }
  bool is_affine() const override { return true; }
};

}  // namespace basin
