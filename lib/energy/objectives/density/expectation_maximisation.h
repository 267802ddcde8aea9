#pragma once

#include <string>

#include "energy/objectives/objective.h"

namespace basin {

struct ExpectationMaximisationOptions {
  double rate = 1.0;             // of sliding statistics, in (0, 1]; 1: of the batch alone
  double least_variance = 1e-4;  // of a component, so that none falls upon a sample
};

/// Mixtures of Gaussians without a learning rate: the free energy F(q, W) = E_q[E(x, z)] - H(q) of a
/// GaussianComponents is lowered over q, the responsibilities (evaluate()), then over its parameters, in
/// closed form (finish_step()):
///   pi_k = mean_n q_nk,   m_k = sum_n q_nk x_n / sum_n q_nk,   the variances likewise.
/// With all samples in a batch and rate 1 the likelihood never falls; with smaller batches the statistics
/// slide (stepwise EM). A component that no sample is near stays as it is. There are no gradients.
///
/// Metrics: "loss", -mean log p(x). Carry: "em.weight", "em.mean", "em.square". Throws Error unless the graph
/// is one GaussianComponents.
/// Reference: Neal, Hinton 1998, "A view of the EM algorithm that justifies incremental, sparse, and other
/// variants"; Cappe, Moulines 2009, "On-line expectation-maximization".
class ExpectationMaximisation final : public Objective {
 public:
  explicit ExpectationMaximisation(ExpectationMaximisationOptions options = {});

  std::string name() const override { return "em"; }
  std::string unit() const override { return "nats"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  void finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                   const std::vector<bool>& wants = {}) const override;

 private:
  ExpectationMaximisationOptions options_;
};

}  // namespace basin
