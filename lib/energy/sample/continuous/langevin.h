#pragma once

#include <limits>

#include "energy/sample/continuous/real_block.h"

namespace basin {

struct LangevinOptions {
  double step = 0.01;  // e
  double noise = 1.0;  // times sqrt(2e); below 1 chains prefer low energies, 0 is plain gradient descent
  /// Every entry of dE/dx is clipped to [-clip, clip] first.
  double clip = std::numeric_limits<double>::infinity();
};

/// A step of the unadjusted Langevin algorithm on real variables, all else held:
///   x <- x - e clip(dE/dx) + sqrt(2e) noise xi,   xi ~ N(0, 1) under key.fold(variable.name).
/// As e -> 0 chains sample exp(-E); of a Gaussian of precision h the variance is 1 / (h (1 - e h / 2)), and
/// chains run away where e h > 2 (Mala has no bias). A clip keeps them from that but changes what is sampled,
/// for any e: where units do not interact exp(-E') with dE'/dx = clip(dE/dx), the tails of which fall no
/// faster than exp(-clip |x|); where they do, a law that is no known energy's.
/// References: Roberts, Tweedie 1996, "Exponential convergence of Langevin distributions and their discrete
/// approximations"; Du, Mordatch 2019, "Implicit generation and modeling with energy based models", appendix,
/// for clipping.
class Langevin final : public Transition {
 public:
  /// Throws Error when a variable is not real, or step, noise or clip are no numbers of the right sign; a
  /// move throws where a factor has walls or kinks (Factor::smooth_in), which it would not feel.
  explicit Langevin(Block moved, LangevinOptions options = {});

  std::string name() const override { return "Langevin(" + to_string(moved_.variables()) + ")"; }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Block moves() const override { return moved_.variables(); }

  const LangevinOptions& options() const { return options_; }

 private:
  RealBlock moved_;
  LangevinOptions options_;
};

}  // namespace basin
