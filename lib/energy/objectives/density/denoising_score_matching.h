#pragma once

#include <string>

#include "energy/objectives/objective.h"

namespace basin {

struct DenoisingScoreMatchingOptions {
  double noise = 0.1;  // sigma
};

/// Denoising score matching: the slope at x + sigma n, n ~ N(0, 1), leads back to x,
///   loss = mean_n 1/2 | sigma dF/dx(x_n + sigma n_n) - n_n |^2,
/// Vincent's loss times sigma^2, so that it stays of one order whatever the noise. Its minimum is the data
/// smoothed with N(0, sigma^2), not the data: of a Gaussian of variance s^2 the model's is s^2 + sigma^2.
/// First derivatives alone, so that a kinked network will do.
///
/// Draws: key.fold("noise"). Metrics: "loss". Throws Error where x is not real, noise is no number above 0,
/// or a factor has a prox in x. Reference: Vincent 2011, "A connection between score matching and denoising
/// autoencoders", eq. 9.
class DenoisingScoreMatching final : public Objective {
 public:
  explicit DenoisingScoreMatching(Block x, DenoisingScoreMatchingOptions options = {});

  std::string name() const override { return "denoising_score_matching"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  Block x_;
  DenoisingScoreMatchingOptions options_;
};

}  // namespace basin
