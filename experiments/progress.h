#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "training/fit.h"

namespace basin::program {

/// Shows how a training goes, on stderr: a bar that redraws itself on a terminal, lines at ends of epochs (at
/// most one a second, rarer later) elsewhere, nothing when quiet.
class Progress {
 public:
  explicit Progress(bool quiet);

  void step(const FitReport& report);
  /// A line of its own.
  void say(const std::string& line);

 private:
  /// What to say, the most telling first.
  std::vector<std::string> status(const FitReport& report, double now) const;
  double seconds() const;

  bool quiet_, terminal_;
  bool bar_shown_ = false;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double last_ = -1.0;     // seconds at which something was shown last
  Index first_step_ = -1;  // of the stage, done before this process began
  Index last_step_ = -1;
  double first_time_ = 0.0;  // when this process' first step was reported
};

/// "85 s", "12 min 5 s", "3 h 20 min".
std::string duration(double seconds);

}  // namespace basin::program
