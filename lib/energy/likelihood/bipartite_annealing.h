#pragma once

#include <vector>

#include "energy/marginal/bipartite.h"

namespace basin {

/// Chains of annealed importance sampling on a bipartite graph with binary latents, along
///   a_h = beta (v W + c),   a_v = beta (h W' + b) + (1 - beta) base:
/// two gemms a temperature; weights by softplus_difference on the product that the next draw needs too.
class BipartiteAnnealing {
 public:
  static bool covers(const Bipartite& pattern, int visible_side);

  /// `base` are the base model's visible biases, [size]; when `same_bias` they are the graph's own.
  BipartiteAnnealing(const FactorGraph& graph, const Bipartite& pattern, int visible_side, Tensor base,
                     bool same_bias, Index chains);

  /// v from the base model, under `key`.
  void start(Key key);
  /// v given.
  void start(const Tensor& v);
  /// Adds log f_to(v) - log f_from(v) of the latents' marginal to every chain's log weight.
  void weigh(double from, double to);
  /// A sweep, latents then visible, at beta, under the key a BlockGibbs would take. Must follow weigh(),
  /// whose product it uses.
  void sweep(double beta, Key key);

  std::vector<double> log_weights() const { return log_weights_.values(); }

 private:
  Bipartite pattern_;
  int visible_, hidden_;
  Scratch scratch_;
  BipartiteNumbers numbers_;
  Tensor base_, own_minus_base_;  // the second undefined where it is 0
  Tensor tempered_base_;
  Tensor v_, h_;
  Tensor slope_, slope64_, log_weights_;
};

}  // namespace basin
