#include "energy/objectives/contrastive_divergence.h"

#include <fmt/format.h>

#include <algorithm>

#include "tensor/error.h"

namespace basin {
namespace {

/// The sweep; of persistent chains the same cycle of blocks, begun at the first that has a visible variable.
BlockGibbs ordered(BlockGibbs sweep, const Block& visible, bool persistent) {
  std::vector<Block> blocks = sweep.blocks();
  const auto first = std::find_if(blocks.begin(), blocks.end(), [&](const Block& block) {
    return std::any_of(block.begin(), block.end(),
                       [&](const Variable& variable) { return contains(visible, variable); });
  });
  if (first == blocks.end()) {
    throw Error(
        "[contrastive_divergence] expected a sweep that moves a visible variable, received one that moves "
        "none; add {v} to its blocks");
  }
  if (!persistent) return sweep;
  std::rotate(blocks.begin(), first, blocks.end());
  return BlockGibbs(std::move(blocks));
}

ChainsOptions chains_of(const ContrastiveDivergenceOptions& options) {
  if (options.chains < 0 || (options.chains > 0 && !options.persistent)) {
    throw Error(
        fmt::format("[contrastive_divergence] expected a number of chains with persistent chains only, "
                    "received {}; set persistent",
                    options.chains));
  }
  const Index persistent = options.chains > 0 ? options.chains : kAsBatch;
  return {.steps = options.steps,
          .persistent = options.persistent ? persistent : 0,
          .fast_rate = options.fast_rate,
          .eliminate_latents = true};
}

}  // namespace

ContrastiveDivergence::ContrastiveDivergence(Block visible, BlockGibbs sweep,
                                             ContrastiveDivergenceOptions options)
    : options_(options),
      contrast_(visible, Chains(ordered(std::move(sweep), visible, options.persistent), chains_of(options)),
                {.centring = options.centring,
                 .offsets = options.offsets,
                 .sparsity = options.sparsity,
                 .fuse = options.fuse}) {}

std::string ContrastiveDivergence::name() const {
  return fmt::format("{}{}cd-{}", options_.fast_rate > 0.0 ? "f" : "", options_.persistent ? "p" : "",
                     options_.steps);
}

}  // namespace basin
