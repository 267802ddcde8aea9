#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "results/hdf5/store.h"
#include "results/statistics.h"
#include "results/text_table.h"

namespace basin {

/// The experiment of a results file, key by key: "data.labels" -> "1000", "stages.first.train.epochs" -> "5";
/// without `results`, and without what is expected of its numbers.
std::map<std::string, std::string> settings_of(const Store& results);

/// What a comparison needs of a results file.
struct ComparedRun {
  std::string file;
  std::map<std::string, std::string> settings = {};  // as settings_of()
  std::map<std::string, double> results = {};        // metrics (result.h) of which more or less is better
  std::string telling = {};                          // the one that says most
  std::map<std::string, std::string> digests = {};   // of the samples measured on: "test", "validation"
  std::vector<std::int64_t> labels = {},
                            predictions = {};  // of the test samples; empty where none are stored

  /// Throws Error where the run is not complete.
  static ComparedRun of(const Store& results, const std::string& file);
};

struct CompareOptions {
  std::string by = {};      // the key whose values are compared; "": all that differ but seeds
  std::string metric = {};  // "": the one that says most
};

/// Runs in groups of equal settings, in the order of their files.
struct Comparison {
  struct Group {
    std::vector<std::string> settings;  // a value for each key
    std::vector<double> values = {};    // of the metric
    PairedDifference difference = {};   // to the first group, in pairs of runs alike in all other keys, but
                                        // for those of its table that only some values of `by` have
  };
  std::string metric;
  std::vector<std::string> keys = {};
  std::vector<Group> groups = {};
  std::optional<McNemar> mcnemar = {};  // of two runs that hold predictions of the same test samples

  /// A row a group: its settings, mean, deviation, n, difference, standard error, pairs.
  TextTable table() const;
};

/// Throws Error where runs were measured on other samples, saying which key of [data] differs; where a run
/// lacks the metric or the key; and where two runs of a group are alike in all keys.
Comparison compare_runs(const std::vector<ComparedRun>& runs, const CompareOptions& options);

}  // namespace basin
