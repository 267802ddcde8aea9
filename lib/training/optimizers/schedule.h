#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "tensor/shape.h"

namespace basin {

/// Where a training stands.
struct Position {
  Index step = 0;         // updates made so far
  Index epoch = 0;        // passes over the data made so far
  double fraction = 0.0;  // of the whole training that is done, in [0, 1)
};

/// What a schedule counts in.
enum class Clock { Steps, Epochs };

/// A number that changes along a training: a learning rate or a momentum. A plain number is a constant
/// schedule.
class Schedule {
 public:
  Schedule(double value);  // NOLINT(google-explicit-constructor): `.learning_rate = 0.1`
  explicit Schedule(std::function<double(const Position&)> function) : function_(std::move(function)) {}

  static Schedule constant(double value) { return Schedule(value); }
  /// from + (to - from) * fraction.
  static Schedule linear(double from, double to = 0.0);
  /// from * (to / from)^fraction; both must be positive.
  static Schedule geometric(double from, double to);
  /// to + (from - to) * (1 + cos(pi fraction)) / 2.
  static Schedule cosine(double from, double to = 0.0);
  /// from / (1 + t / half_life): half after `half_life` steps or epochs.
  static Schedule inverse_time(double from, double half_life, Clock clock = Clock::Steps);
  /// from / max(1, t / hold): constant for `hold` steps or epochs, then falling as 1 / t (Darken and Moody
  /// 1990, "search then converge"; Bengio 2012, eq. 10).
  static Schedule hold(double from, double hold, Clock clock = Clock::Steps);
  /// from * factor^floor(t / every).
  static Schedule stairs(double from, double factor, Index every, Clock clock = Clock::Steps);
  /// The value of the last entry {epoch, value} whose epoch is reached; the first must begin at 0 and epochs
  /// must rise. {{0, 0.5}, {5, 0.9}} is the classic momentum ramp.
  static Schedule by_epoch(std::vector<std::pair<Index, double>> entries);

  /// This schedule times min(1, (t + 1) / warm_up): rising evenly over the first `warm_up` steps or epochs.
  Schedule warmed(Index warm_up, Clock clock = Clock::Steps) const;

  double operator()(const Position& position) const { return function_(position); }

 private:
  std::function<double(const Position&)> function_;
};

}  // namespace basin
