#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "energy/fuse.h"
#include "energy/objectives/centring.h"
#include "energy/objectives/objective.h"
#include "energy/sample/block_gibbs.h"

namespace basin {

class BipartiteDivergence;
class LatentCheck;

/// A price for hidden units that are on too often or too rarely: cost/2 * sum_j (target - mean_n q_nj)^2,
/// q_nj = E[h_j | v_n]. Differentiated exactly. Reference: Lee, Ekanadham, Ng 2008, "Sparse deep belief net
/// model for visual area V2", eq. 4.
struct Sparsity {
  double target = 0.0;
  double cost = 0.0;  // 0: off
};

struct ContrastiveDivergenceOptions {
  Index steps = 1;          // Gibbs sweeps per evaluation
  bool persistent = false;  // PCD: chains go on from where the last evaluation left them
  Index chains = 0;         // number of persistent chains; 0: as many as the first batch has samples
  double fast_rate = 0.0;   // FPCD: learning rate of the fast weights; 0: none. Needs `persistent`
  double centring = 0.0;    // sliding rate of the offsets, in (0, 1]; 0: plain gradient
  Offsets offsets = Offsets::Data;
  Sparsity sparsity = {};
  Fuse fuse = Fuse::Auto;
};

/// Contrastive divergence: the gradient of   loss = mean F(v+) - mean F(v-)   with the samples v- held, F the
/// free energy with all variables that are not visible summed out. v+ is the batch; v- comes from `steps`
/// Gibbs sweeps that start
///   at the batch (CD-k; Hinton 2002, "Training products of experts by minimizing contrastive divergence"),
///     or
///   at persistent chains (PCD-k; Tieleman 2008, "Training restricted Boltzmann machines using approximations
///     to the likelihood gradient"), which may move under W + fast weights (Tieleman, Hinton 2009, "Using
///     fast weights to improve persistent
///   contrastive divergence"): fast <- 19/20 fast - fast_rate * gradient.
///
/// Sweeps are moves of the given BlockGibbs, sweep i under key.fold("gibbs").fold(i), as in iterate().
/// Persistent chains hold latents too: their sweeps take the blocks in an order rotated so that a block with
/// visible variables comes first, so that the latents drawn last serve the next evaluation (one product fewer
/// per step than drawing them anew).
///
/// Carry: "particles.<variable>" [chains, shape...], "fast.<parameter>", "offset.<variable>" [size]; tensors
/// in it are written in place. Metrics: "loss"; "reconstruction_error", the mean over samples of |v -
/// v_mean|^2 summed over v, where v_mean is the conditional mean given the latents' conditional mean;
/// "hidden_mean", the mean of the latents' conditional means; "sparsity" when priced. They cost about as much
/// as the step itself: ask for them now and then.
///
/// Where a rewrite rule recognises the graph, evaluate() runs fused kernels, allocates no tensor once warm,
/// and gradients refer to workspace tensors that the next evaluate() overwrites. One object serves one thread
/// at a time.
class ContrastiveDivergence final : public Objective {
 public:
  /// Throws Error for options that contradict each other.
  ContrastiveDivergence(Block visible, BlockGibbs sweep, ContrastiveDivergenceOptions options = {});
  ContrastiveDivergence(Variable visible, BlockGibbs sweep, ContrastiveDivergenceOptions options = {});

  std::string name() const override;  // "cd-1", "pcd-1", "fpcd-1"
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  std::vector<std::string> rules(const FactorGraph& graph) const override;

  const ContrastiveDivergenceOptions& options() const { return options_; }

 private:
  Block latents(const FactorGraph& graph) const;
  Evaluation evaluate_derived(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                              EvaluateOptions options) const;
  std::map<std::string, double> measure(const FactorGraph& graph, const State& batch, double loss) const;

  Block visible_;
  BlockGibbs sweep_;    // as given
  BlockGibbs rotated_;  // a block with visible variables first: the order of persistent chains
  ContrastiveDivergenceOptions options_;
  std::shared_ptr<BipartiteDivergence> fused_;  // workspace of the fused path
  std::shared_ptr<LatentCheck> check_;  // latents must not interact, or their free energy is not what it says
};

}  // namespace basin
