#pragma once

#include <string>
#include <vector>

#include "energy/fuse.h"
#include "energy/objectives/contrast/centring.h"
#include "energy/objectives/contrast/phase.h"
#include "energy/objectives/held_loss.h"

namespace basin {

/// A penalty for hidden units that are on too often or too rarely: cost/2 * sum_j (target - mean_n q_nj)^2,
/// q_nj = E[h_j | v_n]; under mean field E[h_j | v_n, m_n], the means m of the other latents held.
/// Differentiated exactly. Reference: Lee, Ekanadham, Ng 2008, "Sparse deep belief net
/// model for visual area V2", eq. 4.
struct Sparsity {
  double target = 0.0;
  double cost = 0.0;  // 0: off
};

struct ContrastOptions {
  double centring = 0.0;  // sliding rate of the offsets, in (0, 1]; 0: plain gradient
  Offsets offsets = Offsets::Data;
  Sparsity sparsity = {};  // of latents that a positive phase sums out, exactly or by mean field
  Fuse fuse = Fuse::Auto;
};

/// All that a contrast is, for rewrite rules to take whole or decline.
struct ContrastTerms {
  Block freed;
  Phase positive, negative;
  ContrastOptions options;

  /// The negative phase's, where it has chains.
  const Chains* chains() const { return std::get_if<Chains>(&negative); }
};

/// loss = mean F+(batch) - mean F-(clamped): what the data hold against what the model would have there.
///   - What the batch holds is clamped in the positive phase; `freed` names what the negative phase sets
///     free. Other variables of the batch (x of a model of y given x) stay clamped in both; what the batch
///     lacks is latent in both.
///   - F is -log of the sum over what is free of exp(-E), F+ over the latents, F- over `freed` too; each
///     phase says how it takes F's gradient (Phase): exactly, by mean field, or by chains whose states are
///     held.
/// Exact phases give the exact gradient of -log p(freed | clamped); chains that begin at the data contrastive
/// divergence; persistent chains the stochastic maximum likelihood of RBMs, DBMs, deep energies.
///
/// The gradient is that of loss + sparsity; then centring turns it, then the chains' fast weights follow it.
/// Each takes the means of the whole batch (EvaluateOptions::reduce). Frozen parameters
/// (EvaluateOptions::wants) cost nothing where neither centring nor fast weights need them.
///
/// Keys: chains of the negative phase begin under key.fold("start") and move under key.fold("gibbs").fold(i),
/// those of the positive phase under key.fold("positive") folded so. Carry: "particles.<variable>" [chains,
/// shape...] and what the transition remembers, "memory.<name>" (of the positive phase behind "positive.");
/// where variables are clamped chains are kept by sample, with "chains.begun" [samples];
/// "positive.means.<variable>" [samples, shape...] of mean field that begins where it was (KeptMeans);
/// "fast.<parameter>"; "offset.<variable>" [size]. Tensors in it are written in place.
///
/// Metrics, of this slice of the batch: "loss"; unless the negative phase is exact "hidden_mean", of the
/// latents' means given the data; "sparsity" when penalised; and of freed variables that do not interact
/// "reconstruction_error", the mean over samples of |v - v_mean|^2 summed over v, v_mean the conditional mean
/// given the latents' means; of chains that no rule moves, means of what the transition says of its last move
/// (Transition::info). They cost about as much as the step itself: ask for them now and then.
///
/// Where a rewrite rule recognises graph and contrast, evaluate() runs fused kernels, allocates no tensor
/// once warm, and gradients refer to workspace tensors that the next evaluate() overwrites. One object serves
/// one thread at a time; a copy has a workspace of its own.
class Contrast final : public Objective, public HoldsStates {
 public:
  /// Throws Error for options that contradict each other.
  Contrast(Block freed, Phase positive, Phase negative, ContrastOptions options = {});
  /// With an exact positive phase.
  Contrast(Block freed, Phase negative, ContrastOptions options = {});

  /// "cd-1", "pcd-1", "fpcd-1" of an exact positive phase and Gibbs chains; "exact" of two exact phases.
  std::string name() const override;
  std::string unit() const override { return "nats"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options = {}) const override;
  Rules rules(const FactorGraph& graph) const override;
  /// Where both phases stand, held; of centring, which turns the gradient, none.
  HeldLoss held_loss(const FactorGraph& graph, std::span<const State> batches, const Carry& carry,
                     Key key) const override;

  const ContrastTerms& terms() const { return terms_; }

 private:
  ContrastTerms terms_;
  mutable Scratch scratch_;
};

/// What is left of both phases when they are over: what follows does not depend on how they were taken.
struct ContrastStatistics {
  std::vector<Gradient> gradients;  // of loss + sparsity; dense ones are nobody else's
  CentringOffsets means;            // that offsets follow, where centring asks
  State model = {};                 // as chains have left it; empty where a rule moves them
  State data;                       // the batch, with means of mean field or as chains have left it
  double loss = 0.0;                // where metrics are asked for
};

}  // namespace basin
