#pragma once

#include <map>
#include <string>
#include <vector>

#include "autograd/gradient.h"
#include "energy/transition.h"

namespace basin {

/// Tensors an objective keeps from step to step (PCD particles, fast weights, centring offsets): part of
/// every checkpoint.
using Carry = std::map<std::string, Tensor>;

struct Evaluation {
  std::vector<Gradient> gradients;        // of the loss, one per graph.parameters()
  std::map<std::string, double> metrics;  // "loss", "reconstruction_error", ...; filled only when asked for
};

struct EvaluateOptions {
  bool metrics = true;  // metrics cost a copy from the device
};

/// The gradient of a scalar `loss` in all parameters of the graph, with the metric "loss" where asked for.
Evaluation differentiate(const Value& loss, const FactorGraph& graph, EvaluateOptions options);

/// (graph, batch, carry, key) -> a scalar to lower, and its gradient.
class Objective {
 public:
  virtual ~Objective() = default;
  virtual std::string name() const = 0;
  virtual Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                              EvaluateOptions options = {}) const = 0;
  /// Called after the optimizer's step: brings parameters back to where the objective wants them (dictionary
  /// columns of norm 1), or moves those that it updates without a gradient (online dictionaries). Writes into
  /// the parameters' tensors in place.
  virtual void finish_step(const FactorGraph& /*graph*/, const State& /*batch*/, Carry& /*carry*/,
                           Key /*key*/) const {}
  /// Rewrite rules this objective used for this graph ("binary_bipartite"); empty on the generic path.
  virtual std::vector<std::string> rules(const FactorGraph& /*graph*/) const { return {}; }
};

}  // namespace basin
