#pragma once

#include <string>
#include <vector>

#include "training/plots/plot.h"

namespace basin {

/// Facet for the plot "reconstructions": a stage that shows more of samples than decoder(encoder(sample)).
struct Reconstructions {
  static constexpr const char* kWhat = "reconstructions";

  struct Row {
    std::string name;
    Value pictures;  // [N, ...]
  };
  /// Rows about a batch: the samples, then what becomes of them.
  std::function<std::vector<Row>(const State& batch, Key key)> rows;
  Index shown = 20;  // samples
};

}  // namespace basin
