#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace basin::benchmarks {

struct Arguments {
  std::vector<std::string> cases;
  int repeats = 5;
  double min_time = 0.4;
  bool json = false;
  std::string data;  // the folder of the numbers that versus.py shares with the peers

  bool wants(const std::string& name) const {
    return cases.empty() ||
           std::any_of(cases.begin(), cases.end(), [&](const std::string& c) { return name.starts_with(c); });
  }
  /// False, and a note, where the folder is not given.
  bool has_data(const char* name) const;
};

/// f32 numbers that a file of the data folder has and nothing else. Throws Error when there are fewer.
Tensor load(const Arguments& arguments, const std::string& file, const Shape& shape);

/// Runs job and limit in turn, so that both meet the same machine, and prints a line. `units` of work are
/// done by one call: the rate is reported, or the time where units is 0.
void measure(const std::string& name, const char* unit, double units, const std::function<void()>& job,
             const std::function<void()>& limit, const Arguments& arguments);

}  // namespace basin::benchmarks
