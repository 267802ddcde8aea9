#pragma once

#include "energy/sample/continuous/dual_averaging.h"
#include "energy/sample/continuous/hamiltonian.h"

namespace basin {

struct HmcOptions {
  double step = 0.1;     // e, of the first move where it is tuned
  Index leapfrogs = 10;  // L
  /// The step of a move is e (1 + jitter u), u uniform in [-1, 1): trajectories of one length may come back
  /// to where they began, move after move.
  double jitter = 0.1;
  Variances variances = {};
  TuneOptions tune = {};
};

/// Hamiltonian Monte Carlo on real variables, all else held: momenta p ~ N(0, 1 / s), then L leapfrog steps
/// of time e to (x', p'), accepted with the probability
///   min(1, exp(H(x, p) - H(x', p'))),   H = E(x) + 1/2 sum s p^2,
/// row by row; it leaves exp(-E) as it is for any e. Proposals with an energy that is no number are refused.
/// info: "acceptance" (that probability), "step_size" (e with its jitter), "divergent" (1 where H grew by
/// 1000 or more, or is no number). References: Duane, Kennedy, Pendleton, Roweth 1987, "Hybrid Monte Carlo";
/// Neal 2011, "MCMC using Hamiltonian dynamics".
class Hmc final : public Transition {
 public:
  /// Throws Error when a variable is not real, and unless step > 0, leapfrogs >= 1 and 0 <= jitter < 1.
  explicit Hmc(Block moved, HmcOptions options = {});

  std::string name() const override;
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Block moves() const override { return moved_.variables(); }
  Info info(const State& after) const override;
  Index adapting(const State& state) const override { return step_.left(state); }

  const HmcOptions& options() const { return options_; }

 private:
  friend class Mala;
  Hmc(RealBlock moved, HmcOptions options);

  RealBlock moved_;
  HmcOptions options_;
  StepSize step_;
};

}  // namespace basin
