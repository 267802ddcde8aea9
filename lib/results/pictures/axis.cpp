#include "results/pictures/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace basin {
namespace {

/// The step of 1, 2 or 5 times a power of ten next above `least`.
double round_step(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) {
      return factor * power;
    }
  }
  return 10 * power;
}

void set_linear_ticks(Axis& axis, int wanted) {
  const double step = round_step((axis.high - axis.low) / wanted);
  const double first = std::ceil(axis.low / step - 1e-9), last = std::floor(axis.high / step + 1e-9);
  const int digits = static_cast<int>(std::floor(std::log10(step) + 1e-9));
  const double largest = std::max(std::abs(first), std::abs(last)) * step;
  const bool is_plain = largest < 1e6 && digits >= -6;
  for (double i = first; i <= last; ++i) {
    const double value = i * step;  // not a running sum, whose rounding would show
    axis.ticks.push_back(value);
    axis.labels.push_back(i == 0     ? "0"
                          : is_plain ? fmt::format("{:.{}f}", value, std::max(0, -digits))
                                     : fmt::format("{:.6g}", value));
  }
}

void set_log_ticks(Axis& axis, int wanted) {
  const double from = std::floor(std::log10(axis.low)), to = std::ceil(std::log10(axis.high));
  const double stride = std::max(1.0, std::ceil((to - from) / (2 * wanted)));
  const std::vector<double> factors = to - from <= 3 ? std::vector<double>{1, 2, 5} : std::vector<double>{1};
  for (double power = from; power <= to; power += stride) {
    for (const double factor : factors) {
      const double value = factor * std::pow(10.0, power);
      if (value >= axis.low * (1 - 1e-9) && value <= axis.high * (1 + 1e-9)) {
        axis.ticks.push_back(value);
        axis.labels.push_back(fmt::format("{:.3g}", value));
      }
    }
  }
}

/// A minus sign as long as a plus, instead of a hyphen.
void use_minus(std::string& label) {
  for (std::size_t at = label.find('-'); at != std::string::npos; at = label.find('-', at + 3)) {
    label.replace(at, 1, "\xe2\x88\x92");
  }
}

}  // namespace

double Axis::place(double value) const {
  return is_log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
}

Axis make_axis(double low, double high, bool is_log, double margin, int wanted) {
  Axis axis;
  axis.is_log = is_log;
  if (is_log) {
    // Of an interval without length: a factor of two each way.
    const double widen = low == high ? 2.0 : std::pow(high / low, margin);
    axis.low = low / widen;
    axis.high = high * widen;
    set_log_ticks(axis, wanted);
  } else {
    // Numbers equal to eight digits count as equal: ticks between them would all read the same.
    const double size = std::max(std::abs(low), std::abs(high));
    const bool is_flat = high - low <= 1e-8 * size;
    const double widen = is_flat ? (size == 0 ? 1.0 : 0.1 * size) : margin * (high - low);
    axis.low = low - widen;
    axis.high = high + widen;
  }
  if (axis.ticks.size() < 2) {
    axis.ticks.clear();
    axis.labels.clear();
    set_linear_ticks(axis, wanted);
  }
  std::for_each(axis.labels.begin(), axis.labels.end(), use_minus);
  return axis;
}

}  // namespace basin
