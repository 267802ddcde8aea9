#include "training/health.h"

#include <fmt/format.h>

#include <cmath>

namespace basin {
namespace {

constexpr double kTooMany = 0.5;  // of the hidden units

/// The last epoch's number; 0 where it was not measured.
double last(const History& history, const std::string& name) {
  const auto& columns = history.epochs().columns;
  const auto found = columns.find(name);
  return found == columns.end() || std::isnan(found->second.back()) ? 0.0 : found->second.back();
}

}  // namespace

std::string ailment(const History& history) {
  if (history.epochs().at.empty()) return "";
  const auto epoch = history.epochs().at.back();
  const double dead = last(history, "dead_units"), saturated = last(history, "saturated_units");
  if (dead + saturated >= kTooMany) {
    return fmt::format(
        "after epoch {}, {:.0f} % of the hidden units are off in every sample and {:.0f} % are on, so that "
        "they tell nothing; lower optimizer.learning_rate (now {:.3g}), tenfold to begin with, and give real "
        "samples unit variance",
        epoch, 100.0 * dead, 100.0 * saturated, last(history, "learning_rate"));
  }
  if (const double unconverged = last(history, "unconverged"); unconverged > 0.0) {
    return fmt::format(
        "inference of {:.3g} % of the samples measured in epoch {} did not converge (mean gap {:.2g}); raise "
        "inference.max_steps or inference.tolerance",
        100.0 * unconverged, epoch, last(history, "gap"));
  }
  return "";
}

}  // namespace basin
