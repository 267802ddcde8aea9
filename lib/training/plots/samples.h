#pragma once

#include "energy/fuse.h"
#include "training/plots/plot.h"

namespace basin {

/// Facet of a stage that can be sampled: two layers that are drawn in turn.
struct Sampling {
  static constexpr const char* kWhat = "layers that can be sampled";

  Variable visible, hidden;
  Index chains = 100, steps = 1000;  // sweeps
  Fuse fuse = Fuse::Auto;
};

/// "samples": fantasies: mean visible states at the end of Gibbs chains that start from the objective's
/// particles, or from coin flips (binary) or normals (real) where there are none. Draws under
/// key.fold("samples").
Plot samples_plot();

}  // namespace basin
