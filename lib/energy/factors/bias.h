#pragma once

#include <string>
#include <vector>

#include "energy/factor.h"

namespace basin {

struct BiasOptions {
  std::string label = "bias";  // the parameter is "<v>.<label>"
};

/// E(v) = -b.v over flattened values. Parameter "<v>.bias", [v.size()], zeros at first (CPU, f32).
class Bias final : public Factor {
 public:
  explicit Bias(Variable v, BiasOptions options = {});
  /// With a vector [v.size()] that another factor has, too. Throws Error for another shape.
  Bias(Variable v, Parameter bias);

  std::string name() const override;
  std::vector<Variable> scope() const override { return {variable_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Affine; }
  bool reads_context() const override { return false; }
  std::vector<Parameter> parameters() const override { return {bias_}; }

  const Variable& variable() const { return variable_; }
  const Parameter& bias() const { return bias_; }

 private:
  Variable variable_;
  Parameter bias_;
};

}  // namespace basin
