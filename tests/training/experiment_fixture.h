#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/device.h"
#include "training/experiment.h"
#include "training/measures/measure.h"

namespace basin::test {

/// The plan of a TOML text with some settings changed.
inline Plan plan_of_text(const std::string& toml, const std::vector<std::string>& settings = {}) {
  Config config = Config::parse(toml, "test.toml");
  for (const std::string& setting : settings) config.set(setting);
  return read_plan(config);
}

/// A number of the evaluation.
inline double number(const Store& store, const std::string& name) {
  return store.numbers("/evaluation/" + name).at(0);
}

/// What the stage of a results file measures again, with no particles of training.
inline Store evaluated(const Store& store, const Plan& plan) {
  const Stage stage = stage_of(store, plan, device());
  const Dataset data = load_data(plan);
  const Carry carry;
  Store measured;
  evaluate_measures({.stage = stage,
                     .data = [&]() -> const Dataset& { return data; },
                     .preprocessing = [&]() -> const Preprocessing& { return data.preprocessing; },
                     .carry = carry},
                    measured);
  return measured;
}

/// A folder of its own for the results of experiments on the device under test.
class ExperimentFolder : public testing::Test {
 protected:
  ExperimentFolder()
      : folder_(std::filesystem::temp_directory_path() /
                ("basin-experiment-test-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~ExperimentFolder() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name) const { return (folder_ / name).string(); }

  RunOptions options(const std::string& name) const {
    RunOptions options;
    options.file = file(name);
    options.device = device();
    options.replace = replace_;
    return options;
  }

  std::filesystem::path folder_;
  bool replace_ = false;  // files of other experiments
};

}  // namespace basin::test
