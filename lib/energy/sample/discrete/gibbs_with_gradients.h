#pragma once

#include "energy/transition.h"

namespace basin {

struct GibbsWithGradientsOptions {
  Index proposals = 1;  // of one move, one after another; each costs a gradient
};

/// Metropolis-Hastings steps on bits and one-hot codes, all else held, that propose to change one unit,
/// chosen where the gradient says that the energy falls most: with g = dE/dx at x,
///   binary       d_i  = (2 x_i - 1) g_i                the energy's fall, to first order, when x_i turns
///   over categorical  d_ij = sum_k x_ik g_ik - g_ij         when group i takes the value j, not the one it
///   has q(x' | x) = softmax(d / 2) over all units of all variables,
/// taken with probability min(1, exp(E(x) - E(x')) q(x | x') / q(x' | x)), row by row. Exact for any energy
/// that can be differentiated between bits; good where the gradient knows what a flip does (affine in each
/// unit: exactly).
/// Proposal i is drawn under key.fold(i).fold("units") and decided under key.fold(i).fold("accept").
/// Info: "acceptance", the share of the last move's proposals that were taken.
/// Reference: Grathwohl, Swersky, Hashemi, Duvenaud, Maddison 2021, "Oops I took a gradient: scalable
/// sampling for discrete distributions", algorithm 1 and eq. 3 and 4.
class GibbsWithGradients final : public Transition {
 public:
  /// Throws Error when a variable is neither binary nor categorical or is named twice, or without a proposal.
  explicit GibbsWithGradients(Block units, GibbsWithGradientsOptions options = {});

  std::string name() const override { return "GibbsWithGradients(" + to_string(units_) + ")"; }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Block moves() const override { return units_; }
  Info info(const State& after) const override;

 private:
  Block units_;
  GibbsWithGradientsOptions options_;
};

}  // namespace basin
