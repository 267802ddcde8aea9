#pragma once

#include <memory>
#include <string>
#include <vector>

#include "energy/factor.h"
#include "modules/module.h"

namespace basin {

/// E(a, b, s) = s/2 D^2 + (1 - s)/2 max(0, m - D)^2 with D = |g(a) - g(b)| of a Module g, s = 1 for a pair
/// that belongs together and 0 for one that does not: low where codes of the first are near and those of the
/// second at least m apart. a and b of one shape, s of one binary number. Each goes through g with
/// noise of its own; D is sqrt(D^2 + 1e-12), which has a slope at 0. The module's parameters keep their
/// names. Throws Error for other variables and for m that is no positive number. Reference: Hadsell, Chopra
/// and LeCun 2006, "Dimensionality reduction by learning an invariant mapping", eq. 4 (DrLIM).
class PairContrast final : public Factor {
 public:
  PairContrast(Variable a, Variable b, Variable same, std::shared_ptr<const Module> g, double margin);

  std::string name() const override;
  std::vector<Variable> scope() const override { return {a_, b_, same_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& variable) const override {
    return variable == same_ ? Order::Affine : Order::Any;
  }
  std::vector<Parameter> parameters() const override { return g_->parameters(); }

 private:
  Variable a_, b_, same_;
  std::shared_ptr<const Module> g_;
  double margin_;
};

}  // namespace basin
