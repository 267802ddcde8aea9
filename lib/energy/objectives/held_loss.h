#pragma once

#include <functional>
#include <span>
#include <string>

#include "energy/objectives/objective.h"

namespace basin {

/// The loss that a gradient is one of, as a function of where the parameters stand when it is called: for
/// checks by finite differences.
struct HeldLoss {
  std::function<double()> value = {};  // empty where there is none
  std::string why_none = {};
};

/// An objective that draws or infers states, and whose gradient is that of a loss with them held.
class HoldsStates {
 public:
  virtual ~HoldsStates() = default;
  /// That loss for these arguments, states as they are where the parameters stand now. Lives no longer than
  /// graph and objective.
  virtual HeldLoss held_loss(const FactorGraph& graph, std::span<const State> batches, const Carry& carry,
                             Key key) const = 0;
};

/// The loss whose gradient Objective::evaluate_all() gives for these arguments: with states held where it
/// holds them, else its metric "loss", worked out again under the same key.
HeldLoss held_loss(const Objective& objective, const FactorGraph& graph, std::span<const State> batches,
                   const Carry& carry, Key key);

/// The same with tensors of its own.
Carry copied(const Carry& carry);

}  // namespace basin
