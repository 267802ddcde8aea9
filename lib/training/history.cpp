#include "training/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>
#include <variant>

#include "tensor/error.h"
#include "training/measures/measure.h"

namespace basin {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

void append(History::Table& table, std::int64_t at, const History::Metrics& metrics) {
  // They would stand where the file keeps what steps and epochs are counted by.
  for (const char* axis : {"step", "epoch"}) {
    if (metrics.contains(axis))
      throw Error(
          fmt::format("[history] expected metrics other than \"{}\", received one of that name; give "
                      "it another",
                      axis));
  }
  const std::size_t before = table.at.size();
  table.at.push_back(at);
  for (const auto& [name, value] : metrics) {
    auto& column = table.columns[name];
    column.resize(before, kMissing);
    column.push_back(value);
  }
  for (auto& [name, column] : table.columns) {
    column.resize(before + 1, kMissing);
  }
}

void write_table(Store& store, const std::string& group, const std::string& axis, const History& history,
                 const History::Table& table) {
  store.remove(group);
  store.put(group + "/" + axis, table.at);
  store.attribute(group + "/" + axis, "unit",
                  axis == "step" ? std::string("steps done") : std::string("epochs done"));
  for (const auto& [name, column] : table.columns) {
    store.put(group + "/" + name, column);
    store.attribute(group + "/" + name, "unit", history.unit(name));
  }
}

History::Table read_table(const Store& store, const std::string& group, const std::string& axis,
                          std::map<std::string, std::string>& units) {
  History::Table table;
  table.at = store.integers(group + "/" + axis);
  for (const std::string& path : store.list(group)) {
    std::string name = path.substr(group.size() + 1);
    if (name != axis) {
      const Store::Scalar unit = store.attribute(path, "unit");
      const auto* text = std::get_if<std::string>(&unit);
      if (text == nullptr)
        throw Error(fmt::format("[history] {}: {}: expected a unit in words", store.source(), path));
      units[name] = *text;
      table.columns[std::move(name)] = store.numbers(path);
    }
  }
  return table;
}

}  // namespace

void History::record_step(std::int64_t step, const Metrics& metrics) { append(steps_, step, metrics); }

void History::record_epoch(std::int64_t epoch, const Metrics& metrics) { append(epochs_, epoch, metrics); }

History::Metrics History::mean(std::int64_t begin, std::int64_t end) const {
  Metrics means;
  for (const auto& [name, column] : steps_.columns) {
    double sum = 0.0;
    std::int64_t count = 0;
    // The newest moments stand last, and an epoch's mean is asked for when the epoch ends.
    for (std::size_t i = column.size(); i-- > 0 && steps_.at[i] > begin;) {
      if (steps_.at[i] <= end && column[i] == column[i]) {
        sum += column[i];
        ++count;
      }
    }
    if (count > 0) {
      means[name] = sum / static_cast<double>(count);
    }
  }
  return means;
}

void History::write(Store& store) const {
  write_table(store, "/metrics/step", "step", *this, steps_);
  write_table(store, "/metrics/epoch", "epoch", *this, epochs_);
}

History History::read(const Store& store) {
  History history;
  history.steps_ = read_table(store, "/metrics/step", "step", history.units_);
  history.epochs_ = read_table(store, "/metrics/epoch", "epoch", history.units_);
  return history;
}

std::vector<std::string> telling_kinds(const History::Table& epochs) {
  std::vector<std::string> kinds;
  for (const char* kind :
       {"validation_error", "test_error", "step_error", "step_nats", "mse", "nmse", "pseudo_likelihood",
        "relative_error", "reconstruction_error", "free_energy", "loss"}) {
    const auto found = epochs.columns.lower_bound(kind);
    if (found != epochs.columns.end() && found->first.starts_with(kind)) kinds.emplace_back(kind);
  }
  return kinds;
}

std::vector<std::string> telling_metrics(const History::Table& epochs) {
  const auto layer = [](const std::string& name) {
    return std::strtol(name.c_str() + name.find_last_not_of("0123456789") + 1, nullptr, 10);
  };
  const auto says_less = [&](const std::string& a, const std::string& b) {
    const bool a_learned = is_of(a, "train"), b_learned = is_of(b, "train");
    return a_learned != b_learned ? a_learned : layer(a) < layer(b);
  };
  std::vector<std::string> names;
  for (const std::string& kind : telling_kinds(epochs)) {
    std::vector<std::string> own;
    for (const auto& [name, column] : epochs.columns) {
      if (name.starts_with(kind)) own.push_back(name);
    }
    names.push_back(*std::ranges::max_element(own, says_less));
  }
  return names;
}

std::string History::unit(const std::string& name) const {
  const auto read = units_.find(name);
  return read != units_.end() ? read->second : find_metric(name).unit;
}

}  // namespace basin
