#pragma once

#include <concepts>
#include <memory>
#include <utility>
#include <vector>

#include "energy/fuse.h"
#include "energy/transition.h"

namespace basin {

/// Inverse temperatures evenly from `hottest` >= 0 up to 1, count >= 2 of them.
std::vector<double> even_ladder(double hottest, Index count);
/// The same with a constant ratio between neighbours, hottest > 0.
std::vector<double> geometric_ladder(double hottest, Index count);

struct ParallelTemperingOptions {
  std::vector<double> ladder = even_ladder(0.0, 10);  // inverse temperatures, rising to 1
  Index moves = 1;                                    // of the transition between swaps
  Index burn_in = 0;  // calls during which each chain's ladder adapts, so that all neighbours swap equally
                      // often; until then chains are not exact
  Fuse fuse = Fuse::Auto;
};

/// Parallel tempering of any transition: to each row of a state, a chain at inverse temperature 1, belong
/// replicas at those of the ladder, which the state remembers. A call moves all of them, `moves` times, each
/// by the transition on its own energy beta_k E (`tempered`; one batch of rows n K + k), then lets neighbours
/// swap,
///   x_k <-> x_{k+1} with probability min(1, exp((beta_k - beta_{k+1}) (E(x_k) - E(x_{k+1})))),
/// pairs of even k and of odd k in turn. Exact where the transition is, for the product of exp(-beta_k E), of
/// which rows of the state have the last. Replicas begin as the chain; hot ones cross barriers and hand over
/// what they have found. Swaps move states, and what the transition remembers stays with the temperature.
/// Nothing waits for the device.
///
/// While the ladder adapts (call t < burn_in of a chain), with A_k the probabilities of its swaps,
///   log(beta_{k+1} - beta_k) += (1 + t)^-0.6 (A_k - mean A), then all gaps times what makes the ladder end
///   at 1; its first temperature stays.
///
/// Keys: move i under key.fold("move").fold(i), swaps under key.fold("swap"). Memory, a row a chain:
/// "tempering.of.<variable>" [N, K - 1, shape...] of the hotter replicas (but of
/// what a first Gibbs block draws, whose old values nobody reads); counts; "tempering.inner.<name>" of
/// the transition. Info: "round_trips" of replicas from 1 to the hottest and back, in all calls; "swaps", the
/// share of tried swaps made, and "swaps_k" of each pair; "beta_k" of an adapted ladder; the transition's
/// own, of its move at 1. The rule "tempered_bipartite" moves a restricted Boltzmann machine
/// (tempered_gibbs). References: Geyer 1991, "Markov chain Monte Carlo maximum likelihood"; of RBMs
/// Desjardins et al. 2010, "Tempered Markov chain Monte Carlo for training of restricted Boltzmann machines";
/// the ladder: Miasojedow, Moulines, Vihola 2013, "An adaptive parallel tempering algorithm", section 2.2
/// (there every swap is to have a given probability; here all the same).
class ParallelTempering final : public Transition {
 public:
  /// Throws Error when the ladder has fewer than two temperatures, does not rise from 0 or more, or does not
  /// end at 1, and for numbers out of range.
  explicit ParallelTempering(std::shared_ptr<const Transition> transition,
                             ParallelTemperingOptions options = {});
  template <std::derived_from<Transition> T>
  explicit ParallelTempering(T transition, ParallelTemperingOptions options = {})
      : ParallelTempering(std::make_shared<const T>(std::move(transition)), std::move(options)) {}

  std::string name() const override { return "ParallelTempering(" + transition_->name() + ")"; }
  /// Throws Error when a variable that the transition moves, but for those of a first Gibbs block, has no
  /// value, or when the state remembers another number of replicas.
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Block moves() const override { return transition_->moves(); }
  Info info(const State& after) const override;
  Index adapting(const State& state) const override;
  Rules rules(const FactorGraph& graph) const override;

  const ParallelTemperingOptions& options() const { return options_; }

 private:
  Index replicas() const { return static_cast<Index>(options_.ladder.size()); }
  Block remembered() const;
  State gathered_replicas(const FactorGraph& graph, const State& state) const;
  Value ladder_of(const State& state, Index chains, Placement placement) const;

  std::shared_ptr<const Transition> transition_;
  ParallelTemperingOptions options_;
};

}  // namespace basin
