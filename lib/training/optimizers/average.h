#pragma once

#include <vector>

#include "training/optimizers/optimizer.h"

namespace basin {

struct AverageOptions {
  double decay = 0.0;  // exponential: a <- decay a + (1 - decay) p, starting at p; 0: the plain mean (Polyak)
                       // of all updates since `from`
  double from = 0.5;   // fraction of training at which averaging begins
};

/// Averaged copies of parameters, for evaluation: noisy trainings such as PCD gain much likelihood from them.
/// State: "<parameter>", "count" [1]. Reference: Polyak, Juditsky 1992.
class Average {
 public:
  explicit Average(AverageOptions options = {});

  /// After every optimizer step.
  void update(const std::vector<Parameter>& parameters, const Position& position);
  /// Empty until averaging has begun.
  const NamedTensors& state() const { return state_; }
  void restore(const NamedTensors& state) { state_ = cloned(state); }

 private:
  AverageOptions options_;
  NamedTensors state_;
};

}  // namespace basin
