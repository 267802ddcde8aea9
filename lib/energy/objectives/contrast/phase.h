#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "energy/objectives/objective.h"
#include "energy/sample/mean_field.h"

namespace basin {

/// A phase where all that is free is summed out: exact expectations. Without clamped variables that is log Z,
/// of a small graph.
struct Exact {};

/// As many persistent chains as the first batch has samples.
inline constexpr Index kAsBatch = -1;

/// Where a chain of a replay buffer begins anew.
enum class Restart {
  Data,  // at a sample of the batch, what the data lack drawn as at the start
  Noise  // at units that feel nothing: fair bits and codes, standard normal numbers
};

struct ChainsOptions {
  Index steps = 1;         // moves per evaluation
  Index persistent = 0;    // chains that go on from where the last evaluation left them (of each sample where
                           // variables are clamped); 0: chains begin at the data
  double fast_rate = 0.0;  // learning rate of fast weights, under which persistent chains move; 0: none
  double restart = 0.0;    // probability with which each persistent chain begins anew, at every evaluation: a
                           // replay buffer (Du, Mordatch 2019, "Implicit generation and generalization in
                           // energy-based models": 0.05 at noise); what its transition remembers stays
  Restart restart_at = Restart::Noise;
  /// What of the chains' states is summed out given the rest, so that gradients vary less. By default, where
  /// moves are Gibbs sweeps, all latents if they are a block, else the block drawn last; else nothing.
  std::optional<Block> eliminated = {};
};

/// A phase whose expectations are means over chains that a transition moves.
struct Chains {
  Chains(std::shared_ptr<const Transition> transition, ChainsOptions options = {});
  template <std::derived_from<Transition> T>
  Chains(T transition, ChainsOptions options = {})
      : Chains(std::make_shared<const T>(std::move(transition)), std::move(options)) {}

  std::shared_ptr<const Transition> transition;
  ChainsOptions options;
};

/// How the expectations of a phase of a Contrast are taken.
using Phase = std::variant<Exact, MeanField, Chains>;

/// What a phase knows beside its graph.
struct PhaseCall {
  Block free;                       // what is summed, averaged or moved; all else is clamped
  Block latents;                    // those of them that the data lack
  State start;                      // a batch: clamped variables, and where chains or means begin
  std::string prefix = {};          // of what persistent chains are called in the carry
  Key key = Key(0);                 // chains begin under key.fold("start") and move under key.fold("gibbs")
  std::vector<Tensor> moving = {};  // parameters in whose place chains move under these; empty: the model's
};
/// Where the phase stands: states of chains after their moves, the batch with means of mean field; of an
/// exact phase the batch as given.
State phase_state(const Phase& phase, const FactorGraph& graph, const PhaseCall& call, Carry& carry);
/// [rows]: F, or F(q) of means, or E at the chains' states with some variables summed out. Its gradient in
/// the parameters is what the phase expects of dE/dW; states are held.
Value phase_energy(const Phase& phase, const FactorGraph& graph, const PhaseCall& call, const State& state);

}  // namespace basin
