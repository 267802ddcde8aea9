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

/// What a stage shows of its fantasies: the last visible states, or their means given the last hidden ones.
enum class Fantasy { States, Means };

/// [chains, ...] at the end of Gibbs chains that start from the objective's particles, or from coin flips
/// (binary) or normals (real) where there are none. Draws under key.fold("samples").
Tensor fantasies(const StageView& view, const Sampling& how, Fantasy shown);

}  // namespace basin
