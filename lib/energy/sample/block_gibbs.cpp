#include "energy/sample/block_gibbs.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "energy/marginal/conditional.h"
#include "tensor/error.h"

namespace basin {

/// Graphs that passed the probe, as the factors that have a weight. Weak, so that a new factor at an old
/// address is not taken for the old.
struct BlockGibbs::Memory {
  using Factors = std::vector<std::weak_ptr<const Factor>>;
  std::mutex mutex;
  std::vector<Factors> known;

  bool knows(const std::vector<FactorGraph::Term>& terms) const {
    return std::any_of(known.begin(), known.end(), [&](const Factors& factors) {
      auto next = factors.begin();
      for (const FactorGraph::Term& term : terms) {
        if (term.weight != 0.0 && (next == factors.end() || (next++)->lock() != term.factor)) {
          return false;
        }
      }
      return next == factors.end();
    });
  }

  void learn(const std::vector<FactorGraph::Term>& terms) {
    std::erase_if(known, [](const Factors& factors) {
      return std::any_of(factors.begin(), factors.end(), [](const auto& f) { return f.expired(); });
    });
    Factors& factors = known.emplace_back();
    for (const FactorGraph::Term& term : terms) {
      if (term.weight != 0.0) {
        factors.push_back(term.factor);
      }
    }
  }
};

BlockGibbs::BlockGibbs(std::vector<Block> blocks)
    : blocks_(std::move(blocks)), memory_(std::make_shared<Memory>()) {
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

State BlockGibbs::operator()(const FactorGraph& graph, const State& state, Key key) const {
  {
    const std::lock_guard lock(memory_->mutex);
    if (!memory_->knows(graph.terms())) {
      for (const Block& block : blocks_) {
        check_no_interaction(graph, block);
      }
      memory_->learn(graph.terms());
    }
  }
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
