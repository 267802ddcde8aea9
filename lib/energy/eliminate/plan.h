#pragma once

#include <vector>

#include "energy/marginal/closed_form.h"

namespace basin {

/// Latents that factors link, and how they are eliminated: `units` and `chains` given the enumerated ones.
struct Component {
  Block enumerated, units, chains;
  Block inferred;    // alone, but for enumerated ones
  Index states = 1;  // of all enumerated
  Block all() const;
};

/// Splits latents into what can be eliminated, with the fewest enumerated states; what couples is asked of
/// objection(), on `rest`. One component of units alone where nothing interacts. Throws Error
/// "[who] cannot eliminate {h1, h2}: ..." when nothing does, or takes more than `states`.
std::vector<Component> plan_elimination(const FactorGraph& graph, const Block& latents, const State& rest,
                                        Elimination how, Index states);

}  // namespace basin
