#include "energy/objectives/contrast/contrastive_divergence.h"

#include <fmt/format.h>

#include <algorithm>

#include "tensor/error.h"

namespace basin {

Contrast ContrastiveDivergence(Block visible, BlockGibbs sweep, ContrastiveDivergenceOptions options) {
  const auto is_visible = [&](const Variable& variable) { return contains(visible, variable); };
  std::vector<Block> blocks = sweep.blocks();
  const auto first = std::find_if(blocks.begin(), blocks.end(), [&](const Block& block) {
    return std::any_of(block.begin(), block.end(), is_visible);
  });
  if (first == blocks.end()) {
    throw Error(
        "[contrastive_divergence] expected a sweep that moves a visible variable, received one that moves "
        "none; add {v} to its blocks");
  }
  if (options.chains < 0 || (options.chains > 0 && !options.persistent)) {
    throw Error(
        fmt::format("[contrastive_divergence] expected a number of chains with persistent chains only, "
                    "received {}; set persistent",
                    options.chains));
  }
  ChainsOptions chains{.steps = options.steps, .fast_rate = options.fast_rate, .eliminated = sweep.moves()};
  std::erase_if(*chains.eliminated, is_visible);
  if (options.persistent) {
    chains.persistent = options.chains > 0 ? options.chains : kAsBatch;
    std::rotate(blocks.begin(), first, blocks.end());
  }
  return {std::move(visible),
          Chains(BlockGibbs(std::move(blocks)), std::move(chains)),
          {.centring = options.centring,
           .offsets = options.offsets,
           .sparsity = options.sparsity,
           .fuse = options.fuse}};
}

Contrast ContrastiveDivergence(Variable visible, BlockGibbs sweep, ContrastiveDivergenceOptions options) {
  return ContrastiveDivergence(Block{std::move(visible)}, std::move(sweep), options);
}

}  // namespace basin
