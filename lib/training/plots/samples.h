#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "config/config.h"
#include "energy/fuse.h"
#include "training/plots/plot.h"

namespace basin {

/// Facet for the plot "samples": a stage that can be sampled: two blocks of layers that are drawn in turn.
struct Sampling {
  static constexpr const char* kWhat = "layers that can be sampled";

  Variable visible, hidden;
  Block with_visible = {}, with_hidden = {};  // further layers, drawn when those two are
  std::optional<Variable> label = {};         // beside the visible units, of a machine of samples and labels
  Index chains = 100, steps = 1000;           // sweeps
  Fuse fuse = Fuse::Auto;

  /// Apart from labels.
  bool is_two_layers() const { return with_visible.empty() && with_hidden.empty(); }
};

/// The keys [results] sample_chains and sample_steps, where they are given.
Sampling read_sampling(const Config& results, bool smoke);
/// The same of kinds whose experiments all say them: 100 chains of 1,000 steps by default.
Sampling read_stated_sampling(const Config& results, bool smoke);

/// What a stage shows of its fantasies: the last visible states, or their means given the last hidden ones.
enum class Fantasy { States, Means };

/// Samples that a stage makes up.
struct Fantasies {
  Tensor samples;                         // [chains, ...]
  std::vector<std::int32_t> labels = {};  // of those that have any
};

/// The ends of Gibbs chains that start from the objective's particles, or from coin flips (binary) or normals
/// (real) where there are none, and from all labels in turn; `clamped` labels, one a chain, stay. At the top
/// of a deep belief net (BeliefNet) what the layers below draw from them: samples of the first stage. Draws
/// under key.fold("samples"). Throws Error for labels that it does not have.
Fantasies fantasies(const StageView& view, const Sampling& how, Fantasy shown,
                    const std::vector<std::int32_t>& clamped = {});

}  // namespace basin
