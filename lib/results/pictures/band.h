#pragma once

#include <string>
#include <vector>

#include "results/pictures/picture.h"

namespace basin {

/// What lies around a curve: for each of its x from `low` to `high`; where one of both is not finite there is
/// none.
struct Band {
  std::vector<double> low, high;
};

/// save_plot() with a pale band behind each curve, in the curve's colour. Throws Error unless there is a band
/// for each curve, as long as it, also.
void save_plot(const std::vector<Curve>& curves, const std::vector<Band>& bands, const PlotOptions& options,
               const std::string& path);

}  // namespace basin
