#pragma once

#include <string>

#include "energy/objectives/objective.h"

namespace basin {

struct MinimumProbabilityFlowOptions {
  Index bits = 0;  // flipped in each sample: so many, drawn anew at each step, in the place of all (0)
};

/// Minimum probability flow of bits: how fast probability would leave the samples for the states one flip
/// away,
///   loss = mean_n sum_i exp(1/2 [F(x) - F(x with bit i flipped)]),
/// latents summed out, other variables of the batch clamped. Consistent: its minimum is the model that made
/// the data. Flips that lead to other samples count too, so that the loss of a batch is a mean over rows.
///
/// Metrics: "loss". Throws Error for values that are no bits.
/// Reference: Sohl-Dickstein, Battaglino, DeWeese 2011, "New method for parameter estimation in probabilistic
/// models: minimum probability flow", eq. 3 and 4.
class MinimumProbabilityFlow final : public Objective {
 public:
  explicit MinimumProbabilityFlow(Block x, MinimumProbabilityFlowOptions options = {});

  std::string name() const override { return "minimum_probability_flow"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  Block x_;
  MinimumProbabilityFlowOptions options_;
};

}  // namespace basin
