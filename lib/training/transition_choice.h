#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "energy/transition.h"

namespace basin {

/// What a transition that an experiment names is made for.
struct TransitionUse {
  Block moved = {};                // the variables that it is to move
  std::vector<Block> blocks = {};  // those that can be drawn in turn; empty: none are known
  Index tuned = 0;                 // moves in which steps are tuned
  Placement placement = {};
};

using TransitionMaker = std::function<std::shared_ptr<const Transition>(const TransitionUse&)>;

/// Reads `transition` and the keys that are its own:
///   gibbs                 blocks in turn
///   langevin              step, clip
///   mala, hmc, nuts       step, of the first move; leapfrogs of hmc, max_depth of nuts
///   metropolis            proposals, flips
///   gibbs_with_gradients  proposals
///   chromatic_gibbs
/// and, for any of them, `temperatures` of an even ladder from `hottest` to 1 (parallel tempering). Where
/// none is named: `otherwise`; of "" gibbs where blocks are known, else mala of real numbers and
/// gibbs_with_gradients of bits. The maker throws Error for variables that are not the transition's.
TransitionMaker read_transition(const Config& table, const std::string& otherwise = "");

/// What suits, by the defaults of its keys.
TransitionMaker suiting_transition();

}  // namespace basin
