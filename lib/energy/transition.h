#pragma once

#include <map>
#include <string>
#include <vector>

#include "energy/graph.h"
#include "tensor/key.h"

namespace basin {

/// "{h1, h2}", for messages.
std::string to_string(const Block& block);

/// What a transition says of itself, one number per name ("acceptance", "gap").
using Info = std::map<std::string, double>;

struct Moved {
  State state;
  Info info;
};

/// A move of some variables of a state: a Gibbs sweep, an ISTA step, a Langevin step. Inference iterates it
/// until converged, sampling iterates it n times, unrolling iterates it K times with history on.
class Transition {
 public:
  virtual ~Transition() = default;
  virtual Moved operator()(const FactorGraph& graph, const State& state, Key key) const = 0;
};

/// state after n moves, move i under key.fold(i).
Moved iterate(const Transition& transition, const FactorGraph& graph, State state, Index steps, Key key);

}  // namespace basin
