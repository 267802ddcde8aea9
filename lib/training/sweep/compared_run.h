#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "results/hdf5/store.h"
#include "training/experiment/compare_options.h"

namespace basin {

/// The experiment of a results file, key by key: "data.labels" -> "1000", "stages.first.train.epochs" -> "5";
/// without `results` and `compare`, and without what is expected of its numbers.
std::map<std::string, std::string> settings_of(const Store& results);

/// What a result has cost; NaN where the file does not say.
struct Budget {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

  std::int64_t trials = 0;          // among which its settings were selected ([select]); 0: none on record
  double trial_seconds = kUnknown;  // that those were trained for, all of them together
  double seconds = kUnknown;        // that it was trained for, with its pretraining, shared or not
  double updates = kUnknown;        // of all its stages
};

/// A metric of each test sample: its mean is the sum of the values over that of the weights.
struct ExampleNumbers {
  std::vector<double> values = {}, weights = {};  // weights {}: 1 each
};

/// What a comparison needs of a results file.
struct ComparedRun {
  std::string file;
  std::map<std::string, std::string> settings = {};  // as settings_of()
  std::map<std::string, double> results = {};        // metrics (result.h) of which more or less is better
  std::string telling = {};                          // the one that says most
  std::map<std::string, std::string> digests = {};   // of the samples measured on: "test", "validation"
  std::vector<std::int64_t> labels = {},
                            predictions = {};  // of the test samples; empty where none are stored
  std::vector<double> sequence_nats = {},
                      sequence_steps = {};     // of the test sequences; empty where none are stored
  std::optional<CompareOptions> planned = {};  // [compare] of the experiment
  Budget budget = {};

  /// Throws Error where the run is not complete.
  static ComparedRun of(const Store& results, const std::string& file);

  /// "test_error" from the stored predictions, "step_nats_test" from the stored numbers of each sequence.
  /// Throws Error for other metrics, and where the file does not hold them.
  ExampleNumbers examples(const std::string& metric) const;
};

}  // namespace basin
