#pragma once

#include <string>
#include <vector>

#include "training/measures/sequences.h"
#include "training/plots/plot.h"

namespace basin {

/// Frames of a piece, [steps, keys] of 0 and 1.
struct Roll {
  std::string name;
  Tensor frames;
};

/// The beginnings of the first pieces that a stage is judged by, then as many that its model makes up, draws
/// of the n-th under key.fold("samples").fold(n).
std::vector<Roll> rolls(const StageView& view, const SequencePredictions& how);

/// The plot "samples" of such a stage: time to the right, pitch up, sounding keys black.
void draw_rolls(const Drawing& drawing, const StageView& view, const SequencePredictions& how);

}  // namespace basin
