#pragma once

#include <string>
#include <vector>

#include "energy/factor.h"
#include "tensor/key.h"

namespace basin {

/// E(x) = sum_j -log sigma'(s_j) - log |det W|,   s = W x + c,   -log sigma'(s) = s + 2 softplus(-s): square
/// independent component analysis with logistic sources (2 log cosh(s / 2) but for a constant). It is
/// normalised, log Z = 0: E(x) = -log p(x), and its mean over samples is what maximum likelihood lowers.
///
/// Parameters "<x>.unmixing" [x.size(), x.size()], rows the filters, the unit matrix and 0.1 times normal
/// draws at first, "<x>.offset" c, zeros at first (CPU, f32). Throws Error unless x is real, and where W has
/// no inverse. Reference: Bell, Sejnowski 1995, "An information-maximization approach to blind separation";
/// as likelihood: Cardoso 1997.
class IndependentComponents final : public Factor {
 public:
  IndependentComponents(Variable x, Key key);

  std::string name() const override { return "IndependentComponents(" + x_.name + ")"; }
  std::vector<Variable> scope() const override { return {x_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Any; }
  bool convex_in(const Variable& /*variable*/) const override { return true; }
  bool reads_context() const override { return false; }
  std::vector<Parameter> parameters() const override { return {unmixing_, offset_}; }

  const Parameter& unmixing() const { return unmixing_; }
  /// s = W x + c, [N, x.size()].
  Value sources(const Value& x) const;

 private:
  Variable x_;
  Parameter unmixing_, offset_;
};

}  // namespace basin
