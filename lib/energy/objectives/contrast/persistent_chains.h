#pragma once

#include <vector>

#include "energy/objectives/contrast/phase.h"

namespace basin {

/// The chains that a phase keeps in its carry from one evaluation to the next: as many of each sample, found
/// by its number, where variables are clamped. Where none is, any chain serves any batch: all are those of
/// one sample.
class PersistentChains {
 public:
  /// options.persistent of a sample (kAsBatch: as the batch has samples, or 1 of each). Throws Error where
  /// samples have no numbers, or several rows each.
  PersistentChains(const FactorGraph& graph, const PhaseCall& call, Carry& carry,
                   const ChainsOptions& options);

  /// Where they stand, with what their transition remembers; those that have not begun stand at the data,
  /// what the data lack drawn under key.fold("start"). Row n begins anew where draw n of
  /// key.fold("restart").fold("which") says so, at what is drawn under key.fold("restart").fold("where").
  /// Throws Error when the carry holds other shapes.
  State begin();
  void keep(const State& state);

 private:
  Context common_context() const;
  State at_data(Key key) const;
  State restarted(const State& state) const;
  Tensor stored(const std::string& name, Shape shape, Placement placement);
  Value recalled(const std::string& name, const Shape& shape, const Value& fresh);
  void store(const std::string& name, const Tensor& rows);

  const FactorGraph& graph_;
  const PhaseCall& call_;
  Carry& carry_;
  const ChainsOptions& options_;
  Index chains_;            // of a sample
  bool common_;             // one sample's, for all
  bool begun_ = true;       // all of them
  std::vector<Index> ids_;  // of the samples
  Tensor begun_of_;         // [samples], host f64
};

/// The variables beside `state` drawn from their conditionals, where they do not interact, or else as units
/// that feel nothing.
State with_drawn(const FactorGraph& graph, const Block& variables, const State& state, Key key);

/// The variables beside `state` as units that feel nothing.
State with_noise(const Block& variables, const State& state, Key key);

/// The variables of a block that have no value.
Block missing(const Block& block, const State& state);

}  // namespace basin
