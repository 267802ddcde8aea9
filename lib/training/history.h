#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "results/hdf5/store.h"

namespace basin {

/// Metrics of a fit over time. A name has one number per recorded moment; where a metric was not measured
/// stands a NaN.
class History {
 public:
  using Metrics = std::map<std::string, double>;

  /// Metrics measured in the step that made `step` the number of steps done.
  void record_step(std::int64_t step, const Metrics& metrics);
  /// Metrics of the epoch that made `epoch` the number of epochs done.
  void record_epoch(std::int64_t epoch, const Metrics& metrics);

  /// Mean of each step metric over the recorded steps in (begin, end].
  Metrics mean(std::int64_t begin, std::int64_t end) const;

  struct Table {
    std::vector<std::int64_t> at;  // steps or epochs done
    std::map<std::string, std::vector<double>> columns;
  };
  const Table& steps() const { return steps_; }
  const Table& epochs() const { return epochs_; }
  /// Of a metric: as it was set, or as the file says that it was read from, else by the metric's definition.
  std::string unit(const std::string& name) const;
  void set_unit(const std::string& name, std::string unit) { units_[name] = std::move(unit); }

  /// /metrics/step/{step, ...} and /metrics/epoch/{epoch, ...}, each with an attribute `unit`.
  void write(Store& store) const;
  static History read(const Store& store);

 private:
  Table steps_, epochs_;
  std::map<std::string, std::string> units_;  // set, or read from a file
};

/// What the names of metrics of epochs begin with, those that say most to people first: errors, then what
/// else is measured, then the objective's `loss`: that of contrastive divergence says nothing by itself.
std::vector<std::string> telling_kinds(const History::Table& epochs);
/// A metric of each: of samples that nothing learned from where there is one, of many layers the last.
std::vector<std::string> telling_metrics(const History::Table& epochs);

}  // namespace basin
