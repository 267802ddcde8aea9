#pragma once

#include <optional>

#include "data/dataset.h"
#include "training/stage_view.h"

namespace basin {

struct SampledOptions {
  Index count = 100;
  Index steps = 0;  // moves of chains, or steps of a sequence; 0: as the experiment has them
  /// That all samples are to have; none: it is drawn, too, where a stage has labels.
  std::optional<Index> label = {};
  bool means = false;  // of the visible units given the last hidden states, in the place of drawn ones
};

/// Samples that a trained stage makes up, as a column "sample", and where it has labels "label": visible
/// states at the end of Gibbs chains (plots/samples.h; at the top of a deep belief net samples of its first
/// stage), those of an energy of nothing but samples at the end of chains from noise, by the transition of
/// [evaluate] chains or what suits (measures/chains.h); sequences of bits [steps, size] as reals, of symbols
/// [steps] as categories. Draws under the stage's key. Throws Error for a stage that makes up neither, and
/// for a label that it does not have.
Samples sampled(const StageView& view, const SampledOptions& options);

}  // namespace basin
