#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "autograd/ops.h"
#include "energy/graph.h"

namespace basin::test {

/// An energy by a function of the state.
class Formula final : public Factor {
 public:
  Formula(Block scope, std::function<Value(const State&)> formula)
      : scope_(std::move(scope)), formula_(std::move(formula)) {}
  std::string name() const override { return "Formula"; }
  std::vector<Variable> scope() const override { return scope_; }
  Value energy(const State& state) const override { return sum_per_sample(formula_(state)); }

 private:
  Block scope_;
  std::function<Value(const State&)> formula_;
};

}  // namespace basin::test
