#pragma once

#include <string>

#include "energy/objectives/objective.h"

namespace basin {

struct SequenceEnergyOptions {
  /// Sequences are parts of longer ones: a row whose sample follows that of the batch before (Context::ids,
  /// SampleOrder::Streams) starts from the state where that one ended, any other row from 0. Gradients end at
  /// the start (truncated back-propagation through time; Williams, Peng 1990).
  bool carried = false;
};

/// loss = sum_n E(x_n) / sum_n T_n: the mean energy of a step of a batch that clamps every variable, T_n the
/// steps of a sequence. Of StepLikelihood it is the mean negative log-likelihood of a symbol or frame.
/// Metrics: "loss". Carry, where carried: "stream.<parameter>" [N, S] of every recurrent module and
/// "stream.ids" [N]. Throws Error for a graph without sequences, and where samples have no numbers.
class SequenceEnergy final : public Objective {
 public:
  explicit SequenceEnergy(SequenceEnergyOptions options = {}) : options_(options) {}

  std::string name() const override { return "sequence_energy"; }
  std::string unit() const override { return "nats"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;

 private:
  SequenceEnergyOptions options_;
};

/// Steps of all sequences of a batch together. Throws Error when no variable of it is a sequence.
double step_count(const FactorGraph& graph, const State& batch);

/// A batch whose sequences go on from where the carry says, and the carry brought up to date with where an
/// energy of it has ended: what SequenceEnergy does around its energy, for whoever evaluates one.
State continued(const FactorGraph& graph, const State& batch, Carry& carry);
void keep_streams(const FactorGraph& graph, const State& batch, Carry& carry);

}  // namespace basin
