#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "energy/factor.h"
#include "modules/module.h"

namespace basin {

struct ChainOptions {
  /// Gives A_t of every step, as many numbers as [T - 1, K, K], from the source; none: one parameter [K, K]
  /// for all.
  std::shared_ptr<const Module> pairwise = nullptr;
};

/// E(x, s) = -sum_t u_t.x_t - sum_t x_t' A_t x_t+1 over one-hot codes x [T, K] of a sequence: a linear-chain
/// conditional random field where a module gives the scores u [N, T, K] from a source s, a Markov chain where
/// they are a parameter "<x>.unary" [T, K]. "<x>.pairwise" [K, K] likewise; both are zeros at first (CPU,
/// f32). The modules' parameters are "<s>.<x>.<name>" and "<s>.<x>.pairwise.<name>". Sums end at the
/// context's lengths; what x holds beyond is not read. Throws Error unless x is categorical, [T, K], and a
/// module's output fits. Reference: Lafferty, McCallum, Pereira 2001, "Conditional random fields".
class Chain final : public Factor {
 public:
  explicit Chain(Variable x);
  Chain(Variable x, std::shared_ptr<const Module> unary, Variable source, ChainOptions options = {});
  template <std::derived_from<Module> M>
  Chain(Variable x, M unary, Variable source, ChainOptions options = {})
      : Chain(std::move(x), std::make_shared<const M>(std::move(unary)), std::move(source),
              std::move(options)) {}

  std::string name() const override;
  std::vector<Variable> scope() const override;
  Value energy(const State& state) const override;
  std::vector<Parameter> parameters() const override;
  /// Chain in x; in the source affine where all modules are.
  Order order_in(const Variable& variable) const override;
  Block sequences() const override { return {variable_}; }
  ChainScores chain_scores(const Variable& variable, const State& rest) const override;

 private:
  Variable variable_;
  std::optional<Variable> source_;
  std::shared_ptr<const Module> unary_module_, pairwise_module_;
  std::optional<Parameter> unary_, pairwise_;
};

}  // namespace basin
