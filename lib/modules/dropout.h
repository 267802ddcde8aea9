#pragma once

#include "modules/module.h"

namespace basin {

/// With a key in the context, each element is dropped with probability `rate` and what stays is scaled by 1 /
/// (1 - rate), so that the mean is kept; without a key, the identity.
///
/// Throws Error unless 0 <= rate < 1.
/// Reference: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, "Dropout", section 10 (inverted
/// scaling).
class Dropout final : public Module {
 public:
  explicit Dropout(double rate);

  Value forward(const Value& x, const Context& context = {}) const override;

 private:
  double rate_;
};

}  // namespace basin
