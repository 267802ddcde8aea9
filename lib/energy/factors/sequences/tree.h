#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "energy/factor.h"
#include "modules/module.h"

namespace basin {

struct TreeOptions {
  /// Gives A_t of every position, as many numbers as [T, K, K], from the source (those of roots are not
  /// read); none: one parameter [K, K] for all.
  std::shared_ptr<const Module> pairwise = nullptr;
};

/// E(x, s) = -sum_t u_t.x_t - sum_t x_p(t)' A_t x_t over one-hot codes x [T, K] at the nodes of a tree, p(t)
/// the parent of t (below 0: a root; several make a forest): a conditional random field where a module gives
/// the scores u [N, T, K] from a source s, a Markov tree where they are a parameter "<x>.unary" [T, K].
/// "<x>.pairwise" [K, K], rows by the parent's code, likewise; both are zeros at first (CPU, f32). The
/// modules' parameters are "<s>.<x>.<name>" and "<s>.<x>.pairwise.<name>". Eliminated from the leaves to the
/// roots (tables.h). Throws Error unless x is categorical, [T, K], there is a parent for each of its
/// positions without a cycle, and a module's output fits. Reference: Pearl 1988, "Probabilistic reasoning in
/// intelligent systems"; LeCun et al. 2006, section 6.
class Tree final : public Factor {
 public:
  Tree(Variable x, std::vector<Index> parents);
  Tree(Variable x, std::vector<Index> parents, std::shared_ptr<const Module> unary, Variable source,
       TreeOptions options = {});
  template <std::derived_from<Module> M>
  Tree(Variable x, std::vector<Index> parents, M unary, Variable source, TreeOptions options = {})
      : Tree(std::move(x), std::move(parents), std::make_shared<const M>(std::move(unary)), std::move(source),
             std::move(options)) {}

  std::string name() const override;
  std::vector<Variable> scope() const override;
  Value energy(const State& state) const override;
  std::vector<Parameter> parameters() const override;
  /// Joint in x; in the source affine where all modules are.
  Order order_in(const Variable& variable) const override;
  std::shared_ptr<const Structure> structure(const Block& latents, const State& rest,
                                             double weight) const override;

 private:
  /// u [N, T, K] and A [1, 1, K, K] or [N, T, K, K].
  ChainScores scores(const State& rest) const;

  Variable variable_;
  std::vector<Index> parents_;
  std::optional<Variable> source_;
  std::shared_ptr<const Module> unary_module_, pairwise_module_;
  std::optional<Parameter> unary_, pairwise_;
};

}  // namespace basin
