#pragma once

#include <memory>
#include <string>
#include <vector>

#include "energy/objectives/held_loss.h"

namespace basin {

/// An objective of a graph of its own as one of a host graph that shares parameters with it, so that it can
/// be a term of the host's SumObjective: reconstruction beside classification (Ranzato, Szummer 2008,
/// "Semi-supervised learning of compact document representations with deep networks", eq. 5).
///
/// The two are the same parameter where they are handles of one (modules/parameter.h). Those that the host
/// has not (a decoder's) are the objective's own, as "<prefix>.<name>"; those that the bound graph has not
/// take no gradient. Batches are the bound graph's.
class BoundObjective final : public Objective, public HoldsStates {
 public:
  /// `host`: the parameters of the graph that it will be evaluated with. Throws Error for a null objective
  /// and where no parameter is shared.
  BoundObjective(FactorGraph graph, std::shared_ptr<const Objective> objective, const std::string& prefix,
                 const std::vector<Parameter>& host);

  std::string name() const override { return objective_->name(); }
  std::string unit() const override { return objective_->unit(); }
  /// Throws Error when the graph has other parameters than the host that it was made for.
  Evaluation evaluate(const FactorGraph& host, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  Evaluation evaluate_all(const FactorGraph& host, std::span<const State> batches, Carry& carry, Key key,
                          EvaluateOptions options = {}) const override;
  void finish_step(const FactorGraph& host, const State& batch, Carry& carry, Key key,
                   const std::vector<bool>& wants = {}) const override;
  void finish_all(const FactorGraph& host, std::span<const State> batches, Carry& carry, Key key,
                  const std::vector<bool>& wants = {}) const override;
  HeldLoss held_loss(const FactorGraph& /*host*/, std::span<const State> batches, const Carry& carry,
                     Key key) const override {
    return basin::held_loss(*objective_, graph_, batches, carry, key);
  }
  std::vector<Parameter> parameters() const override { return own_; }
  Rules rules(const FactorGraph& /*host*/) const override { return objective_->rules(graph_); }

 private:
  /// What is wanted of the bound graph's, by what is of all.
  std::vector<bool> wanted_of(const std::vector<bool>& wants) const;
  void require(const FactorGraph& host) const;

  FactorGraph graph_;
  std::shared_ptr<const Objective> objective_;
  std::size_t host_count_;
  std::vector<std::size_t> where_;  // of the bound graph's parameters, then the objective's, among all
  std::vector<Parameter> own_;
};

}  // namespace basin
