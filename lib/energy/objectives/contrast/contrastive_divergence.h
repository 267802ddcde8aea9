#pragma once

#include "energy/objectives/contrast/contrast.h"
#include "energy/sample/block_gibbs.h"

namespace basin {

struct ContrastiveDivergenceOptions {
  Index steps = 1;          // Gibbs sweeps per evaluation
  bool persistent = false;  // PCD: chains go on from where the last evaluation left them
  Index chains = 0;         // number of persistent chains; 0: as many as the first batch has samples
  double fast_rate = 0.0;   // FPCD: learning rate of the fast weights; 0: none. Needs `persistent`
  double centring = 0.0;    // as of Contrast
  Offsets offsets = Offsets::Data;
  Sparsity sparsity = {};
  Fuse fuse = Fuse::Auto;
};

/// Contrastive divergence: the gradient of   loss = mean F(v+) - mean F(v-)   with the samples v- held, F the
/// free energy with all variables that are not visible summed out. v+ is the batch; v- comes from `steps`
/// Gibbs sweeps that start
///   at the batch (CD-k; Hinton 2002, "Training products of experts by minimizing contrastive divergence"),
///   or at persistent chains (PCD-k; Tieleman 2008, "Training restricted Boltzmann machines using
///     approximations to the likelihood gradient"), which may move under W + fast weights (Tieleman, Hinton
///     2009, "Using fast weights to improve persistent contrastive divergence"):
///     fast <- 19/20 fast - fast_rate * gradient.
/// It is the Contrast of `visible` with an exact positive phase and these chains; see there for keys, carry
/// and metrics. Persistent chains hold latents too: their sweeps take the blocks in an order rotated so that
/// a block with visible variables comes first, so that the latents drawn last serve the next evaluation (one
/// product fewer per step than drawing them anew). Throws Error for options that contradict each other.
Contrast ContrastiveDivergence(Block visible, BlockGibbs sweep, ContrastiveDivergenceOptions options = {});
Contrast ContrastiveDivergence(Variable visible, BlockGibbs sweep, ContrastiveDivergenceOptions options = {});

}  // namespace basin
