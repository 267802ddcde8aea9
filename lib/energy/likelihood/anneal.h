#pragma once

#include <functional>

#include "energy/likelihood/annealed_importance.h"

namespace basin {

/// A model over the same variables whose log Z is known and that can be drawn from: where annealing begins.
struct BaseModel {
  FactorGraph graph;
  double log_z = 0.0;
  std::function<State(Index chains, Key key)> draw;  // values of all variables, one row a chain
};

/// A base model of variables that do not interact in it: log Z and draws as its energy has them. Throws Error
/// where they do interact.
BaseModel independent_base(const FactorGraph& graph);

struct AnnealOptions {
  Index chains = 100;
  std::vector<double> temperatures = uniform_ladder(1000);
  Index moves = 1;     // of the transition at each temperature
  Index batch = 1000;  // chains that run together; batch b draws under key.fold("batch").fold(b)
  Key key = Key(0);
};

/// Annealed importance sampling of log Z of any graph, all of whose variables stay:
///   E_beta = (1 - beta) E_base + beta E,   log w = sum_k (beta_k - beta_{k-1}) (E_base - E)(x_{k-1}),
/// x_0 from the base model, x_k after `moves` moves of a transition at beta_k from x_{k-1}. The estimate of Z
/// is unbiased where the transition leaves exp(-E_beta) as it is (Gibbs sweeps; unadjusted Langevin steps do
/// not: their error shrinks with the step). Weights vary more than those of annealed_importance(), which sums
/// hidden units out. Throws Error when the graphs' variables differ, the transition does not move all of them
/// or the ladder does not rise from 0 to 1.
/// Reference: Neal 2001, "Annealed importance sampling".
PartitionEstimate anneal(const FactorGraph& graph, const BaseModel& base, const Transition& transition,
                         const AnnealOptions& options = {});

}  // namespace basin
