#pragma once

#include "energy/objectives/contrast.h"

namespace basin {

/// -log p(freed | the rest of the batch), exactly:   loss = mean F(batch) - mean F(clamped)   with `freed`
/// summed out of the second too: E(x, y) - F(x) of a classifier without latents, of a chain of labels, of an
/// RBM that holds a label. Dropout draws one mask for both.
inline Contrast ConditionalLikelihood(Block freed, ContrastOptions options = {}) {
  return {std::move(freed), Exact{}, Exact{}, options};
}

/// Exact maximum likelihood of small graphs:   loss = mean F(v) + log Z,   the mean negative log-likelihood
/// in nats.
class ExactLikelihood final : public Objective {
 public:
  explicit ExactLikelihood(Block visible) : contrast_(std::move(visible), Exact{}, Exact{}) {}

  std::string name() const override { return "exact"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override {
    return contrast_.evaluate(graph, batch, carry, key, std::move(options));
  }

 private:
  Contrast contrast_;
};

}  // namespace basin
