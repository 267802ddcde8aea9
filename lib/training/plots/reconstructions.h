#pragma once

#include <vector>

#include "training/plots/plot.h"

namespace basin {

/// Facet for the plot "reconstructions": a stage that shows more of samples than decoder(encoder(sample)).
struct Reconstructions {
  static constexpr const char* kWhat = "reconstructions";

  /// Rows about a batch: the samples, then what becomes of them, [N, ...] each.
  std::function<std::vector<Value>(const State& batch, Key key)> rows;
  Index shown = 20;  // samples
};

}  // namespace basin
