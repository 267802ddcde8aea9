#pragma once

#include <vector>

#include "energy/transition.h"

namespace basin {

/// A Gibbs sweep: draws every block in turn from its conditional given all other variables,
///   b_i ~ p(b_i | rest) ~ exp(-E),
/// block i under key.fold(i), its variables under key.fold(i).fold(variable.name). What no block names stays
/// as it is (clamped).
///
/// A block's members must not interact; the graph remembers what was probed (require_no_interaction).
/// Reference: Geman and Geman 1984, "Stochastic relaxation, Gibbs distributions, and the Bayesian restoration
/// of images".
class BlockGibbs final : public Transition {
 public:
  /// Throws Error when there is no block, an empty one, or one that names a variable twice.
  explicit BlockGibbs(std::vector<Block> blocks);

  std::string name() const override;
  /// Variables of the first block need no value in `state`; drawn values carry no history.
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;

  Block moves() const override;

  const std::vector<Block>& blocks() const { return blocks_; }
  const std::vector<Block>* gibbs_blocks() const override { return &blocks_; }

 private:
  std::vector<Block> blocks_;
};

}  // namespace basin
