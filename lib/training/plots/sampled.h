#pragma once

#include "data/column.h"
#include "training/stage_view.h"

namespace basin {

struct SampledOptions {
  Index count = 100;
  Index steps = 0;     // Gibbs sweeps, or steps of a sequence; 0: as the stage's plot "samples" has them
  bool means = false;  // of the visible units given the last hidden states, in the place of drawn ones
};

/// Samples that a trained stage makes up, as a column "sample": visible states at the end of Gibbs chains
/// (plots/samples.h), sequences of bits [steps, size] as reals, of symbols [steps] as categories. Draws under
/// the stage's key. Throws Error for a stage that makes up neither.
Column sampled(const StageView& view, const SampledOptions& options);

}  // namespace basin
