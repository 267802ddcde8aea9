#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "energy/objectives/objective.h"

namespace basin {

/// An objective of what a function makes of the batch under the key of the step: values of latents that are
/// known in training, targets that are inferred. The function sees rows of a slice as those of the whole.
class Prepared final : public Objective {
 public:
  using Prepare = std::function<State(const State& batch, Key key)>;
  Prepared(std::shared_ptr<const Objective> objective, Prepare prepare)
      : objective_(std::move(objective)), prepare_(std::move(prepare)) {}

  std::string name() const override { return objective_->name(); }
  std::string unit() const override { return objective_->unit(); }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override {
    return objective_->evaluate(graph, prepare_(batch, key.fold("prepare")), carry, key, std::move(options));
  }
  void finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                   const std::vector<bool>& wants = {}) const override {
    objective_->finish_step(graph, prepare_(batch, key.fold("prepare")), carry, key, wants);
  }
  std::vector<Parameter> parameters() const override { return objective_->parameters(); }
  Rules rules(const FactorGraph& graph) const override { return objective_->rules(graph); }

 private:
  std::shared_ptr<const Objective> objective_;
  Prepare prepare_;
};

}  // namespace basin
