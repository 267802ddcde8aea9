#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results/store.h"
#include "tensor/device.h"
#include "training/fit.h"
#include "training/plan.h"

namespace basin {

struct RunOptions {
  std::string file;  // where results go; "" = plan.results.file
  Device device = Device::Cpu;
  int threads = 0;       // 0: those of the file that is resumed, else all cores
  bool resume = false;   // go on from the file's checkpoint; with no file, start
  bool replace = false;  // allow replacing the results of another experiment, or a file that is none
  bool pictures = true;  // write the pictures that plan.results.plots names, beside the file
  std::string revision;  // of the program, for the record
};

/// What a run tells while it goes; any may be empty.
struct RunHooks {
  FitObserver step = {};  // after every step; false: checkpoint and stop
  Say say = {};           // one line on what begins now, or a warning
};

struct RunResult {
  bool complete = false;      // false: stopped by the hook
  bool was_complete = false;  // the file to resume was complete already: nothing was run
  std::string file;
  std::vector<std::string> pictures;
  std::string report;          // of the evaluation, lines for people; empty when was_complete
  double train_seconds = 0.0;  // by this process
  Index train_samples = 0;     // by this process
  Store store;                 // the file's contents
};

/// Trains, evaluates and draws what a plan says, into one results file (layout: lib/results/LAYOUT.md).
///
/// Everything is checked before the first step. Checkpoints replace the file as a whole, so that whoever
/// reads it, or comes after a kill, finds a complete checkpoint. A resumed run's file equals the unbroken
/// run's bit for bit, /time aside, on the same machine and number of threads. An existing file is replaced at
/// the first checkpoint, and only if it holds the same experiment.
/// Throws Error; the file is then as the last good checkpoint left it.
RunResult run_experiment(const Plan& plan, const RunOptions& options, const RunHooks& hooks = {});

/// The plan of a results file, with settings ("evaluate.ais.chains=500") applied to it. Throws Error when the
/// file was not written by run_experiment().
Plan plan_of(const Store& store, const std::vector<std::string>& settings = {});

/// The stage of a results file with the parameters that were evaluated: the averages where there are any.
Stage stage_of(const Store& store, const Plan& plan, Device device);

/// The objective's carried tensors in a results file.
Carry carry_of(const Store& store, Device device);

/// What became of the images that a results file's samples come from; nothing where the file says nothing.
Preprocessing preprocessing_of(const Store& store);

/// Path of a picture beside a results file: "results/rbm.h5", "basis", "png" -> "results/rbm_basis.png".
std::string picture_path(const std::string& file, const std::string& plot, const std::string& extension);

}  // namespace basin
