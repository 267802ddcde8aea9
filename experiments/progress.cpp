#include "progress.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "console.h"
#include "readable.h"

namespace basin::program {
namespace {

/// The newest epoch metrics that say most, and the learning rate.
std::vector<std::string> metrics_of(const History& history) {
  constexpr std::size_t kShown = 2;
  const auto& columns = history.epochs().columns;
  std::vector<std::string> names = telling_metrics(history.epochs());
  names.resize(std::min(names.size(), kShown));
  if (columns.contains("learning_rate")) names.emplace_back("learning_rate");
  std::vector<std::string> fields;
  for (const std::string& name : names) {
    const double newest = columns.at(name).back();
    if (std::isfinite(newest)) fields.push_back(fmt::format("{} {:.4g}", name, newest));
  }
  return fields;
}

/// As many of the fields, in their order and whole, as fit into so many columns.
std::string line_of(const std::vector<std::string>& fields, std::size_t width) {
  std::string line;
  for (const std::string& field : fields) {
    const std::size_t gap = line.empty() ? 0 : 2;
    if (line.size() + gap + field.size() > width) break;
    line += std::string(gap, ' ') + field;
  }
  return line;
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

std::vector<std::string> Progress::status(const FitReport& report, double now) const {
  // The first step warms up (pages, workspaces, probes); the rate is that of those after it.
  const double rate = static_cast<double>(report.step - first_step_) / std::max(now - first_time_, 1e-9);
  const std::vector<std::string> metrics = metrics_of(*report.history);
  const auto behind_first = metrics.empty() ? metrics.end() : metrics.begin() + 1;
  std::vector<std::string> fields(metrics.begin(), behind_first);
  fields.push_back(fmt::format("epoch {}/{}", report.epoch, report.epochs));
  if (report.step > first_step_) {
    fields.push_back(duration(static_cast<double>(report.steps - report.step) / rate) + " left");
    fields.push_back(fmt::format("{:.0f} samples/s", rate * static_cast<double>(report.batch)));
  }
  fields.insert(fields.end(), behind_first, metrics.end());
  return fields;
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
    tell(fmt::format("{}\n", fmt::join(status(report, now), "  ")));
    return;
  }
  const std::size_t bar = terminal_width() < 120 ? 10 : 24;
  const auto done = static_cast<std::size_t>(static_cast<Index>(bar) * report.step / report.steps);
  const std::string shown = fmt::format("[{}{}] {:3d}%  ", std::string(done, '#'),
                                        std::string(bar - done, '.'), 100 * report.step / report.steps);
  const std::string line = shown + line_of(status(report, now), terminal_width() - 1 - shown.size());
  tell(fmt::format("\r\033[K{}{}", line, last ? "\n" : ""));
  bar_shown_ = !last;
}

void Progress::say(const std::string& line) {
  if (quiet_ && !line.starts_with("warning")) {
    return;
  }
  tell(fmt::format("{}{}\n", bar_shown_ ? "\r\033[K" : "", readable(line)));
  bar_shown_ = false;
}

}  // namespace basin::program
