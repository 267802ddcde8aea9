#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "energy/minimise/infer.h"
#include "energy/objectives/held_loss.h"
#include "energy/objectives/latents/online_dictionary.h"

namespace basin {

struct LatentMinimumOptions {
  InferOptions infer = {};
  /// Where inference starts, given the batch: an encoder's guess. Empty: zeros.
  std::function<Value(const State& batch)> start = {};
  /// The energy that inference minimises, over the same variables, where that is not the graph's own: a graph
  /// without the factors that only learn from z*, such as an encoder that predicts it.
  std::optional<FactorGraph> inferred_by = {};
  /// Parameters (by name) whose rows, slices along the first axis, are scaled back to norm 1 after every
  /// step: dictionary atoms, filters (see energy/minimise/dictionary.h).
  std::vector<std::string> unit_norm = {};
  /// An atom of those that no sample of the last `dead_after` steps has used becomes a sample of the batch
  /// (a random patch of it for filters), scaled to norm 1; 0 = never.
  Index dead_after = 0;
  /// A dictionary that moves by a step of its own instead of a gradient.
  std::optional<OnlineDictionary> online = {};
};

/// Lowers mean_n min_z E(y_n, z): infers z* of each sample, then the gradient is dE/dW at z* (envelope
/// theorem). With SquaredError + L1 this is sparse coding, with a prediction term predictive sparse
/// decomposition; no formula per model. Factors that do not read z take no part, nor do their parameters.
///
/// Metrics: "loss", "unconverged" (fraction), "gap" (mean of the criterion that inference stopped by),
/// "steps" (mean), "active" (fraction of codes other than 0). Carry: "idle.<z>", the batches since each
/// atom was used, where idle atoms are replaced, and that of OnlineDictionary.
class LatentMinimum final : public Objective, public HoldsStates {
 public:
  /// Throws Error when an idle atom should be replaced and no parameter is named in unit_norm, and unless
  /// online.forget >= 0.
  LatentMinimum(Variable z, std::shared_ptr<const Transition> transition, LatentMinimumOptions options = {});

  std::string name() const override { return "latent_minimum"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  void finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                   const std::vector<bool>& wants = {}) const override;
  Rules rules(const FactorGraph& graph) const override;
  /// At z*, held (envelope theorem).
  HeldLoss held_loss(const FactorGraph& graph, std::span<const State> batches, const Carry& carry,
                     Key key) const override;

  /// z* of a batch, as evaluate() finds it.
  Inferred minimum(const FactorGraph& graph, const State& batch, Key key) const;

  const Variable& variable() const { return z_; }
  const LatentMinimumOptions& options() const { return options_; }

 private:
  Variable z_;
  std::shared_ptr<const Transition> transition_;
  LatentMinimumOptions options_;
};

}  // namespace basin
