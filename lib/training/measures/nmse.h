#pragma once

#include <functional>
#include <string>
#include <vector>

#include "training/measures/measure.h"

namespace basin {

/// Facet of a stage that recovers codes that are known, in more and more iterations or layers.
struct Recovery {
  static constexpr const char* kWhat = "codes that are known";

  struct Row {
    std::string method;
    std::vector<double> nmse;  // dB, one a depth
  };
  std::vector<Index> depths;
  /// Errors of the stage's network, whenever called, on so many test samples.
  std::function<std::function<std::vector<double>()>(Index samples)> network;
  /// Errors of the network and of what it competes with.
  std::function<std::vector<Row>(Index samples)> compare;
};

/// "nmse": errors against depth, /evaluation/depth and nmse/<method>; in epochs "nmse_test_<depth>".
Measure nmse_measure();

}  // namespace basin
