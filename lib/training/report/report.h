#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "results/hdf5/store.h"
#include "training/stage.h"

namespace basin {

/// A results file of a report, by the name that its page calls it.
struct ReportedRun {
  std::string file, name;
  Store results;

  /// Files by their stems where these differ, else as they are given. Throws Error naming a file that is no
  /// results file, or of a newer format, or not complete.
  static std::vector<ReportedRun> load(const std::vector<std::string>& files);
};

struct ReportOptions {
  std::string by = {}, metric = {};  // of the table of groups, as CompareOptions
  std::size_t pictured = 3;          // of so many files pictures are drawn
  Say say = {};
};

/// What runs were and gave, as one HTML page that needs nothing else (results/report/page.h): settings and
/// numbers side by side, groups of equal settings (sweep/compare_runs.h), curves, pictures, likelihoods, what
/// a selection tried, what fine-tuning did to the layers, and what made it all. A function of the files, and
/// where pictures are drawn of their data, alone. What cannot be said or drawn is said to be so, with the
/// reason.
std::string report(const std::vector<ReportedRun>& runs, const ReportOptions& options = {});

}  // namespace basin
