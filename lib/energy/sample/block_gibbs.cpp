#include "energy/sample/block_gibbs.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "energy/marginal/conditional.h"
#include "tensor/error.h"

namespace basin {

BlockGibbs::BlockGibbs(std::vector<Block> blocks) : blocks_(std::move(blocks)) {
  if (blocks_.empty()) {
    throw Error(
        "[BlockGibbs] expected at least one block, received none; give the variables to move, as in {{h}, "
        "{v}}");
  }
  for (const Block& block : blocks_) {
    if (block.empty()) {
      throw Error("[BlockGibbs] expected blocks with at least one variable, received an empty one");
    }
    for (auto variable = block.begin(); variable != block.end(); ++variable) {
      if (std::find(block.begin(), variable, *variable) != variable) {
        throw Error(fmt::format("[BlockGibbs] block {} has variable {} twice; name it once", to_string(block),
                                variable->name));
      }
    }
  }
}

std::string BlockGibbs::name() const {
  std::string text;
  for (const Block& block : blocks_) text += (text.empty() ? "" : ", ") + to_string(block);
  return "BlockGibbs(" + text + ")";
}

Block BlockGibbs::moves() const {
  Block all;
  for (const Block& block : blocks_) {
    std::copy_if(block.begin(), block.end(), std::back_inserter(all),
                 [&](const Variable& variable) { return !contains(all, variable); });
  }
  return all;
}

State BlockGibbs::operator()(const FactorGraph& graph, const State& state, Key key) const {
  State moved = state;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const Key block_key = key.fold(static_cast<std::uint64_t>(i));
    for (const Conditional& each : conditional(graph, blocks_[i], moved)) {
      moved.set(each.variable, each.sample(block_key));
    }
  }
  return moved;
}

}  // namespace basin
