#include "training/optimizers/schedule.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <numbers>

#include "tensor/error.h"

namespace basin {
namespace {

/// The value of the last entry whose beginning is reached.
template <class Start>
double last_reached(const std::vector<std::pair<Start, double>>& entries, Start now) {
  double value = entries.front().second;
  for (const auto& [start, next] : entries) {
    if (start <= now) value = next;
  }
  return value;
}

template <class Start>
std::string describe(const char* name, const std::vector<std::pair<Start, double>>& entries) {
  std::vector<std::string> parts;
  for (const auto& [start, value] : entries) parts.push_back(fmt::format("{}: {}", start, value));
  return fmt::format("{}({})", name, fmt::join(parts, ", "));
}

template <class Start>
void check_entries(const char* name, const std::vector<std::pair<Start, double>>& entries) {
  if (entries.empty() || entries.front().first != Start{}) {
    throw Error(
        fmt::format("[schedule] {} expected entries that begin at 0, received {} of them; add one for 0",
                    name, entries.size()));
  }
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].first <= entries[i - 1].first) {
      throw Error(fmt::format("[schedule] {} expected rising starts, received {} after {}; sort the entries",
                              name, entries[i].first, entries[i - 1].first));
    }
  }
}

}  // namespace

Schedule::Schedule(double value)
    : function_([value](const Position&) { return value; }), description_(fmt::format("{}", value)) {}

Schedule::Schedule(std::function<double(const Position&)> function, std::string description)
    : function_(std::move(function)), description_(std::move(description)) {}

Schedule Schedule::linear(double from, double to) {
  return {[=](const Position& p) { return from + (to - from) * p.fraction; },
          fmt::format("linear({}, {})", from, to)};
}

Schedule Schedule::geometric(double from, double to) {
  if (!(from > 0.0 && to > 0.0)) {
    throw Error(fmt::format(
        "[schedule] geometric expected positive ends, received {} and {}; take linear to end at 0", from,
        to));
  }
  return {[=](const Position& p) { return from * std::pow(to / from, p.fraction); },
          fmt::format("geometric({}, {})", from, to)};
}

Schedule Schedule::cosine(double from, double to) {
  return {[=](const Position& p) {
            return to + 0.5 * (from - to) * (1.0 + std::cos(std::numbers::pi * p.fraction));
          },
          fmt::format("cosine({}, {})", from, to)};
}

Schedule Schedule::inverse_time(double from, double half_life) {
  if (!(half_life > 0.0)) {
    throw Error(
        fmt::format("[schedule] inverse_time expected a positive number of steps, received {}", half_life));
  }
  return {[=](const Position& p) { return from / (1.0 + static_cast<double>(p.step) / half_life); },
          fmt::format("inverse_time({}, {})", from, half_life)};
}

Schedule Schedule::piecewise(std::vector<std::pair<double, double>> entries) {
  check_entries("piecewise", entries);
  std::string description = describe("piecewise", entries);
  return {[entries = std::move(entries)](const Position& p) { return last_reached(entries, p.fraction); },
          std::move(description)};
}

Schedule Schedule::by_epoch(std::vector<std::pair<Index, double>> entries) {
  check_entries("by_epoch", entries);
  std::string description = describe("by_epoch", entries);
  return {[entries = std::move(entries)](const Position& p) { return last_reached(entries, p.epoch); },
          std::move(description)};
}

}  // namespace basin
