#pragma once

#include <optional>

#include "config/config.h"
#include "energy/fuse.h"
#include "energy/transition.h"

namespace basin {

/// Facet of a stage that can be sampled: two blocks of layers that are drawn in turn. The plot "samples" and
/// the measure "chains" ask for it.
struct Sampling {
  static constexpr const char* kWhat = "layers that can be sampled";

  Variable visible, hidden;
  Block with_visible = {}, with_hidden = {};  // further layers, drawn when those two are
  std::optional<Variable> label = {};         // beside the visible units, of a machine of samples and labels
  Index chains = 100, steps = 1000;           // sweeps
  Fuse fuse = Fuse::Auto;

  /// Apart from labels.
  bool is_two_layers() const { return with_visible.empty() && with_hidden.empty(); }
  /// Visible units with the layers that are drawn when they are, without labels; and the others.
  Block visible_block() const;
  Block hidden_block() const;
};

/// States [chains, ...] that know nothing of a model: bits are coin flips, categories even draws, numbers
/// from a standard normal, non-negative ones their absolute values.
Value noise_of(const Variable& variable, Index chains, Key key, Placement placement);

/// The keys [results] sample_chains and sample_steps, where they are given.
Sampling read_sampling(const Config& results, bool smoke);
/// The same of kinds whose experiments all say them: 100 chains of 1,000 steps by default.
Sampling read_stated_sampling(const Config& results, bool smoke);

}  // namespace basin
