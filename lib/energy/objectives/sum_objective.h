#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "energy/objectives/held_loss.h"

namespace basin {

/// sum_i weight_i loss_i of objectives over one graph, each on the batch of the source it names: labelled and
/// unlabelled samples, a generative and a discriminative term (Larochelle, Bengio 2008), a penalty beside a
/// likelihood. Gradients are concatenated (dense parts added, outer products side by side, so that the
/// optimizer's gemm still writes into the parameters).
///
/// Term i draws under key.fold(i) and keeps its carry under "<i>.". Metrics: "loss", the weighted sum, and
/// "<i>.<metric>" of every term. Parameters that terms own follow the graph's, in order of the terms.
class SumObjective final : public Objective, public HoldsStates {
 public:
  struct Term {
    template <std::derived_from<Objective> O>
    Term(double weight, O objective, std::size_t source = 0)
        : Term(weight, std::make_shared<const O>(std::move(objective)), source) {}
    Term(double weight, std::shared_ptr<const Objective> objective, std::size_t source = 0)
        : weight(weight), objective(std::move(objective)), source(source) {}

    double weight;
    std::shared_ptr<const Objective> objective;
    std::size_t source;
  };

  /// Throws Error when there is no term, a null one, one object twice (a term needs a workspace of its own),
  /// or a weight that is not finite.
  explicit SumObjective(std::vector<Term> terms);

  std::string name() const override;  // "cd-1 + 0.1 contrast"
  std::string unit() const override;  // of its terms, where they have one
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  /// Throws Error when a term's source has no batch.
  Evaluation evaluate_all(const FactorGraph& graph, std::span<const State> batches, Carry& carry, Key key,
                          EvaluateOptions options = {}) const override;
  void finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                   const std::vector<bool>& wants = {}) const override;
  void finish_all(const FactorGraph& graph, std::span<const State> batches, Carry& carry, Key key,
                  const std::vector<bool>& wants = {}) const override;
  std::vector<Parameter> parameters() const override;
  Rules rules(const FactorGraph& graph) const override;
  HeldLoss held_loss(const FactorGraph& graph, std::span<const State> batches, const Carry& carry,
                     Key key) const override;

 private:
  template <class Part>
  void for_each_term(const FactorGraph& graph, Carry& carry, const std::vector<bool>& wants, Part part) const;

  std::vector<Term> terms_;
};

}  // namespace basin
