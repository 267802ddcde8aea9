#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "energy/graph.h"
#include "tensor/key.h"

namespace basin {

/// "{h1, h2}", for messages.
std::string to_string(const Block& block);

/// What a transition says of a move, one number a row ("acceptance", "step_size"), [N] each, where the state
/// is.
using Info = std::map<std::string, Value>;

/// A move of z by proximal gradient: z <- prox(u - step df/du, step), u = z or, accelerated, a point beyond
/// it.
struct ProximalScheme {
  Variable z;
  std::optional<double> step = {};  // fixed; none: 1 / Lipschitz, or by backtracking
  bool backtracking = false;
  bool accelerate = false;  // Nesterov's momentum
  bool restart = false;     // of the momentum, where it points uphill
};

/// A move of some variables of a state: a Gibbs sweep, an ISTA step, a Langevin step, a mean-field update.
/// Inference iterates it until converged, sampling iterates it n times, unrolling iterates it K times with
/// history on.
///
/// `key` is the noise of the move, the state's own context that of factors. Row n of a state draws what the
/// row does in the whole batch (Context::first_draw), so that a slice moves as the whole would.
class Transition {
 public:
  virtual ~Transition() = default;
  virtual std::string name() const = 0;  // "BlockGibbs({h}, {v})", for messages and results files
  virtual State operator()(const FactorGraph& graph, const State& state, Key key) const = 0;
  /// The variables that it moves; all others stay.
  virtual Block moves() const;
  /// What can be said of the move that led to `after`; worked out only when asked, as by a contrast's
  /// metrics.
  virtual Info info(const State& /*after*/) const { return {}; }
  /// How many more moves tune the transition to these chains (step sizes, kept in the state's memory). Until
  /// then chains burn in; after that moves are those of one fixed kernel, and may be draws.
  virtual Index adapting(const State& /*state*/) const { return 0; }

  /// The rewrite rules that it uses for this graph itself.
  virtual Rules rules(const FactorGraph& /*graph*/) const { return {}; }

  // What a rewrite rule may know of it; the defaults say nothing.
  virtual std::optional<ProximalScheme> proximal() const { return std::nullopt; }
  /// The variable of which every move sends the best coordinate to its minimum.
  virtual std::optional<Variable> coordinate() const { return std::nullopt; }
  /// The blocks that are drawn in turn from their conditionals; null where moves are others.
  virtual const std::vector<Block>* gibbs_blocks() const { return nullptr; }
};

/// state after n moves, move i under key.fold(i).
State iterate(const Transition& transition, const FactorGraph& graph, State state, Index steps, Key key);

}  // namespace basin
