#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "training/experiment/experiment.h"
#include "training/experiment/starting_point.h"
#include "training/stage_view.h"

namespace basin {

/// The results file of a run as it grows (layout: lib/results/LAYOUT.md), and what the run tells at its end.
class Record {
 public:
  /// Goes on from `resumed`. `data`: digest of the data set. Throws Error where the file was begun with other
  /// data.
  Record(const Plan& plan, const RunOptions& options, std::string file, std::optional<Store> resumed,
         const std::string& data, const Say& say);

  /// Whether stages have names of their own: [[stages]], or a head.
  bool is_pipeline() const { return plan_.is_pipeline(); }
  /// Whether epochs may be measured on test samples.
  bool watches_test() const { return plan_.data.test_use == TestUse::Epochs; }
  /// What the file holds of a stage.
  Store stage(const std::string& name) const;
  /// Takes the results of a stage and replaces the file by all there is.
  void save(const std::string& stage, const Store& results);
  /// Counts seconds that a stage was trained for by this process.
  void trained(const std::string& stage, double seconds);
  /// How long a stage was trained, by whichever processes; NaN where it is not on record.
  double train_seconds(const std::string& stage) const;
  /// Of a stage that another run has trained.
  void set_train_seconds(const std::string& stage, double seconds) { stage_seconds_[stage] = seconds; }
  /// Whether the last save was so long ago that a checkpoint should follow.
  bool is_due() const;
  /// What is on the disk, for messages.
  const std::string& saved() const { return saved_; }
  /// Compares a stage's evaluation with what its plan expects; not in a smoke run, nor where the run may not
  /// see its test samples.
  void judge(const StagePlan& plan, Store& results);
  /// Draws the pictures that a stage's plan names, beside the file.
  void draw(const StagePlan& plan, const StageView& view, const Store& results);

  /// Opens the file that the plan starts from, for a run that has stages to begin. Throws Error where it is
  /// the one that the run writes, or another than when the run was begun.
  void take_start();

  /// What else than this run's program, device and number of threads had a part in the file.
  std::vector<std::string> others() const;

  RunResult result;                              // with the file's contents
  StartingPoint start;                           // of stages that have no checkpoint yet
  std::map<std::string, Index> lengthened = {};  // stages that go on for longer: epochs they had before
  double evaluate_seconds = 0.0;                 // by this process

 private:
  void describe(const std::string& data);
  void put_time(const std::string& path, double value, const char* unit);

  const Plan& plan_;
  const RunOptions& options_;
  bool is_resumed_;
  std::string saved_;
  std::chrono::steady_clock::time_point last_save_ = std::chrono::steady_clock::now();
  std::map<std::string, double> stage_seconds_ = {};
  double earlier_train_ = 0.0, earlier_evaluate_ = 0.0;  // seconds, by processes before
};

/// Where a results file says how long a stage was trained: "/time/stages/first/train_seconds".
std::string time_of_stage(const std::string& stage);

/// The program beyond its revision, where that does not say all; else "".
std::string unrecorded_changes(const std::string& revision);

}  // namespace basin
