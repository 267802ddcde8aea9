#pragma once

#include "energy/sample/continuous/hmc.h"

namespace basin {

struct MalaOptions {
  double step = 0.01;  // e, of the first move where it is tuned
  Variances variances = {};
  TuneOptions tune = {.target = 0.574};  // the best of many independent units (Roberts, Rosenthal 1998)
};

/// A step of the Metropolis-adjusted Langevin algorithm on real variables, all else held: that of Langevin,
///   x' ~ q(x' | x) = N(x - e s dE/dx, 2 e s),   accepted with min(1, exp(E(x) - E(x')) q(x | x') / q(x' |
///   x)),
/// s the variances, row by row; it leaves exp(-E) as it is. A move of Hmc with one leapfrog step of time
/// sqrt(2e), whose acceptance this is. info: "acceptance", "step_size" (e), "divergent", as Hmc's.
/// References: Besag 1994; Roberts, Tweedie 1996, "Exponential convergence of Langevin distributions and
/// their discrete approximations".
class Mala final : public Transition {
 public:
  /// Throws Error as Hmc's.
  explicit Mala(Block moved, MalaOptions options = {});

  std::string name() const override { return move_.name(); }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override {
    return move_(graph, state, key);
  }
  Block moves() const override { return move_.moves(); }
  Info info(const State& after) const override;
  Index adapting(const State& state) const override { return move_.adapting(state); }

 private:
  Hmc move_;
};

}  // namespace basin
