#pragma once

#include <string>
#include <vector>

#include "energy/factor.h"
#include "tensor/key.h"

namespace basin {

struct BilinearOptions {
  double scale = 0.01;           // standard deviation of the initial weights
  std::string label = "weight";  // the parameter is "<v>.<h>.<label>"
};

/// E(v, h) = -v' W h over flattened values. Parameter "<v>.<h>.weight", [v.size(), h.size()], ~ N(0, scale^2)
/// drawn under `key` (CPU, f32 at first). One product serves the energy and its gradient by either side.
/// Throws Error when v and h are the same.
class Bilinear final : public Factor {
 public:
  Bilinear(Variable v, Variable h, Key key, BilinearOptions options = {});
  /// With a matrix [v.size(), h.size()] that another factor has, too. Throws Error for another shape.
  Bilinear(Variable v, Variable h, Parameter weight);

  std::string name() const override;
  std::vector<Variable> scope() const override { return {left_, right_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Affine; }
  bool reads_context() const override { return false; }
  std::vector<Parameter> parameters() const override { return {weight_}; }

  const Variable& left() const { return left_; }
  const Variable& right() const { return right_; }
  const Parameter& weight() const { return weight_; }

 private:
  Variable left_, right_;
  Parameter weight_;
};

}  // namespace basin
