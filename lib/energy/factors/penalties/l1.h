#pragma once

#include <optional>
#include <string>
#include <vector>

#include "energy/factor.h"

namespace basin {

/// E(z) = lambda sum_i |z_i| for a real z, lambda sum_i z_i for a non-negative one (where it is smooth, so
/// that conditionals and free energies may use it). Its prox is the shrinkage: sign(z) max(0, |z| - step
/// lambda), respectively max(0, z - step lambda).
/// Throws Error for other domains and for lambda < 0.
class L1 final : public Factor {
 public:
  L1(Variable z, double lambda);

  std::string name() const override { return "L1(" + variable_.name + ")"; }
  std::vector<Variable> scope() const override { return {variable_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override {
    return variable_.domain == Domain::NonNegative ? Order::Affine : Order::Any;
  }
  bool convex_in(const Variable& /*variable*/) const override { return true; }
  bool reads_context() const override { return false; }
  bool smooth_in(const Variable& variable) const override { return !(variable == variable_); }
  std::optional<Value> prox(const Variable& variable, const Value& value, const Value& step) const override;
  /// max_i |u_i| / lambda, respectively max_i max(0, u_i) / lambda; nullopt for lambda = 0.
  std::optional<Value> dual_norm(const Variable& variable, const Value& u) const override;
  double strength() const override { return lambda_; }

 private:
  Variable variable_;
  double lambda_;
};

}  // namespace basin
