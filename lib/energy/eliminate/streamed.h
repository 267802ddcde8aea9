#pragma once

#include <functional>

#include "energy/marginal/closed_form.h"

namespace basin {

/// Energies of states [begin, end) at the values of a state: [N, end - begin].
using EnergiesOfStates = std::function<Value(const State& rest, Index begin, Index end)>;

/// -log sum_s exp(-E_s), or min_s E_s, [N], with at most `at_once` states in memory: for gradients the states
/// are evaluated a second time, weighted by exp(F - E_s); that of a minimum is of the first states that
/// attain it among those that were in memory together. A second derivative holds all states at once.
Value streamed(const FactorGraph& graph, const State& rest, Index states, Index at_once, Elimination how,
               EnergiesOfStates energies);

}  // namespace basin
