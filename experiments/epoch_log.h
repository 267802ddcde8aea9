#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "training/fit.h"

namespace basin::program {

/// The metrics of epochs as a CSV file that grows while a run goes on: a line with their names, then one an
/// epoch. It always holds the run's epochs, each once, also where the run was resumed or went back. Of
/// several stages each has a file of its own, FILE_<stage>.csv.
class EpochLog {
 public:
  /// `path` "": no log. A file that cannot be written stops nothing: `say` is told once.
  EpochLog(std::string path, bool is_pipeline, std::function<void(const std::string&)> say);

  void step(const FitReport& report);

 private:
  void write(const std::string& path, const std::string& text, bool append);

  std::string path_, stage_;
  bool is_pipeline_;
  std::function<void(const std::string&)> say_;
  std::vector<std::string> names_;  // of the columns of the file
  std::vector<Index> epochs_;       // in the file
};

}  // namespace basin::program
