#pragma once

#include <string>

#include "energy/graph.h"
#include "energy/state.h"
#include "tensor/key.h"

namespace basin {

/// A density q(x) that is known exactly and sampled exactly: what noise-contrastive estimation tells the data
/// from.
class NoiseDensity {
 public:
  virtual ~NoiseDensity() = default;
  virtual std::string name() const = 0;
  virtual Block variables() const = 0;
  /// log q, [N], without history.
  virtual Value log_density(const State& state) const = 0;
  /// `rows` draws under a key; row n of a slice that begins at `first_row` draws what the whole would.
  virtual State draw(Index rows, Index first_row, Placement placement, Key key) const = 0;
};

/// q = exp(-E) / Z of a graph over variables that stand at the places (index) of the model's, summed and
/// drawn as eliminate/ does it: Gaussians, independent bits, chains, anything small. Its parameters are held.
class GraphDensity final : public NoiseDensity {
 public:
  /// Throws Error where a variable is not of the graph.
  GraphDensity(FactorGraph graph, Block x);

  std::string name() const override { return "graph"; }
  Block variables() const override { return x_; }
  Value log_density(const State& state) const override;
  State draw(Index rows, Index first_row, Placement placement, Key key) const override;
  const FactorGraph& graph() const { return graph_; }

 private:
  FactorGraph graph_;
  Block x_;
  Variable rows_;  // of no factor: so many draws are asked for
};

/// Uniform over the box [low, high] in every number of one real variable; outside it log q = -inf, and the
/// data may not lie there.
class UniformDensity final : public NoiseDensity {
 public:
  /// Throws Error unless x is real and low < high.
  UniformDensity(Variable x, double low, double high);

  std::string name() const override { return "uniform"; }
  Block variables() const override { return {x_}; }
  /// Throws Error where a row lies outside.
  Value log_density(const State& state) const override;
  State draw(Index rows, Index first_row, Placement placement, Key key) const override;

 private:
  Variable x_;
  double low_, high_;
};

/// A graph over the variables of another, without factors: where densities beside it are built.
FactorGraph over_same_variables(const FactorGraph& graph);
/// Every number of x by itself, Normal(mean, variance) or a bit: Bias, and Quadratic of real ones, over the
/// variables of a graph. Zeros at first; parameters "<v>.noise_mean", "<v>.noise_precision", f32.
FactorGraph independent_density(const FactorGraph& graph, const Block& x);
/// Gives such a density the means (and variances) of samples: maximum likelihood but for a tenth of a sample
/// of each bit value, or a variance of at least 1e-6, where samples do not vary. Throws Error for fewer than
/// 2 samples.
void fit_independent(const FactorGraph& density, const Block& x, const State& samples);

}  // namespace basin
