#pragma once

#include <string>
#include <vector>

namespace basin {

/// One axis of a plot: what it spans and where its ticks stand, at round numbers.
struct Axis {
  double low = 0, high = 1;
  bool is_log = false;
  std::vector<double> ticks;
  std::vector<std::string> labels;  // of the ticks

  /// Place of a value: 0 at `low`, 1 at `high`.
  double place(double value) const;
};

/// An axis that holds [low, high], widened by `margin` of its length at both ends, with about `wanted` ticks
/// at 1, 2 or 5 times a power of ten; on a log axis at powers of ten, with the twos and fives between when
/// these are few. Bounds must be finite, and positive on a log axis; equal ones are set apart.
Axis make_axis(double low, double high, bool is_log, double margin, int wanted);

}  // namespace basin
