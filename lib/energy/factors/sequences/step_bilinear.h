#pragma once

#include <string>
#include <vector>

#include "energy/factors/bilinear.h"

namespace basin {

/// E(v, h) = -sum_t v_t' W h_t over the steps t of two sequences [T, M] and [T, H], one W for all of them.
/// Parameter "<v>.<h>.weight", [M, H], ~ N(0, scale^2) drawn under `key` (CPU, f32 at first). Nothing past
/// the ends of sequences counts. Throws Error unless both are different variables [steps, units] of as many
/// steps.
class StepBilinear final : public Factor {
 public:
  StepBilinear(Variable v, Variable h, Key key, BilinearOptions options = {});

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
