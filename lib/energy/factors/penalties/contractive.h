#pragma once

#include <memory>
#include <string>
#include <vector>

#include "energy/factor.h"
#include "energy/fuse.h"
#include "modules/module.h"

namespace basin {

struct ContractiveOptions {
  double weight = 0.1;
  Fuse fuse = Fuse::Auto;  // the rule "contraction"
};

/// E(x) = weight |dh/dx|_F^2 for an encoder h(x), any Module: a code that moves little where x moves, except
/// as the rest of the energy asks. In general by one vector-Jacobian product a code, a batch of them at a
/// time; they are differentiable, so that the energy is. The rule "contraction" has the closed form (eq. 3)
/// of one sigmoid or tanh layer: no second differentiation. Parameters "<x>.<name>", those of the encoder:
/// share it with a reconstruction. The encoder's own noise (Dropout) is off in it. Throws Error for a weight
/// < 0. Reference: Rifai, Vincent, Muller, Glorot, Bengio 2011, "Contractive auto-encoders", eq. 1 and 3.
class Contractive final : public Factor {
 public:
  Contractive(Variable x, std::shared_ptr<const Module> encoder, ContractiveOptions options = {});

  std::string name() const override { return "Contractive(" + variable_.name + ")"; }
  std::vector<Variable> scope() const override { return {variable_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Any; }
  std::vector<Parameter> parameters() const override;
  Rules rules() const override;

 private:
  Variable variable_;
  std::shared_ptr<const Module> encoder_;
  ContractiveOptions options_;
};

}  // namespace basin
