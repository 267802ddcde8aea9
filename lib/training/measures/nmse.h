#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/generators/sparse_signals.h"
#include "energy/minimise/unroll/unroll.h"
#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage that recovers codes that are known, in more and more iterations or layers.
struct Recovery {
  static constexpr const char* kWhat = "codes that are known";

  /// Untrained inference, in several settings: at each depth the best of them counts.
  struct Rival {
    std::string method;
    std::vector<Unrolled> networks;
  };
  std::vector<Index> depths;
  std::shared_ptr<const Unrolled> network;
  /// So many signals of "test" or "validation", each made for that part alone, and their codes.
  std::function<SparseSignals::Batch(const std::string& part, Index samples)> signals;
  std::function<std::vector<Rival>()> rivals;
};

/// "nmse": 10 log10(sum |z_k(y) - x|^2 / sum |x|^2) in dB against the depth k, of the stage's network and of
/// its rivals: /evaluation/depth and nmse/<kind or method>; in epochs "nmse_test_<depth>" (or
/// "nmse_validation_<depth>"). As many signals as watched() and judged() have samples.
Measure nmse_measure();

}  // namespace basin
