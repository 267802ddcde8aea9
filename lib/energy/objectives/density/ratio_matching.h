#pragma once

#include <string>

#include "energy/objectives/objective.h"

namespace basin {

struct RatioMatchingOptions {
  Index bits = 0;  // flipped in each sample: so many, drawn anew at each step, in the place of all (0)
};

/// Ratio matching of bits: the ratios of probabilities of states one flip apart against those of the data,
/// which log Z drops out of,
///   loss = mean_n sum_i sigma(F(x) - F(x with bit i flipped))^2,
/// latents summed out, other variables of the batch clamped. Consistent: its minimum is the model that made
/// the data.
///
/// Metrics: "loss". Throws Error for values that are no bits.
/// Reference: Hyvarinen 2007, "Some extensions of score matching", eq. 17, with g(u) = 1 / (1 + u).
class RatioMatching final : public Objective {
 public:
  explicit RatioMatching(Block x, RatioMatchingOptions options = {});

  std::string name() const override { return "ratio_matching"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  Block x_;
  RatioMatchingOptions options_;
};

}  // namespace basin
