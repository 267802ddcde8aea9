#pragma once

#include <string>

#include "energy/objectives/objective.h"

namespace basin {

struct PseudoLikelihoodLossOptions {
  Index bits = 0;  // flipped in each sample: so many, drawn anew at each step, in the place of all (0)
};

/// Minus the log pseudo-likelihood of bits, each given all others, which log Z drops out of:
///   loss = - mean_n sum_i log p(x_i | x_-i) = mean_n sum_i softplus(F(x) - F(x with bit i flipped)),
/// latents summed out, other variables of the batch clamped. Consistent: its minimum is the model that made
/// the data. N times bits evaluations of F; with `bits` fewer, and the same gradient on average. The measure
/// pseudo_likelihood() (energy/likelihood/) estimates the same number of a trained model.
///
/// Metrics: "loss". Throws Error for values that are no bits.
/// Reference: Besag 1975, "Statistical analysis of non-lattice data".
class PseudoLikelihoodLoss final : public Objective {
 public:
  explicit PseudoLikelihoodLoss(Block x, PseudoLikelihoodLossOptions options = {});

  std::string name() const override { return "pseudo_likelihood"; }
  std::string unit() const override { return "nats"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  Block x_;
  PseudoLikelihoodLossOptions options_;
};

}  // namespace basin
