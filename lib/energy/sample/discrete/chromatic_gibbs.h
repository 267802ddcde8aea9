#pragma once

#include "energy/transition.h"

namespace basin {

/// A Gibbs sweep over single units of variables whose members interact (the spins of an Ising model, of a
/// Boltzmann machine within a layer), as many at once as do not: units that interact get different colours
/// (unit_colours, read off the energy itself), and all units of one colour are drawn together, colour after
/// colour, each given all others:
///   binary  x_i ~ Bernoulli(sigma(-g_i))   categorical  x_i ~ Softmax(-g_i)   g = dE/dx at the state as it
///   is.
/// Colour k draws under key.fold(k).fold(variable.name). All other variables stay.
///
/// The energy must be affine in each unit with all others held; any other is an Error that names factor and
/// variable. Colours are remembered with the graph; where a change of parameters might make them wrong, each
/// draw is checked (its energy against the sum of what its units change), and colours are found anew.
/// Reference: Gonzalez, Low, Gretton, Guestrin 2011, "Parallel Gibbs sampling: from colored fields to thin
/// junction trees", section 3.
class ChromaticGibbs final : public Transition {
 public:
  /// Throws Error when a variable is neither binary nor categorical or is named twice.
  explicit ChromaticGibbs(Block units);

  std::string name() const override { return "ChromaticGibbs(" + to_string(units_) + ")"; }
  /// Throws Error, too, where there are more than kMostUnits numbers.
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Block moves() const override { return units_; }

 private:
  Block units_;
};

}  // namespace basin
