#pragma once

#include "energy/eliminate/eliminate.h"
#include "energy/eliminate/plan.h"

namespace basin {

/// The energy of one component with its units, chains and inferred variables eliminated, at states [begin,
/// end) of its enumerated variables: [N, end - begin]. What does not read the enumerated variables is
/// evaluated once a sample, what reads only them and other latents once a state, the rest at samples x states
/// (replicas, so that noise is the sample's). `rest` holds no latent.
Value component_energy(const FactorGraph& graph, const Component& component, const State& rest, Index begin,
                       Index end, Elimination how, const EliminateOptions& options);

/// That of all its states, [N]: -log sum exp(-E), or the minimum; streamed where it takes more than
/// options.bytes.
Value eliminated(const FactorGraph& graph, const Component& component, const State& rest, Elimination how,
                 const EliminateOptions& options);

/// States that fit into options.bytes, at least 1.
Index states_at_once(const FactorGraph& graph, const Component& component, const State& rest,
                     const EliminateOptions& options);

/// The scores of a chain at the rows of `rest`: those of its factors, and what pulls at it from other
/// factors, -dE/dx, [N, T, K].
ChainScores chain_scores(const FactorGraph& graph, const Variable& variable, const State& rest);

/// What one factor eliminates itself (Factor::structure), and what pulls at that.
struct JointPart {
  Block variables;
  std::vector<Value> drives;  // [N, shape...] of each
  std::shared_ptr<const Structure> structure;
};
/// Those of a component at the rows of `at`, which holds all but its latents. A component of other variables
/// too: these do not pull.
std::vector<JointPart> joint_parts(const FactorGraph& graph, const Component& component, const State& at);
/// The same with the drives of component.joint.
std::vector<JointPart> joint_parts(const FactorGraph& graph, const Component& component, const State& at,
                                   const std::vector<Value>& drives);

/// The terms that read one of the block.
FactorGraph only_touching(const FactorGraph& graph, const Block& block);

/// The values of variables outside the block.
State outside(const FactorGraph& graph, const Block& block, const State& state);

}  // namespace basin
