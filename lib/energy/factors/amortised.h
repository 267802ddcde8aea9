#pragma once

#include <memory>
#include <string>
#include <vector>

#include "energy/graph.h"
#include "modules/module.h"

namespace basin {

struct AmortisedOptions {
  bool train_graph =
      false;  // the graph's parameters belong to this factor too: encoder and dictionary learn together
};

/// E'(y) = E(y, z = f(y)): the energy of another graph where a module gives z, so that training f lowers the
/// energy itself, end to end, instead of the distance to codes found by inference. The graph is over y and z
/// alone; f maps [N, y.shape...] to as many numbers as z has. Parameters "<y>.<z>.<name>" of f, and the
/// graph's where they are trained. Throws Error when a shape does not fit.
class Amortised final : public Factor {
 public:
  /// `source` is y in the graph that this factor is added to, `y` and `z` are variables of `inner`.
  Amortised(Variable source, FactorGraph inner, Variable y, Variable z, std::shared_ptr<const Module> f,
            AmortisedOptions options = {});

  std::string name() const override { return "Amortised(" + source_.name + ")"; }
  std::vector<Variable> scope() const override { return {source_}; }
  Value energy(const State& state) const override;
  Order order_in(const Variable& /*variable*/) const override { return Order::Any; }
  std::vector<Parameter> parameters() const override;

 private:
  Variable source_;
  FactorGraph inner_;
  Variable y_, z_;
  std::shared_ptr<const Module> module_;
  AmortisedOptions options_;
};

}  // namespace basin
