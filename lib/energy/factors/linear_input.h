#pragma once

#include <string>
#include <utility>
#include <vector>

#include "energy/factor.h"

namespace basin {

/// E(z, u) = -u.z: what one more input u, of z's shape, adds to every unit of z.
class LinearInput final : public Factor {
 public:
  LinearInput(Variable z, Variable u) : variable_(std::move(z)), input_(std::move(u)) {}
  std::string name() const override { return "Input(" + variable_.name + ")"; }
  std::vector<Variable> scope() const override { return {variable_, input_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Affine; }
  bool reads_context() const override { return false; }

 private:
  Variable variable_, input_;
};

}  // namespace basin
