#pragma once

#include <functional>
#include <string>

#include "data/dataset.h"
#include "results/store.h"
#include "training/experiment.h"
#include "training/stage_view.h"

namespace basin {

/// What the run of a stage is given.
struct StageWork {
  const StagePlan& plan;
  const Stage& stage;
  const Dataset& data;  // what it learns from
  const RunHooks& hooks;
  double checkpoint_seconds = 0.0;
  /// After every checkpoint: takes the stage's results into a file.
  std::function<void(const Store& results, double train_seconds, double evaluate_seconds)> save;
  std::function<std::string()> saved;  // what the file holds, for messages
  /// Draws the stage's pictures; called with the parameters that are evaluated.
  std::function<void(const StageView& view, const Store& results)> draw;
};

struct StageOutcome {
  bool complete = false;  // false: stopped by the hook
  double train_seconds = 0.0, evaluate_seconds = 0.0;
  Index train_samples = 0;
  std::string report;
};

/// Trains and measures a stage; goes on from `results` (a group of a results file, LAYOUT.md) where it holds
/// a checkpoint, and leaves all in it. The stage is left with the parameters that were evaluated. Throws
/// Error.
StageOutcome run_stage(const StageWork& work, Store& results);

/// Fills a stage's parameters and buffers from its complete results: the averages where there are any.
void restore_stage(const Stage& stage, const Store& results);

/// Whether a group holds a stage that is trained and measured.
bool is_complete(const Store& results);

}  // namespace basin
