#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "results/hdf5/store.h"
#include "training/stage.h"

namespace basin {

/// What an experiment expects of a number of a stage's evaluation, or else of the last epoch's metrics: that
/// it lies in [low, high].
struct ExpectedNumber {
  std::string name;
  double low = 0.0, high = 0.0;
};

/// Reads a table [expect], `"forward/test_log_likelihood" = [-90.0, -80.0]`. Throws Error unless each key has
/// two numbers, the lower one first.
std::vector<ExpectedNumber> read_expected(const Config& table);

/// Throws Error, before anything is trained, for a name that no measure of the stage gives; `where` opens the
/// message.
void check_expected(const std::vector<ExpectedNumber>& expected, const Stage& stage,
                    const std::string& where);

/// Compares a stage's results with what was expected, writes /expect (LAYOUT.md) and returns a line for each
/// number. One that was not measured after all counts as missed.
std::string judge_expected(const std::vector<ExpectedNumber>& expected, Store& results);

/// The same lines of what a stage's results were judged by; "" where nothing was expected of them.
std::string expected_lines(const Store& results);

/// "test_error", "first: loss", ...: the numbers of a results file that are not where they were expected.
std::vector<std::string> missed_numbers(const Store& file);

}  // namespace basin
