#pragma once

#include "energy/fuse.h"
#include "training/plots/plot.h"

namespace basin {

/// Facet for the plot "samples": a stage that can be sampled: two layers that are drawn in turn.
struct Sampling {
  static constexpr const char* kWhat = "layers that can be sampled";

  Variable visible, hidden;
  Index chains = 100, steps = 1000;  // sweeps
  Fuse fuse = Fuse::Auto;
};

}  // namespace basin
