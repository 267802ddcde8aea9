#pragma once

#include <string>

#include "energy/objectives/objective.h"

namespace basin {

struct ScoreMatchingOptions {
  Index most_numbers = 64;  // of x, each of which costs a pass of differentiation
};

/// Score matching of real variables: the gradient field of the model's log-density against that of the data,
/// in which log Z has no part. With F the energy, latents summed out,
///   loss = mean_n [ 1/2 |dF/dx|^2 - sum_i d2F/dx_i^2 ]   at the samples x_n,
/// which is 1/2 E |dF/dx + d log p_data/dx|^2 but for a constant of the data. Its minimum is the model that
/// made them (consistent). Other variables of the batch are clamped; those it lacks are latent. Third
/// derivatives of F are taken: one more pass for each number of x.
///
/// Metrics: "loss". Throws Error where x is not real, has more numbers than `most_numbers` (take
/// SlicedScoreMatching), or where the energy has a kink in it.
/// Reference: Hyvarinen 2005, "Estimation of non-normalized statistical models by score matching", eq. 4.
class ScoreMatching final : public Objective {
 public:
  explicit ScoreMatching(Block x, ScoreMatchingOptions options = {});

  std::string name() const override { return "score_matching"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  Block x_;
  ScoreMatchingOptions options_;
};

}  // namespace basin
