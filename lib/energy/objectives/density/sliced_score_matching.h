#pragma once

#include <string>

#include "energy/objectives/objective.h"

namespace basin {

/// How the square of a slice of the score is taken.
enum class SlicedSquare {
  Projected,  // 1/2 (v.dF/dx)^2
  Whole       // 1/2 |dF/dx|^2, its mean over directions: variance reduction
};

struct SlicedScoreMatchingOptions {
  Index projections = 1;  // M, directions a sample
  SlicedSquare square = SlicedSquare::Whole;
};

/// Score matching along random directions, for any number of dimensions:
///   loss = mean_n mean_m [ 1/2 |dF/dx|^2 - v' (d2F/dx2) v ],   v_nm = +-1 by fair coins,
/// or with 1/2 (v.dF/dx)^2. The mean over directions is the loss of ScoreMatching: consistent like it, at the
/// cost of M products with the Hessian.
///
/// Draws: of row n and direction m under key.fold("directions").fold(m). Metrics: "loss". Throws Error as
/// ScoreMatching does, for M below 1.
/// Reference: Song, Garg, Shi, Ermon 2019, "Sliced score matching", eq. 6 to 8.
class SlicedScoreMatching final : public Objective {
 public:
  explicit SlicedScoreMatching(Block x, SlicedScoreMatchingOptions options = {});

  std::string name() const override { return "sliced_score_matching"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  Block x_;
  SlicedScoreMatchingOptions options_;
};

}  // namespace basin
