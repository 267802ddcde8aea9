#pragma once

#include <memory>
#include <vector>

#include "energy/marginal/conditional.h"

namespace basin {

/// check_no_interaction() of one block, done once for each graph, i.e. set of weighted factors. Not
/// thread-safe.
class LatentCheck {
 public:
  void operator()(const FactorGraph& graph, const Block& block) {
    std::vector<std::weak_ptr<const Factor>> factors;
    for (const FactorGraph::Term& term : graph.terms()) {
      if (term.weight != 0.0) factors.push_back(term.factor);
    }
    bool same = block == block_ && factors.size() == known_.size();
    // Owners are compared, so that a new factor at an old one's address is not taken for it.
    for (std::size_t i = 0; same && i < factors.size(); ++i) {
      same = !known_[i].owner_before(factors[i]) && !factors[i].owner_before(known_[i]);
    }
    if (same) return;
    if (!block.empty()) check_no_interaction(graph, block);
    block_ = block;
    known_ = std::move(factors);
  }

 private:
  Block block_;
  std::vector<std::weak_ptr<const Factor>> known_;
};

}  // namespace basin
