#pragma once

#include "energy/eliminate/eliminate.h"

namespace basin {

/// The state with an exact joint draw z ~ p(z | rest) of all latents, by whatever way free_energy() sums over
/// them: enumerated variables by their probabilities under key.fold("states").fold(name of the first), chains
/// backward under key.fold("chain").fold(name), what factors eliminate themselves under
/// key.fold("joint").fold(name of the first), tables backward under key.fold("tables"), units given these
/// under key.fold("units").fold(name). Row n draws what the row does in the whole batch; no history. Throws
/// Error where free_energy does, and for more than options.bytes of probabilities.
State sample_eliminated(const FactorGraph& graph, const Block& latents, const State& rest, Key key,
                        const EliminateOptions& options = {});

}  // namespace basin
