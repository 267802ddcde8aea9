#include "energy/objectives/held_loss.h"

#include <vector>

namespace basin {

Carry copied(const Carry& carry) {
  Carry copy;
  for (const auto& [name, tensor] : carry) copy[name] = tensor.clone();
  return copy;
}

HeldLoss held_loss(const Objective& objective, const FactorGraph& graph, std::span<const State> batches,
                   const Carry& carry, Key key) {
  if (const auto* holding = dynamic_cast<const HoldsStates*>(&objective))
    return holding->held_loss(graph, batches, carry, key);
  return {.value = [&objective, &graph, own = std::vector<State>(batches.begin(), batches.end()),
                    begun = copied(carry), key] {
    Carry passing = copied(begun);
    return objective.evaluate_all(graph, own, passing, key, {}).metrics.at("loss");
  }};
}

}  // namespace basin
