#include <algorithm>
#include <utility>

#include "tensor/error.h"
#include "training/measures/classification.h"
#include "training/measures/codes.h"
#include "training/measures/dictionary_measures.h"
#include "training/measures/likelihood.h"
#include "training/measures/measure.h"
#include "training/measures/nmse.h"
#include "training/measures/reconstruction.h"
#include "training/measures/sequences.h"

namespace basin {
namespace {

/// What objectives and the fit itself report.
const std::vector<Metric>& common_metrics() {
  static const std::vector<Metric> all = {
      {"active", "fraction of the codes"},
      {"gap"},
      {"hidden_mean"},
      {"learning_rate", "parameter / gradient"},
      {"loss", "nats", Better::Down},
      {"reconstruction_error", "squared pixels a sample", Better::Down},
      {"sparsity"},
      {"steps", "iterations"},
      {"unconverged", "fraction of the samples", Better::Down},
  };
  return all;
}

const Measure& find_measure(const std::string& name) {
  for (const Measure& measure : measures()) {
    if (measure.name == name) return measure;
  }
  throw Error("[measures] expected the name of a measure, received '" + name + "'");
}

}  // namespace

const std::vector<Measure>& measures() {
  static const std::vector<Measure> all = {
      classification_measure(), codes_measure(),    coherence_measure(),
      free_energy_measure(),    gabor_measure(),    jacobian_measure(),
      likelihood_measure(),     nmse_measure(),     pseudo_likelihood_measure(),
      reconstruction_measure(), sequences_measure()};
  return all;
}

Metric find_metric(const std::string& name) {
  const std::string stem = name.substr(0, name.find_last_not_of("0123456789_") + 1);
  const auto find = [&](const std::vector<Metric>& defined) {
    return std::find_if(defined.begin(), defined.end(),
                        [&](const Metric& metric) { return metric.name == name || metric.name == stem; });
  };
  if (const auto found = find(common_metrics()); found != common_metrics().end()) return *found;
  for (const Measure& measure : measures()) {
    if (const auto found = find(measure.metrics); found != measure.metrics.end()) return *found;
  }
  return {.name = name};
}

Monitor monitor_of(const StageView& view) {
  std::vector<Monitor> monitors;
  for (const std::string& name : view.stage.monitors) monitors.push_back(find_measure(name).monitor(view));
  if (monitors.empty()) return {};
  return [monitors = std::move(monitors)] {
    std::map<std::string, double> metrics;
    for (const Monitor& monitor : monitors) metrics.merge(monitor());
    return metrics;
  };
}

std::string evaluate_measures(const StageView& view, Store& store) {
  std::string text;
  for (const std::string& name : view.stage.measures) text += find_measure(name).evaluate(view, store);
  return text;
}

namespace {

void describe_result(Store& store, const std::string& path, const Metric& metric) {
  store.attribute(path, "unit", metric.unit);
  if (metric.better != Better::Neither) {
    store.attribute(path, "better", std::string(metric.better == Better::Up ? "up" : "down"));
  }
}

}  // namespace

void put_result(Store& store, const Metric& metric, std::vector<double> numbers) {
  const std::string path = "/evaluation/" + metric.name;
  store.put(path, std::move(numbers));
  describe_result(store, path, metric);
}

void put_result(Store& store, const Metric& metric, double number) {
  const std::string path = "/evaluation/" + metric.name;
  store.put_number(path, number);
  describe_result(store, path, metric);
}

}  // namespace basin
