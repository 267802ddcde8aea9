#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "energy/objectives/objective.h"

namespace basin {

struct MeanEnergyOptions {
  /// What becomes of a batch before its energy is taken, under the key of the step: corruption for denoising,
  /// targets that are inferred.
  std::function<State(const State& batch, Key key)> prepare = {};
};

/// loss = mean_n E(x_n) of a batch that clamps every variable: regression, auto-encoders, encoders trained on
/// codes. The energy must hold what is to be learnt (an energy that can be lowered without end, like that of
/// an RBM, is for ContrastiveDivergence).
/// Metrics: "loss".
class MeanEnergy final : public Objective {
 public:
  explicit MeanEnergy(MeanEnergyOptions options = {}) : options_(std::move(options)) {}

  std::string name() const override { return "mean_energy"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  MeanEnergyOptions options_;
};

}  // namespace basin
