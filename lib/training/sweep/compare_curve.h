#pragma once

#include <string>
#include <vector>

#include "results/pictures/band.h"
#include "results/text_table.h"
#include "training/sweep/compare_runs.h"

namespace basin {

/// The means of a comparison against the values of `over`, a curve for each choice of the other keys, in a
/// band: the interval of a bootstrap where that is the test, else one standard deviation of the runs to both
/// sides; none of a single run.
struct ComparisonCurves {
  std::vector<Curve> curves = {};
  std::vector<Band> bands = {};
  std::string band = {};  // what they are, for a caption
};
/// Throws Error without `over`.
ComparisonCurves curves_of(const Comparison& comparison);

/// The same numbers, a row a point: the keys, mean, low, high, n; names of columns say what the band is.
TextTable table_of_curves(const Comparison& comparison);

/// Draws the curves by the extension of `path`, .png or .svg, against a log axis where all values are above
/// 0, and writes their table beside it as .csv; where `path` is that, the table alone. Returns the files.
/// Throws Error for another extension.
std::vector<std::string> save_curves(const Comparison& comparison, const std::string& path);

}  // namespace basin
