#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "console.h"

namespace basin::program {
namespace {

/// The newest epoch metrics, the most telling first.
std::string metrics_of(const History& history) {
  std::string text;
  const auto add = [&](const std::string& name, const std::vector<double>& column) {
    if (!column.empty() && std::isfinite(column.back())) {
      text += fmt::format("  {} {:.4g}", name, column.back());
    }
  };
  const auto& columns = history.epochs().columns;
  for (const char* name :
       {"pseudo_likelihood_test", "free_energy_test", "reconstruction_error", "relative_error_codes_test",
        "validation_error", "test_error", "loss", "learning_rate"}) {
    if (const auto found = columns.find(name); found != columns.end()) {
      add(name, found->second);
    }
  }
  return text;
}

}  // namespace

std::string duration(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole < 120) {
    return fmt::format("{} s", whole);
  }
  if (whole < 7200) {
    return fmt::format("{} min {} s", whole / 60, whole % 60);
  }
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {}

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

std::string Progress::status(const FitReport& report, double now) const {
  // The first step warms up (pages, workspaces, probes); the rate is that of those after it.
  const double rate = static_cast<double>(report.step - first_step_) / std::max(now - first_time_, 1e-9);
  std::string text = fmt::format("epoch {}/{}", report.epoch, report.epochs);
  if (report.step > first_step_) {
    text += fmt::format("  {:.0f} samples/s  {} left", rate * static_cast<double>(report.batch),
                        duration(static_cast<double>(report.steps - report.step) / rate));
  }
  return text + metrics_of(*report.history);
}

void Progress::step(const FitReport& report) {
  if (quiet_) {
    return;
  }
  const double now = seconds();
  if (first_step_ < 0 || report.step <= last_step_) {  // the first of a stage
    first_step_ = report.step;
    first_time_ = now;
  }
  last_step_ = report.step;
  const bool last = report.step == report.steps;
  const double pause =
      terminal_ ? 0.1 : std::max(1.0, 0.02 * now);  // lines grow rarer, so that a long run's log stays short
  if (!last && (now - last_ < pause || (!terminal_ && !report.epoch_ended))) {
    return;
  }
  last_ = now;
  if (!terminal_) {
    tell(fmt::format("{}\n", status(report, now)));
    return;
  }
  const std::size_t bar = terminal_width() < 120 ? 10 : 24;
  const auto done = static_cast<std::size_t>(static_cast<Index>(bar) * report.step / report.steps);
  std::string line = fmt::format("[{}{}] {:3d}%  {}", std::string(done, '#'), std::string(bar - done, '.'),
                                 100 * report.step / report.steps, status(report, now));
  line.resize(std::min(line.size(), terminal_width() - 1));
  tell(fmt::format("\r\033[K{}{}", line, last ? "\n" : ""));
  bar_shown_ = !last;
}

void Progress::say(const std::string& line) {
  if (quiet_ && !line.starts_with("warning")) {
    return;
  }
  tell(fmt::format("{}{}\n", bar_shown_ ? "\r\033[K" : "", line));
  bar_shown_ = false;
}

}  // namespace basin::program
