#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autograd/gradient.h"
#include "energy/transition.h"

namespace basin {

/// Tensors an objective keeps from step to step (states of chains, fast weights, centring offsets): part of
/// every checkpoint.
using Carry = std::map<std::string, Tensor>;

/// The carried tensor of that name, converted to `placement` if it came from elsewhere; undefined when there
/// is none yet. Throws Error when a carried one has another shape.
Tensor recall(Carry& carry, const std::string& name, const Shape& shape, Placement placement);

/// What a batch says of a loss.
struct Evaluation {
  std::vector<Gradient> gradients;        // one per graph.parameters(), then per the objective's own
  std::map<std::string, double> metrics;  // "loss", "reconstruction_error", ...; only when asked for
};

struct EvaluateOptions {
  bool metrics = true;           // metrics cost a copy from the device
  std::vector<bool> wants = {};  // by position in Evaluation::gradients; empty: all. Others stay empty, and
                                 // cost nothing
  /// Where the batch is one slice of many (other processes have the rest): makes means over the `count` rows
  /// of this slice, in place, those over all slices, each weighted by its count. Every gradient goes through
  /// it, and before that every mean from which one is worked out or a carry is updated. Default: nothing.
  std::function<void(std::span<const Tensor> means, Index count)> reduce = {};
  /// Where training gathers what buffers of modules become. An objective that takes the energy of the batch
  /// in one pass, and of nothing else, makes that pass in this (observed()); others leave it empty.
  std::shared_ptr<Observations> observations = {};

  /// Throws Error where `wants` is shorter.
  bool wanted(std::size_t parameter) const;
};

/// The batch as the one pass of training sees it, where buffers are asked for.
State observed(const State& batch, const EvaluateOptions& options);
/// The same for one expansion of the energy in a block, whose places it fills with zeros: nothing is observed
/// where a module with buffers reads those (that of a Score reads its source alone).
State observed(const FactorGraph& graph, const Block& expanded, const State& batch,
               const EvaluateOptions& options);

/// Sends gradients of `parameters`, their products multiplied out, and other means through the hook; nothing
/// where there is none.
void reduce(const EvaluateOptions& options, const std::vector<Parameter>& parameters,
            std::vector<Gradient>& gradients, std::vector<Tensor> others, Index count);

/// The gradient of a scalar `loss`, a mean over `count` rows, in the given parameters, with the metric "loss"
/// where asked for.
Evaluation differentiate(const Value& loss, const std::vector<Parameter>& parameters, Index count,
                         const EvaluateOptions& options);
Evaluation differentiate(const Value& loss, const FactorGraph& graph, Index count,
                         const EvaluateOptions& options);

/// (graph, batch, carry, key) -> a scalar to lower, and its gradient.
class Objective {
 public:
  virtual ~Objective() = default;
  virtual std::string name() const = 0;
  /// Of the metric "loss": "nats" of likelihoods, energies of Gibbs distributions among them.
  virtual std::string unit() const { return "energy"; }
  virtual Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                              EvaluateOptions options = {}) const = 0;
  /// Called after the optimizer's step: brings parameters back to where the objective wants them (dictionary
  /// columns of norm 1), or moves those that it updates without a gradient (online dictionaries). Writes into
  /// the parameters' tensors in place, but not into those that are not wanted (EvaluateOptions::wants).
  virtual void finish_step(const FactorGraph& /*graph*/, const State& /*batch*/, Carry& /*carry*/,
                           Key /*key*/, const std::vector<bool>& /*wants*/ = {}) const {}

  /// The same where data come from several sources, one batch each: an objective of one takes the first.
  virtual Evaluation evaluate_all(const FactorGraph& graph, std::span<const State> batches, Carry& carry,
                                  Key key, EvaluateOptions options = {}) const {
    return evaluate(graph, batches.front(), carry, key, std::move(options));
  }
  virtual void finish_all(const FactorGraph& graph, std::span<const State> batches, Carry& carry, Key key,
                          const std::vector<bool>& wants = {}) const {
    finish_step(graph, batches.front(), carry, key, wants);
  }

  /// Parameters of the loss that no factor has (a learned log Z); their gradients follow the graph's.
  virtual std::vector<Parameter> parameters() const { return {}; }
  /// The rewrite rules that it uses for this graph, those of the graph's factors included.
  virtual Rules rules(const FactorGraph& graph) const { return graph.rules(); }
};

}  // namespace basin
