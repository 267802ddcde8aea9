#pragma once

#include <functional>

#include "data/dataset.h"
#include "energy/sample/deep_belief.h"
#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage that is the top of a deep belief net: on restricted Boltzmann machines, whose units are
/// drawn from the means that it learns from.
struct BeliefNet {
  static constexpr const char* kWhat = "restricted Boltzmann machines below it";

  DeepBelief net;
  Stage first;                           // that the samples go to, and
  std::function<const Dataset&()> data;  // what it learns from
};

/// "bound": the variational bound on the log-likelihood of a deep belief net in nats a sample, of the samples
/// by which its first stage is judged, as there, and the log Z that "likelihood" has found of the top:
/// /evaluation/<part>_bound by the largest of its estimates, <part>_bound_high by the smallest;
/// bound_standard_error, of the draws and of log Z, and bound_effective_samples, of annealing, of the first;
/// <part>_importance_bound (energy/likelihood/deep_bound.h). Draws under key.fold("evaluate").
Measure bound_measure();

}  // namespace basin
