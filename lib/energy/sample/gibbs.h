#pragma once

#include "energy/fuse.h"
#include "energy/sample/block_gibbs.h"

namespace basin {

/// The state after n sweeps, sweep i under key.fold(i): what iterate(sweep, graph, state, sweeps, key) gives,
/// by fused kernels (gemm, then mean and draw in one pass; two buffers in all) where the graph is bipartite
/// and each block is one variable, or the graph is layered and no two neighbours are in a block.
State gibbs(const FactorGraph& graph, const BlockGibbs& sweep, const State& state, Index sweeps, Key key,
            Fuse fuse = Fuse::Auto);

}  // namespace basin
