#pragma once

#include "energy/objectives/contrast/phase.h"

namespace basin {

/// The means that mean field left of each sample when it was visited last, found by the sample's number
/// (Context::ids): carried as "means.<variable>" [samples, shape...], those of the uniform q at first. Of
/// variables that move one after the other the first is not kept, for its move does not read it.
class KeptMeans {
 public:
  /// Throws Error where samples have no numbers or a variable's extent is free.
  KeptMeans(const FactorGraph& graph, const MeanField& transition, const PhaseCall& call, Carry& carry);

  /// The call's data with what is kept.
  State begin() const;
  void keep(const State& state) const;

 private:
  Block kept_;
  const PhaseCall& call_;
  std::vector<Index> ids_;
  std::vector<Tensor> means_;  // of each that is kept, [samples, shape...]
};

}  // namespace basin
