#pragma once

#include <memory>
#include <string>

#include "energy/objectives/objective.h"

namespace basin {

/// Another objective whose gradients in the parameters that are named "<prefix>..." are multiplied by a
/// factor: under plain gradient steps a learning rate of their own, for parts of a model whose energy is
/// curved differently (an encoder beside a dictionary).
class ScaledGradients final : public Objective {
 public:
  /// Throws Error when there is no objective, or unless the factor is finite and not negative.
  ScaledGradients(std::shared_ptr<const Objective> objective, std::string prefix, double factor);

  std::string name() const override { return objective_->name(); }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  void finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key) const override {
    objective_->finish_step(graph, batch, carry, key);
  }
  Rules rules(const FactorGraph& graph) const override { return objective_->rules(graph); }

 private:
  std::shared_ptr<const Objective> objective_;
  std::string prefix_;
  double factor_;
};

}  // namespace basin
