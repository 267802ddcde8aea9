#pragma once

#include "energy/graph.h"

namespace basin {

/// What objectives of a density p(x | rest) are asked with: x, all variables of a block side by side, as they
/// stand in a batch. What else the batch holds is clamped, what it lacks is latent and summed out.
struct Joined {
  /// Throws Error, in the name of an objective, for a block without variables, one whose domain is another,
  /// one that the graph or the batch lacks, and one of sequences of several lengths.
  Joined(const char* who, const FactorGraph& graph, const Block& block, Domain domain, const State& batch);

  Block block;
  Block latents;
  Index size = 0;  // numbers of a row

  /// [N, size].
  Value values(const State& state) const;
  /// The state with these rows, [N, size], in the variables' places.
  State with(const State& state, const Value& rows) const;
};

/// Throws Error unless there is a variable and all are of that domain; `instead` says what else to take.
void require_domain(const char* who, const Block& block, Domain domain, const char* instead);

}  // namespace basin
