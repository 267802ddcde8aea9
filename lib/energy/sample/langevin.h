#pragma once

#include "energy/transition.h"

namespace basin {

struct LangevinOptions {
  double step = 0.01;  // e
  double noise = 1.0;  // times sqrt(2e); below 1 chains prefer low energies, 0 is plain gradient descent
};

/// A step of the unadjusted Langevin algorithm on real variables, all else held:
///   x <- x - e dE/dx + sqrt(2e) noise xi,   xi ~ N(0, 1) under key.fold(variable.name).
/// As e -> 0 chains sample exp(-E); of a Gaussian of precision h the variance is 1 / (h (1 - e h / 2)), and
/// chains run away where e h > 2.
/// Reference: Roberts, Tweedie 1996, "Exponential convergence of Langevin distributions and their discrete
/// approximations".
class Langevin final : public Transition {
 public:
  /// Throws Error when a variable is not real, or step or noise are no numbers of the right sign.
  explicit Langevin(Block moved, LangevinOptions options = {});

  std::string name() const override { return "Langevin(" + to_string(moved_) + ")"; }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Block moves() const override { return moved_; }

  const LangevinOptions& options() const { return options_; }

 private:
  Block moved_;
  LangevinOptions options_;
};

}  // namespace basin
