#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/hdf5/store.h"
#include "training/measures/measure.h"

namespace basin {

/// A number that a run was measured by.
struct Result {
  double value = 0.0;
  Better better = Better::Neither;
};

/// A metric by its name in /evaluation of a results file's last stage ("test_error",
/// "exact/test_log_likelihood"); none where that holds no such number.
std::optional<Result> find_result(const Store& results, const std::string& metric);

/// Names of the metrics of which more or less is better.
std::vector<std::string> result_names(const Store& results);

/// The metric that says most: test_error, validation_error, else the first of test samples, of validation
/// samples, of all. "" where there is none.
std::string telling_result(const Store& results);

/// Seconds that the stages of a run were trained for, those from the cache as long as it took whoever trained
/// them. NaN where the file does not say.
double train_seconds(const Store& results);

}  // namespace basin
