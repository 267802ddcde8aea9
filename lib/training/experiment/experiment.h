#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results/hdf5/store.h"
#include "tensor/device.h"
#include "training/experiment/plan.h"
#include "training/fit.h"

namespace basin {

struct RunOptions {
  std::string file;  // where results go; "" = plan.results.file
  Device device = Device::Cpu;
  std::int64_t threads = 0;     // 0: those of the file that is resumed, else all cores
  bool resume = false;          // go on from the file's checkpoint; with no file, start
  bool replace = false;         // allow replacing the results of another experiment, or a file that is none
  bool pictures = true;         // write the pictures that the stages' results.plots name, beside the file
  std::string revision;         // of the program, for the record and the cache
  std::string experiment = {};  // the TOML file, for the record
  std::string data = {};        // digest that the data must have; "": any
  std::string cache;            // folder for trained stages of a pipeline and their features; "": none
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
  std::string report;                    // of the evaluation, lines for people; empty when was_complete
  double train_seconds = 0.0;            // by this process
  Index train_samples = 0;               // by this process
  Store store;                           // the file's contents
  std::vector<std::string> missed = {};  // numbers that are not where the experiment expects them
};

/// Trains, evaluates and draws what a plan says, stage after stage, into one results file (layout:
/// lib/results/LAYOUT.md). Each stage learns from the means that the stages below it give; a head is trained
/// on top by the plan's protocol.
///
/// Everything is checked before the first step. Checkpoints replace the file as a whole, so that whoever
/// reads it, or comes after a kill, finds a complete checkpoint. A resumed run's file equals the unbroken
/// run's bit for bit, /time aside, on the same machine and number of threads, in whatever stage it was
/// killed; so does one whose stages came from the cache. An existing file is replaced at the first
/// checkpoint, and only if it holds the same experiment. Throws Error; the file is then as the last good
/// checkpoint left it.
RunResult run_experiment(const Plan& plan, const RunOptions& options, const RunHooks& hooks = {});

/// Path of a picture beside a results file: "results/rbm.h5", "basis", "png" -> "results/rbm_basis.png"; of a
/// stage of several "results/dbn_first_basis.png".
std::string picture_path(const std::string& file, const std::string& plot, const std::string& extension,
                         const std::string& stage = "");

}  // namespace basin
