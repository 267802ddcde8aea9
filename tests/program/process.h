#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace basin::test {

struct Outcome {
  int code = -1;   // exit code; -1 when a signal ended it
  int signal = 0;  // that ended it; 0 for none
  std::string out, err;
  double seconds_after_signal = 0.0;
};

struct ProcessOptions {
  std::filesystem::path folder = ".";         // to run in
  std::vector<std::string> environment = {};  // "NAME=VALUE", added to this process'
  std::int64_t largest_file =
      0;  // bytes a file may have (RLIMIT_FSIZE, with SIGXFSZ ignored: a full disk); 0: any
  std::string out = {}, err = {};  // where they go instead of into the outcome: a file, "-": closed
  int signal_after_ms = -1;        // send `signal` so long after the start; -1: never
  int signal = 0;
  int again_after_ms = -1;  // and once more, so long after the first
};

/// Runs a program on one thread (unless the environment says otherwise), its stdin empty, and waits for its
/// end.
Outcome run_process(const std::vector<std::string>& words, const ProcessOptions& options = {});

}  // namespace basin::test
