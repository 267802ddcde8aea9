#pragma once

#include "modules/module.h"

namespace basin {

/// An elementwise nonlinearity without parameters: y = f(x), of the shape of x.
class Activation final : public Module {
 public:
  enum class Kind {
    Sigmoid,   // 1 / (1 + e^-x)
    Tanh,      // tanh x
    Softplus,  // log(1 + e^x)
    Relu       // max(0, x)
  };

  explicit Activation(Kind kind) : kind_(kind) {}

  Value forward(const Value& x, const Context& context = {}) const override;
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

}  // namespace basin
