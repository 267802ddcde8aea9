#pragma once

#include <vector>

#include "energy/marginal/closed_form.h"

namespace basin {

/// Latents that factors link, and how they are eliminated: `units` and `chains` given the enumerated ones.
struct Component {
  Block enumerated = {}, units = {}, chains = {};
  Block joint = {};      // by what their factors say of all of them (Factor::structure)
  Block inferred = {};   // alone, but for enumerated ones
  Block tabulated = {};  // alone: one after another, from tables of each factor
  Index states = 1;      // of all enumerated
  Block all() const;
};

/// Splits latents into what can be eliminated, with the fewest enumerated states; what couples is asked of
/// objection(), on `rest`. One component of units alone where nothing interacts. Throws Error
/// "[who] cannot eliminate {h1, h2}: ..." when nothing does, or takes more than `states`.
std::vector<Component> plan_elimination(const FactorGraph& graph, const Block& latents, const State& rest,
                                        Elimination how, Index states);

}  // namespace basin
