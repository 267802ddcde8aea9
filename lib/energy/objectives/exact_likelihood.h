#pragma once

#include <memory>
#include <string>

#include "energy/objectives/objective.h"

namespace basin {

class LatentCheck;

/// Exact maximum likelihood of small graphs:   loss = mean F(v) + log Z,   the mean negative log-likelihood
/// in nats.
///
/// F sums out every variable that is not visible in closed form. log Z sums all states of `enumerated` with
/// `marginal` summed out in closed form (see log_partition_value): take the smaller side of an RBM as
/// `enumerated`. Metrics: "loss".
class ExactLikelihood final : public Objective {
 public:
  ExactLikelihood(Block visible, Block enumerated, Block marginal);

  std::string name() const override { return "exact"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  Block visible_, enumerated_, marginal_;
  std::shared_ptr<LatentCheck> check_data_, check_model_;
};

}  // namespace basin
