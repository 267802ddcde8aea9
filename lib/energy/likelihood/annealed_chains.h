#pragma once

#include <memory>
#include <vector>

#include "energy/transition.h"

namespace basin {

/// Chains of annealed importance sampling at values v of the visible variables, each with a log weight.
class AnnealedChains {
 public:
  virtual ~AnnealedChains() = default;
  /// v from the base model.
  virtual void start(Key key) = 0;
  /// v given.
  virtual void start(const State& v) = 0;
  /// Adds log f_to(v) - log f_from(v) to every log weight, f the marginal of v at an inverse temperature.
  virtual void weigh(double from, double to) = 0;
  /// A Gibbs sweep, latents then visible, at beta, under the key a BlockGibbs would take; follows weigh().
  virtual void sweep(double beta, Key key) = 0;
  virtual std::vector<double> log_weights() const = 0;
};

/// The rule "bipartite": chains on a bipartite graph with binary latents, along
///   a_h = beta (v W + c),   a_v = beta (h W' + b) + (1 - beta) base:
/// two gemms a temperature; weights by softplus_difference on the product that the next draw needs too.
/// `base` are the base model's visible biases, [size]; when `own_bias` they are the graph's own. Null where
/// the graph is another.
std::unique_ptr<AnnealedChains> bipartite_chains(const FactorGraph& graph, const Block& visible,
                                                 const Tensor& base, bool own_bias, Index chains);

/// The rule "layered": the same on a deep Boltzmann machine whose two blocks are every other layer. `bases`
/// are the base model's biases of each variable of the block `visible`, in its order. Null where the graph or
/// the blocks are others.
std::unique_ptr<AnnealedChains> layered_chains(const FactorGraph& graph, const Block& visible,
                                               const std::vector<Tensor>& bases, Index chains);

}  // namespace basin
