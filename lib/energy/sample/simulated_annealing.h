#pragma once

#include <concepts>
#include <memory>
#include <utility>
#include <vector>

#include "energy/transition.h"

namespace basin {

/// Temperatures from `hottest` down to `coldest` with a constant ratio, `count` of them.
std::vector<double> cooling(double hottest, double coldest, Index count);

struct SimulatedAnnealingOptions {
  std::vector<double> temperatures = cooling(5.0, 0.05, 100);  // that do not rise
  Index moves = 1;                                             // of the transition at each of them
};

/// A search for the lowest energy by any transition: one call is a whole annealing, moves under
///   exp(-E / T)   at every temperature T in turn,
/// temperature i under key.fold(i), and each row ends as the state of the lowest energy that it met, its
/// first one included, so that no call raises the energy. Of an energy that must not be infinite where a
/// chain begins. Info: "energy", that of the last call's best states. Reference: Kirkpatrick, Gelatt, Vecchi
/// 1983, "Optimization by simulated annealing".
class SimulatedAnnealing final : public Transition {
 public:
  /// Throws Error for temperatures that rise or are not above 0, or without a move.
  explicit SimulatedAnnealing(std::shared_ptr<const Transition> transition,
                              SimulatedAnnealingOptions options = {});
  template <std::derived_from<Transition> T>
  explicit SimulatedAnnealing(T transition, SimulatedAnnealingOptions options = {})
      : SimulatedAnnealing(std::make_shared<const T>(std::move(transition)), std::move(options)) {}

  std::string name() const override { return "SimulatedAnnealing(" + transition_->name() + ")"; }
  /// Variables that move need values. What the transition remembers ends with the call.
  State operator()(const FactorGraph& graph, const State& state, Key key) const override;
  Block moves() const override { return transition_->moves(); }
  Info info(const State& after) const override;

 private:
  std::shared_ptr<const Transition> transition_;
  SimulatedAnnealingOptions options_;
};

}  // namespace basin
