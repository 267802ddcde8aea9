#pragma once

#include <functional>

namespace basin {

/// A point along a line: phi(step) and phi'(step).
struct LinePoint {
  double step = 0.0, value = 0.0, slope = 0.0;
};

struct WolfeOptions {
  double decrease = 1e-4;  // of the slope at 0, that the value must fall by
  double curvature = 0.9;  // of the slope at 0, that the slope's size must fall to
  int evaluations = 20;    // at most
};

/// A step with phi(t) <= phi(0) + decrease t phi'(0) and |phi'(t)| <= curvature |phi'(0)|, from `first` on;
/// where none is found the best of those tried, {0, ..} when none is lower. What is not finite counts as too
/// far. Reference: Nocedal and Wright 2006, "Numerical optimization", algorithms 3.5 and 3.6, with cubic
/// interpolation (3.59).
LinePoint strong_wolfe(const LinePoint& start, double first,
                       const std::function<LinePoint(double step)>& evaluate, WolfeOptions options = {});

}  // namespace basin
