#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "energy/factor.h"
#include "modules/module.h"

namespace basin {

struct ScoreOptions {
  std::string label = "";  // the parameters become "<label>.<name>"; empty: the module's own names
};

/// E(y, x) = -y.f(x) over flattened values: a module's scores of what y may be. With one-hot y,
/// p(y | x) = softmax(f(x)), a classifier; F(x) = -log sum_y exp f_y(x). Throws Error at construction when
/// f's output does not fit y.
class Score final : public Factor {
 public:
  Score(Variable y, std::shared_ptr<const Module> f, Variable x, ScoreOptions options = {});
  template <std::derived_from<Module> M>
  Score(Variable y, M f, Variable x, ScoreOptions options = {})
      : Score(std::move(y), std::make_shared<const M>(std::move(f)), std::move(x), std::move(options)) {}

  std::string name() const override { return "Score(" + y_.name + ", " + x_.name + ")"; }
  std::vector<Variable> scope() const override { return {y_, x_}; }
  Order order_in(const Variable& variable) const override {
    return variable == y_ || module_->is_affine() ? Order::Affine : Order::Any;
  }
  Value energy(const State& state) const override;
  Block sequences() const override { return module_->ends_at_lengths() ? Block{x_} : Block{}; }
  std::vector<Parameter> parameters() const override;

  const Variable& target() const { return y_; }
  const Variable& source() const { return x_; }
  const Module& module() const { return *module_; }

 private:
  Variable y_;
  std::shared_ptr<const Module> module_;
  Variable x_;
  ScoreOptions options_;
};

}  // namespace basin
