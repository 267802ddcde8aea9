#pragma once

#include <string>

#include "energy/transition.h"

namespace basin {

/// What may be asked of a factor's energy as a function of some of its variables, the members.
enum class Question {
  Apart,   // E(b) = E(0) + g.b + 1/2 h.b^2, h for real and non-negative members alone: they do not interact
  Lines,   // affine in each unit (one-hot group) with all others held, at means too
  Convex,  // E(b + u) >= E(b) + dE/db.u
};

/// Why the answer is no for term `term` of the graph, empty where it is yes. What orders declare is tested at
/// random points of the domains, drawn with the rest under a fixed key, and so is the derivative of both
/// sides by every parameter (a coupling that is still zero is found too). Where nothing is declared or there
/// are two members, which may couple at some values of the rest alone, it is tested around the first samples
/// of `data` too, at all states of few units or at random points of many sizes: random points may all lie in
/// one linear region of a network. The graph remembers answers (ProbeMemory), so that asking is cheap enough
/// for every step of a loop. With `others`, Apart asks too that h is the same at all values of these.
std::string objection(const FactorGraph& graph, std::size_t term, const Block& members, const State& data,
                      Question question = Question::Apart, const Block& others = {});

/// True where no factor couples members of a block.
bool stays_apart(const FactorGraph& graph, const Block& block, const State& data);

/// Throws Error "[conditional] block {h1, h2} interacts with itself; ..." where a factor couples members.
void require_no_interaction(const FactorGraph& graph, const Block& block, const State& data);

/// What mean field needs of an energy, so that E_q[E] = E(means) + 1/2 sum h Var_q for a q of independent
/// units: throws Error "[who] ..." naming factor and variable unless every factor is
///   - affine, or a diagonal quadratic in real and non-negative units, in each variable with all others held,
///     and the curvature in each unit is the same at all values of the other `units`, or
///   - affine in each binary unit or one-hot group of it with all others held, at means too (Chain).
void require_multi_affine(const FactorGraph& graph, const Block& units, const State& data, const char* who);

/// The variables of the block that a factor reads.
Block members_of(const Factor& factor, const Block& block);

}  // namespace basin
