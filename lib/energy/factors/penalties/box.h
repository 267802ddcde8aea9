#pragma once

#include <optional>
#include <string>
#include <vector>

#include "energy/factor.h"

namespace basin {

/// E(z) = 0 where low <= z_i <= high for every i, else infinity; its prox clips. Bounds may be infinite. Of a
/// non-negative z the lower bound is at least 0. Throws Error for other domains and unless low <= high.
class Box final : public Factor {
 public:
  Box(Variable z, double low, double high);

  std::string name() const override { return "Box(" + variable_.name + ")"; }
  std::vector<Variable> scope() const override { return {variable_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Any; }
  bool convex_in(const Variable& /*variable*/) const override { return true; }
  bool reads_context() const override { return false; }
  bool smooth_in(const Variable& variable) const override { return !(variable == variable_); }
  std::optional<Value> prox(const Variable& variable, const Value& value, const Value& step) const override;

 private:
  Value clipped(const Value& x) const;

  Variable variable_;
  double low_, high_;
};

}  // namespace basin
