#pragma once

#include <memory>
#include <string>

#include "energy/objectives/objective.h"
#include "modules/module.h"

namespace basin {

struct ActivitySparsityOptions {
  double target = 0.05;  // rho, in (0, 1)
  double cost = 1.0;
};

/// loss = cost sum_j KL(rho || mean_n h_j(x_n)): codes in (0, 1) that are on as often as wanted, over a
/// batch. A term beside a reconstruction (SumObjective): it mixes samples, as no factor may. Means within
/// 1e-6 of 0 or 1 are cut there. Parameters are those of the graph that the encoder shares. Metrics: "loss".
/// Throws Error for a slice of a batch (EvaluateOptions::reduce). Reference: Ng 2011, "Sparse autoencoder",
/// CS294A lecture notes; Lee, Ekanadham, Ng 2008.
class ActivitySparsity final : public Objective {
 public:
  /// Of a module that gives codes of x. Throws Error for no encoder, a target that is no share or a cost
  /// below 0.
  ActivitySparsity(Variable x, std::shared_ptr<const Module> encoder, ActivitySparsityOptions options = {});

  std::string name() const override { return "activity_sparsity"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  Variable x_;
  std::shared_ptr<const Module> encoder_;
  ActivitySparsityOptions options_;
};

}  // namespace basin
