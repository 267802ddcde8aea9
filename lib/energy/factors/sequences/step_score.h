#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "energy/factor.h"
#include "modules/module.h"

namespace basin {

struct StepScoreOptions {
  Index delay = 0;         // f sees x that many steps late, zeros before its first step
  std::string label = "";  // the parameters become "<label>.<name>"; empty: the module's own names
};

/// E(y, x) = -sum_t y_t . f(x)_t over the steps t of sequences y = (y_1, y_2, ...) [T, M_i] side by side,
/// with f a Module [N, T, ...] -> [N, T, sum of M_i]: biases of each step, of several variables at once, by
/// one evaluation. With a delay of 1 they say what the steps before make of this one. Nothing past the ends
/// of sequences counts. Throws Error at construction for targets that are none or no [steps, units] of as
/// many steps, where x is one of them, and where f's output does not fit.
class StepScore final : public Factor {
 public:
  StepScore(Block targets, std::shared_ptr<const Module> f, Variable x, StepScoreOptions options = {});
  template <std::derived_from<Module> M>
  StepScore(Block targets, M f, Variable x, StepScoreOptions options = {})
      : StepScore(std::move(targets), std::make_shared<const M>(std::move(f)), std::move(x),
                  std::move(options)) {}

  std::string name() const override;
  std::vector<Variable> scope() const override;
  Order order_in(const Variable& variable) const override {
    return !(variable == x_) || module_->is_affine() ? Order::Affine : Order::Any;
  }
  Value energy(const State& state) const override;
  Block sequences() const override { return module_->ends_at_lengths() ? Block{x_} : Block{}; }
  std::vector<Parameter> parameters() const override;

  /// f of every step, [N, T, sum of M_i].
  Value scores(const State& state) const;

  const Block& targets() const { return targets_; }
  const Variable& source() const { return x_; }
  const Module& module() const { return *module_; }

 private:
  Block targets_;
  std::shared_ptr<const Module> module_;
  Variable x_;
  StepScoreOptions options_;
};

}  // namespace basin
