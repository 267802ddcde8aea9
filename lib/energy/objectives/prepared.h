#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "energy/objectives/held_loss.h"

namespace basin {

/// An objective of what a function makes of the (first) batch under the key of the step: values of latents
/// that are known in training, targets that are inferred. The function sees rows of a slice as those of the
/// whole.
class Prepared final : public Objective, public HoldsStates {
 public:
  using Prepare = std::function<State(const State& batch, Key key)>;
  Prepared(std::shared_ptr<const Objective> objective, Prepare prepare)
      : objective_(std::move(objective)), prepare_(std::move(prepare)) {}

  std::string name() const override { return objective_->name(); }
  std::string unit() const override { return objective_->unit(); }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override {
    return evaluate_all(graph, {&batch, 1}, carry, key, std::move(options));
  }
  Evaluation evaluate_all(const FactorGraph& graph, std::span<const State> batches, Carry& carry, Key key,
                          EvaluateOptions options = {}) const override {
    return objective_->evaluate_all(graph, prepared(batches, key), carry, key, std::move(options));
  }
  void finish_step(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                   const std::vector<bool>& wants = {}) const override {
    finish_all(graph, {&batch, 1}, carry, key, wants);
  }
  void finish_all(const FactorGraph& graph, std::span<const State> batches, Carry& carry, Key key,
                  const std::vector<bool>& wants = {}) const override {
    objective_->finish_all(graph, prepared(batches, key), carry, key, wants);
  }
  HeldLoss held_loss(const FactorGraph& graph, std::span<const State> batches, const Carry& carry,
                     Key key) const override {
    // What is prepared must live as long as the loss that is of it.
    const auto own = std::make_shared<const std::vector<State>>(prepared(batches, key));
    HeldLoss held = basin::held_loss(*objective_, graph, *own, carry, key);
    if (held.value) held.value = [own, value = std::move(held.value)] { return value(); };
    return held;
  }
  std::vector<Parameter> parameters() const override { return objective_->parameters(); }
  Rules rules(const FactorGraph& graph) const override { return objective_->rules(graph); }

 private:
  std::vector<State> prepared(std::span<const State> batches, Key key) const {
    std::vector<State> all(batches.begin(), batches.end());
    all.front() = prepare_(all.front(), key.fold("prepare"));
    return all;
  }

  std::shared_ptr<const Objective> objective_;
  Prepare prepare_;
};

}  // namespace basin
