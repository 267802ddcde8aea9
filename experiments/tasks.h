#pragma once

#include <functional>
#include <string>
#include <vector>

#include "board.h"
#include "results/hdf5/store.h"
#include "training/sweep/sweep.h"

namespace basin::program {

/// A run of a sweep, and how it has gone.
struct Task {
  enum class Status { Waiting, Complete, Failed };

  SweepRun run;
  std::string file;  // of its results
  Status status = Status::Waiting;
  std::string failure = {};  // its reason
  bool was_killed = false;   // by another than itself: it may well be complete the next time
};

struct TaskOptions {
  std::string toml;
  std::vector<std::string> settings = {};  // of the command line, before those of a run
  std::vector<std::string> flags = {};     // for every `basin run`: "--no-cache"
  std::int64_t jobs = 1;                   // at a time
  std::int64_t threads = 1;                // of each
};

/// Sees results as soon as they are complete.
using Look = std::function<void(const Store& results)>;

/// Brings each task to its end by a process of its own, `basin run` with --resume: one whose file is complete
/// is left alone, one whose file is damaged begins anew beside it (a warning says its new name), and what
/// another process still writes to is waited for. False when somebody asked to stop:
/// all processes have then ended with a checkpoint.
bool run_tasks(std::vector<Task>& tasks, const TaskOptions& options, Board& board, const Look& look);

}  // namespace basin::program
