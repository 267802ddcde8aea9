#pragma once

#include <functional>
#include <map>
#include <string>

#include "energy/sample/diagnostics.h"
#include "energy/transition.h"

namespace basin {

/// Scalars of states that a run watches: [N], or K at once, [N, K].
using Watch = std::function<Value(const FactorGraph& graph, const State& state)>;

struct SampleOptions {
  Index burn_in = 0;   // moves before the first draw; all that the transition takes to tune itself
  Index draws = 1000;  // of each chain
  Index thin = 1;      // moves to a draw
  Key key = Key(0);
  std::map<std::string, Watch> watch = {};  // beside "energy", the graph's
};

/// What chains went through, a row of the state each; numbers are on the host, in f64.
struct SampleRun {
  State state;                            // after the last draw, with what the transition remembers
  Index draws = 0, moves = 0;             // moves: burn-in included
  std::map<std::string, Tensor> watched;  // [draws, chains] or [draws, chains, K]
  std::map<std::string, Tensor> info;     // of the move to each draw, as the transition says: [draws, chains]
  std::map<std::string, Tensor> mean, square;  // of each moved variable over draws and chains, [shape...]

  /// How well the chains mix by a watched scalar. Throws Error naming those there are.
  Mixing mixing(const std::string& watched) const;
  /// Mean of what the transition said, as "acceptance"; NaN when it says no such thing.
  double mean_info(const std::string& name) const;
};

/// Moves chains from `state` by any transition, move i under key.fold(i): `burn_in` moves, then `draws` times
/// `thin`. A transition tunes itself in the burn-in alone: Throws Error where that is too short for it
/// (Transition::adapting), when a count is out of range, when a watched function gives other than [N] or
/// [N, K], and when an energy or a scalar is not finite, naming the draw.
SampleRun sample(const Transition& transition, const FactorGraph& graph, State state,
                 const SampleOptions& options);

}  // namespace basin
