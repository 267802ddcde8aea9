#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tensor/error.h"
#include "training/measures/bound.h"
#include "training/measures/brackets.h"
#include "training/measures/chains.h"
#include "training/measures/classification.h"
#include "training/measures/codes.h"
#include "training/measures/density.h"
#include "training/measures/dictionary_measures.h"
#include "training/measures/frames.h"
#include "training/measures/hidden_units.h"
#include "training/measures/likelihood.h"
#include "training/measures/mean_field_bound.h"
#include "training/measures/measure.h"
#include "training/measures/nmse.h"
#include "training/measures/reading.h"
#include "training/measures/reconstruction.h"
#include "training/measures/retrieval.h"
#include "training/measures/sequences.h"

namespace basin {
namespace {

/// What objectives and the fit itself report.
const std::vector<Metric>& common_metrics() {
  static const std::vector<Metric> all = {
      {"active", "fraction of the codes"},
      {"energy_gap", "energy", Better::Down},
      {"error", "fraction of the samples", Better::Down},
      {"gap"},
      {"hidden_mean"},
      {"learning_rate", "parameter / gradient"},
      {"log_partition", "nats"},
      {"loss", "energy", Better::Down},
      {"reconstruction_error", "squared pixels a sample", Better::Down},
      {"sparsity"},
      {"steps", "iterations"},
      {"unconverged", "fraction of the samples", Better::Down},
  };
  return all;
}

/// What is measured of test samples is measured of validation samples, too, in the same unit.
std::string as_of_test(std::string name) {
  const std::size_t at = name.find("_validation");
  return at == std::string::npos ? name : name.replace(at, 11, "_test");
}

/// Without the number that it ends in.
std::string stem_of(const std::string& name) {
  return name.substr(0, name.find_last_not_of("0123456789_") + 1);
}

const Measure& find_measure(const std::string& name) {
  for (const Measure& measure : measures()) {
    if (measure.name == name) return measure;
  }
  throw Error("[measures] expected the name of a measure, received '" + name + "'");
}

/// One way to measure; null where a measure has another alone.
template <class Way>
Way expect_way(Way way, const std::string& name, const char* when) {
  if (way != nullptr) return way;
  throw Error(fmt::format("[measures] expected a measure of {}, received '{}', which is none", when, name));
}

}  // namespace

const std::vector<Measure>& measures() {
  static const std::vector<Measure> all = {bound_measure(),        brackets_measure(),
                                           chains_measure(),       classification_measure(),
                                           codes_measure(),        coherence_measure(),
                                           density_measure(),      frames_measure(),
                                           free_energy_measure(),  gabor_measure(),
                                           hidden_units_measure(), jacobian_measure(),
                                           likelihood_measure(),   mean_field_bound_measure(),
                                           nmse_measure(),         pseudo_likelihood_measure(),
                                           reading_measure(),      reconstruction_measure(),
                                           retrieval_measure(),    sequences_measure()};
  return all;
}

std::vector<std::string> numbers_of(const Stage& stage) {
  std::vector<std::string> names;
  const auto add = [&](const std::vector<Metric>& metrics) {
    for (const Metric& metric : metrics) names.push_back(metric.name);
  };
  for (const std::string& measure : stage.measures) {
    const Measure& own = find_measure(measure);
    std::ranges::copy_if(own.results, std::back_inserter(names), [&](const std::string& result) {
      return own.gives == nullptr || own.gives(stage, result);
    });
  }
  for (const std::string& measure : stage.monitors) add(find_measure(measure).metrics);
  if (stage.objective) add(common_metrics());
  return names;
}

bool is_measured(const Stage& stage, const std::string& name) {
  const std::vector<std::string> names = numbers_of(stage);
  return std::any_of(names.begin(), names.end(), [&](const std::string& own) {
    return own == name || own == as_of_test(name) || own == stem_of(as_of_test(name));
  });
}

std::vector<std::string> directed_metrics() {
  std::vector<std::string> names;
  const auto add = [&](const std::vector<Metric>& metrics) {
    for (const Metric& metric : metrics) {
      if (metric.better != Better::Neither) names.push_back(metric.name);
    }
  };
  add(common_metrics());
  for (const Measure& measure : measures()) add(measure.metrics);
  return names;
}

bool is_of(const std::string& metric, const std::string& part) {
  const std::size_t begin = metric.rfind('/') + 1, at = metric.find(part, begin);
  const auto stands_alone = [&](std::size_t i) { return i >= metric.size() || metric[i] == '_'; };
  return at != std::string::npos && (at == begin || metric[at - 1] == '_') && stands_alone(at + part.size());
}

Part watched(const StageView& view) {
  const Dataset& data = view.data();
  return data.validation.count > 0 ? Part{data.validation, "validation"} : Part{data.test, "test"};
}

Part judged(const StageView& view) {
  const Dataset& data = view.data();
  return data.test.count > 0 ? Part{data.test, "test"} : Part{data.validation, "validation"};
}

Metric find_metric(const std::string& name) {
  if (const std::string of_test = as_of_test(name); of_test != name) {
    Metric same = find_metric(of_test);
    same.name = name;
    return same;
  }
  const std::string stem = stem_of(name);
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
  if (view.stage.monitors.empty() || watched(view).samples.count == 0) return {};
  for (const std::string& name : view.stage.monitors)
    monitors.push_back(expect_way(find_measure(name).monitor, name, "epochs")(view));
  return [monitors = std::move(monitors)] {
    std::map<std::string, double> metrics;
    for (const Monitor& monitor : monitors) metrics.merge(monitor());
    return metrics;
  };
}

std::string evaluate_measures(const StageView& view, Store& store) {
  std::string text;
  for (const std::string& name : view.stage.measures)
    text += expect_way(find_measure(name).evaluate, name, "trained stages")(view, store);
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
