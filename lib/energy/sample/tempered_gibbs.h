#pragma once

#include <optional>
#include <vector>

#include "energy/transition.h"

namespace basin {

struct TemperedSweeps {
  State state;
  Value energy;  // [N], of the state, not tempered
};

/// The rule "tempered_bipartite": Gibbs sweeps of a bipartite graph of bits and one-hot codes, each row n at
/// an inverse temperature scales[n] of its own,
///   p(h = 1 | v) = sigma(scales[n] (c + v W)),
/// sweep i under key.fold(i): the draws of BlockGibbs(blocks) on tempered(graph, scales), by fused kernels (a
/// gemm, then scale, mean and draw in one pass), and the energy from the last product. Nothing where the
/// graph is another or the blocks are not its two variables.
std::optional<TemperedSweeps> tempered_gibbs(const FactorGraph& graph, const std::vector<Block>& blocks,
                                             const State& state, const Value& scales, Index sweeps, Key key);

/// Whether it is.
bool is_tempered_bipartite(const FactorGraph& graph, const std::vector<Block>& blocks);

}  // namespace basin
