#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "energy/factor.h"
#include "modules/module.h"

namespace basin {

struct StepLikelihoodOptions {
  Index delay = 0;  // f sees x that many steps late, zeros before its first step
};

/// E(y, x) = -sum_t log p(y_t | f(x)_t) over the steps t of each sequence, in nats, with f a Module
/// [N, T, ...] -> [N, T, numbers of y_t]:
///   categorical y [T, K]  log p = y.f - log sum_k exp f_k      one of K symbols
///   binary y [T, M]       log p = sum_m y f - log(1 + exp f)   notes of a piano roll
///   real y [T, M]         log p = -1/2 |y - f|^2 - M/2 log 2 pi   a normal density of unit variance
/// With y = x and a delay of 1 it is an autoregressive model of x, f of x_1 .. x_t-1. Nothing behind the
/// context's lengths counts. Its parameters become "<x>.<y>.<name>". Throws Error at construction when f's
/// output does not fit y, for a y that is non-negative or has no steps, and where f would see what it
/// predicts.
class StepLikelihood final : public Factor {
 public:
  StepLikelihood(Variable y, std::shared_ptr<const Module> f, Variable x, StepLikelihoodOptions options = {});
  template <std::derived_from<Module> M>
  StepLikelihood(Variable y, M f, Variable x, StepLikelihoodOptions options = {})
      : StepLikelihood(std::move(y), std::make_shared<const M>(std::move(f)), std::move(x), options) {}

  std::string name() const override { return "StepLikelihood(" + y_.name + ", " + x_.name + ")"; }
  std::vector<Variable> scope() const override;
  Value energy(const State& state) const override;
  Order order_in(const Variable& variable) const override;
  Block sequences() const override { return module_->ends_at_lengths() ? scope() : Block{y_}; }
  std::vector<Parameter> parameters() const override;

  /// f of every step, [N, T, numbers of y_t].
  Value scores(const State& state) const;
  /// -log p of every step by such scores, [N, T], 0 past the ends.
  Value step_energies(const State& state, const Value& scores) const;

  const Variable& target() const { return y_; }
  const Variable& source() const { return x_; }

 private:
  Variable y_;
  std::shared_ptr<const Module> module_;
  Variable x_;
  StepLikelihoodOptions options_;
};

}  // namespace basin
