#pragma once

#include "training/measures/measure.h"
#include "training/transition_choice.h"

namespace basin {

/// Facet: [evaluate] chains asks how well chains of the trained model mix.
struct ChainsRun {
  static constexpr const char* kWhat = "chains that are looked over";

  TransitionMaker transition;
  Index chains = 16, draws = 1000, thin = 1, burn_in = 1000;  // moves to a draw, and before the first
};

/// The table [evaluate] chains.
ChainsRun read_chains(const Config& table, bool smoke);
/// What it would run. Throws Error where the stage's variables are not of fixed size, or not the
/// transition's.
std::shared_ptr<const Transition> transition_of(const Stage& stage, const ChainsRun& how);

/// What such chains begin with: noise (measures/sampling.h) in every variable of the graph.
State noise_of(const FactorGraph& graph, Index chains, Key key);

/// "chains": moves chains of all variables of the graph from noise, and says by their energy and eight random
/// projections how they mix (Mixing): the largest split R-hat "chains_r_hat", the least number of
/// "chains_effective_samples" and the longest "chains_autocorrelation_time" in moves; "chains_acceptance" and
/// "chains_round_trips", the mean of a chain, where the transition says such things. Draws under
/// key.fold("evaluate").fold("chains"). Store: /evaluation/chains/energy [draws, chains],
/// /evaluation/chains/autocorrelation, of the energy at lags 0, 1, ... draws, and
/// /evaluation/chains/transition.
Measure chains_measure();

}  // namespace basin
