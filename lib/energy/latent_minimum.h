#pragma once

#include <memory>
#include <string>
#include <vector>

#include "energy/infer.h"
#include "energy/objective.h"

namespace basin {

struct LatentMinimumOptions {
  InferOptions infer = {};
  /// Parameters (by name) whose slices along `atom_axis` are scaled back to norm 1 after every step: dictionary columns, filters.
  std::vector<std::string> unit_norm = {};
  /// A dictionary element that no sample of the last `dead_after` steps has used becomes a sample of the batch (a random patch of it
  /// for filters), scaled to norm 1; 0 = never.
  Index dead_after = 0;
};

/// Lowers mean_n min_z E(y_n, z): infers z* of each sample, then the gradient is dE/dW at z* (envelope theorem). With SquaredError + L1
/// this is sparse coding, with a prediction term predictive sparse decomposition; no formula per model.
///
/// Metrics: "loss", "unconverged" (fraction), "steps" (mean), "active" (fraction of codes other than 0). Carry: uses of the elements.
class LatentMinimum final : public Objective {
 public:
  LatentMinimum(Variable z, std::shared_ptr<const Transition> transition, LatentMinimumOptions options = {});

  std::string name() const override;
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key, EvaluateOptions options = {}) const override;
  void finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key) const override;
  std::vector<std::string> rules(const FactorGraph& graph) const override;

 private:
  Variable z_;
  std::shared_ptr<const Transition> transition_;
  LatentMinimumOptions options_;
};

}  // namespace basin
