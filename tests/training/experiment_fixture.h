#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "results/results_file.h"
#include "support/device.h"
#include "training/experiment/experiment.h"
#include "training/experiment/restored.h"
#include "training/measures/measure.h"

namespace basin::test {

/// The plan of a TOML text with some settings changed.
inline Plan plan_of_text(const std::string& toml, const std::vector<std::string>& settings = {}) {
  Config config = Config::parse(toml, "test.toml");
  for (const std::string& setting : settings) config.set(setting);
  return read_plan(config);
}

/// The results of the one stage of an experiment without [[stages]].
inline Store only(const Store& store) { return store.group(stage_group(kOnlyStage)); }

/// A number of the evaluation, of such results or of what was measured again.
inline double number(const Store& store, const std::string& name) {
  return (store.has("/stages") ? only(store) : store).numbers("/evaluation/" + name).at(0);
}

/// What the stage of a results file measures again.
inline Store evaluated(const Store& store, const Plan& plan) {
  RestoredStage stage(store, plan, "", device());
  Store measured;
  evaluate_measures(stage.view(), measured);
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
