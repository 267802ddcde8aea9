#pragma once

#include <vector>

#include "energy/marginal/bipartite.h"
#include "energy/objectives/contrast.h"

namespace basin {

/// Contrasts of bipartite graphs by Gibbs chains from fused kernels: for each Gibbs step a gemm and one pass
/// that makes means and draws, and gradients as products of states, so that the optimizer's gemm writes into
/// the parameters. CD-1 and PCD-1 take five gemms, the optimizer's two among them; fast weights, which read
/// the gradient too, six. Equal to the derived path: the same draws from the same keys, the same statistics.
class BipartiteDivergence {
 public:
  /// True when the rule covers the contrast; `pattern` must be of the graph meant.
  static bool covers(const Bipartite& pattern, const ContrastTerms& terms);

  struct Result {
    std::vector<Gradient> gradients;
    Tensor negative;  // v-, [chains, size]
  };
  /// Gradients and v- live in this object's work tensors (v- of persistent chains in the carry) until the
  /// next call.
  Result evaluate(const FactorGraph& graph, const Bipartite& pattern, const ContrastTerms& terms,
                  const State& batch, Carry& carry, Key key, const EvaluateOptions& options);

 private:
  struct Phase;
  Scratch scratch_;
};

}  // namespace basin
