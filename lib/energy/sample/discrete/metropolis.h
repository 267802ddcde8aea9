#pragma once

#include "energy/transition.h"

namespace basin {

struct MetropolisOptions {
  Index proposals = 1;  // of one move, one after another
  Index flips = 1;      // units that a proposal turns over together
};

/// Metropolis steps on bits, all else held: `flips` units of a row, any with the same probability, are turned
/// over, which is as likely back, and that is taken with probability
///   min(1, exp(E(x) - E(x'))),
/// row by row. Exact for any energy, finite or not: a proposal of energy infinity or NaN is never taken.
/// Proposal i takes its units under key.fold(i).fold("units") and is decided under
/// key.fold(i).fold("accept"). Info: "acceptance", the share of the last move's proposals that were taken.
/// Reference: Metropolis, Rosenbluth, Rosenbluth, Teller, Teller 1953, "Equation of state calculations by
/// fast computing machines".
class Metropolis final : public Transition {
 public:
  /// Throws Error when a variable is not binary or is named twice, or an option is out of range.
  explicit Metropolis(Block bits, MetropolisOptions options = {});

  std::string name() const override { return "Metropolis(" + to_string(bits_) + ")"; }
  /// Throws Error when `flips` are more than there are units.
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Block moves() const override { return bits_; }
  Info info(const State& after) const override;

 private:
  Block bits_;
  MetropolisOptions options_;
};

}  // namespace basin
