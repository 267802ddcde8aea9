#pragma once

#include "energy/sample/continuous/dual_averaging.h"
#include "energy/sample/continuous/hamiltonian.h"

namespace basin {

struct NutsOptions {
  double step = 0.1;     // e, of the first move where it is tuned
  Index max_depth = 10;  // at most 2^max_depth - 1 leapfrog steps a move
  Variances variances = {};
  TuneOptions tune = {};
};

/// The No-U-Turn sampler on real variables, all else held: a trajectory of leapfrog steps of time e through
/// momenta p ~ N(0, 1 / s) doubles, forwards or backwards by the toss of a coin, until it turns back,
///   P . s p_first <= 0  or  P . s p_last <= 0,   P = the sum of its momenta less (p_first + p_last) / 2,
/// or a binary subtree of the last doubling does; that doubling then does not count. The next state is one of
/// the trajectory, drawn with weights exp(-H): uniformly within a doubling, in favour of the last one from
/// doubling to doubling. It leaves exp(-E) as it is for any e.
///
/// Rows build trees of their own, side by side, leaf by leaf; those that have turned stand still until the
/// last has. A subtree is never stored: of its leaves log2 of their number are (the first of each subtree
/// that is open).
///
/// info: "acceptance" (the mean over the leaves of min(1, exp(H_0 - H)), by which the step is tuned),
/// "step_size", "depth" (doublings that count), "divergent" (1 where H grew by 1000 or is no number, which
/// ends the trajectory), "gradients" (leapfrog steps). References: Hoffman, Gelman 2014, "The No-U-Turn
/// Sampler"; Betancourt 2017, "A conceptual introduction to Hamiltonian Monte Carlo", appendix A.3-A.4
/// (weights, criterion); Phan, Pradhan, Jankowiak 2019, "Composable effects for flexible and accelerated
/// probabilistic programming in NumPyro", appendix A (without recursion).
class Nuts final : public Transition {
 public:
  /// Throws Error when a variable is not real, and unless step > 0 and 1 <= max_depth <= 20.
  explicit Nuts(Block moved, NutsOptions options = {});

  std::string name() const override { return "Nuts(" + to_string(moved_.variables()) + ")"; }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Block moves() const override { return moved_.variables(); }
  Info info(const State& after) const override;
  Index adapting(const State& state) const override { return step_.left(state); }

  const NutsOptions& options() const { return options_; }

 private:
  RealBlock moved_;
  NutsOptions options_;
  StepSize step_;
};

}  // namespace basin
