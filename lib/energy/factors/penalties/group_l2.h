#pragma once

#include <optional>
#include <string>
#include <vector>

#include "energy/factor.h"

namespace basin {

struct GroupL2Options {
  Index axis = -1;  // of a sample of z, along which neighbours form groups
};

/// E(z) = lambda sum_g |z_g|_2 over disjoint groups g of `group` neighbours along one axis of z (the last
/// unless said otherwise; the channels of maps [K, H, W] are axis 0): groups are used or silent as a whole.
/// Its prox is the group shrinkage
/// z_g max(0, 1 - step lambda / |z_g|), of a non-negative z that of max(0, z).
/// Throws Error for other domains, for lambda < 0, and unless the axis divides into such groups.
/// Reference: Yuan, Lin 2006, "Model selection and estimation in regression with grouped variables".
class GroupL2 final : public Factor {
 public:
  GroupL2(Variable z, Index group, double lambda, GroupL2Options options = {});

  std::string name() const override { return "GroupL2(" + variable_.name + ")"; }
  std::vector<Variable> scope() const override { return {variable_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Any; }
  bool convex_in(const Variable& /*variable*/) const override { return true; }
  bool reads_context() const override { return false; }
  bool smooth_in(const Variable& variable) const override { return !(variable == variable_); }
  std::optional<Value> prox(const Variable& variable, const Value& value, const Value& step) const override;
  bool separable_in(const Variable& variable) const override { return !(variable == variable_); }
  /// max_g |u_g| / lambda, of a non-negative z that of max(0, u); nullopt for lambda = 0.
  std::optional<Value> dual_norm(const Variable& variable, const Value& u) const override;
  double strength() const override { return lambda_; }

 private:
  /// [N, before, groups, group, after].
  Value grouped(const Value& x) const;
  /// |x_g|, [N, before, groups, 1, after].
  Value norms(const Value& groups) const;

  Variable variable_;
  Index group_;
  double lambda_;
  std::size_t axis_;
};

}  // namespace basin
