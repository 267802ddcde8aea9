#pragma once

#include <memory>
#include <vector>

#include "energy/marginal/bipartite.h"
#include "energy/objectives/contrastive_divergence.h"

namespace basin {

/// Contrastive divergence of bipartite graphs from fused kernels: for each Gibbs step a gemm and one pass
/// that makes means and draws, and gradients as products of states, so that the optimizer's gemm writes into
/// the parameters. CD-1 and PCD-1 take five gemms, the optimizer's two among them. Equal to the derived path:
/// the same draws from the same keys, the same statistics.
class BipartiteDivergence {
 public:
  /// True when the rule covers this sweep and these options; `pattern` must be of the graph meant.
  static bool covers(const Bipartite& pattern, const Block& visible, const BlockGibbs& sweep,
                     const ContrastiveDivergenceOptions& options);

  struct Result {
    std::vector<Gradient> gradients;
    Tensor negative;  // v-, [chains, size]
  };
  /// Gradients and v- live in this object's work tensors (v- of persistent chains in the carry) until the
  /// next call.
  Result evaluate(const FactorGraph& graph, const Bipartite& pattern, const Variable& visible,
                  const State& batch, Carry& carry, Key key, const ContrastiveDivergenceOptions& options);

 private:
  struct Phase;
  Scratch scratch_;
};

}  // namespace basin
