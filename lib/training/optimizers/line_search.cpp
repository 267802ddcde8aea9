#include "training/optimizers/line_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace basin {
namespace {

bool is_finite(const LinePoint& p) { return std::isfinite(p.value) && std::isfinite(p.slope); }

/// Where the cubic through two points with their slopes is least; NaN where it has no minimum.
double cubic_minimum(const LinePoint& a, const LinePoint& b) {
  const double d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step);
  const double d2 = std::copysign(std::sqrt(d1 * d1 - a.slope * b.slope), b.step - a.step);
  return b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
}

/// The cubic's minimum, kept within [low, high]; `otherwise` where it has none.
double guarded(const LinePoint& a, const LinePoint& b, double low, double high, double otherwise) {
  const double t = is_finite(a) && is_finite(b) ? cubic_minimum(a, b) : otherwise;
  return std::isfinite(t) ? std::clamp(t, low, high) : otherwise;
}

}  // namespace

LinePoint strong_wolfe(const LinePoint& start, double first,
                       const std::function<LinePoint(double step)>& evaluate, WolfeOptions options) {
  const auto falls = [&](const LinePoint& p) {
    return is_finite(p) && p.value <= start.value + options.decrease * p.step * start.slope;
  };
  const auto is_flat = [&](const LinePoint& p) {
    return std::abs(p.slope) <= -options.curvature * start.slope;
  };
  LinePoint low = start, high;
  double step = first;
  int left = options.evaluations;
  // Outwards, until a minimum lies between low and high.
  for (LinePoint previous = start;; step = guarded(previous, low, low.step + 1.1 * (low.step - previous.step),
                                                   low.step + 4.0 * (low.step - previous.step),
                                                   low.step + 4.0 * (low.step - previous.step))) {
    if (left-- == 0) return low;
    const LinePoint p = evaluate(step);
    if (!falls(p) || (low.step > 0.0 && p.value >= low.value)) {
      high = p;
      break;
    }
    if (is_flat(p)) return p;
    previous = std::exchange(low, p);
    if (p.slope >= 0.0) {
      high = previous;
      break;
    }
  }
  // Inwards: low is the lowest so far, and the slope there points to high.
  while (left-- > 0) {
    const double width = high.step - low.step;
    if (std::abs(width) <= 1e-12 * std::max(low.step, high.step)) break;
    const double near = low.step + 0.1 * width, far = low.step + 0.9 * width;
    const LinePoint p =
        evaluate(guarded(low, high, std::min(near, far), std::max(near, far), low.step + 0.5 * width));
    if (!falls(p) || p.value >= low.value) {
      high = p;
      continue;
    }
    if (is_flat(p)) return p;
    if (p.slope * width >= 0.0) high = low;
    low = p;
  }
  return low;
}

}  // namespace basin
