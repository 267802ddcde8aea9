#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "results/hdf5/store.h"
#include "training/stage_view.h"

namespace basin {

enum class Better { Neither, Up, Down };

/// What a number means. A name stands for all that end in a number of their own, too ("nmse_test_16").
struct Metric {
  std::string name;
  std::string unit = "1";
  Better better = Better::Neither;
};

/// Metrics of the epoch that has just ended.
using Monitor = std::function<std::map<std::string, double>()>;

/// One way to say how well a stage has learned. Each asks the stage for the facets it needs, and throws Error
/// where there are none.
struct Measure {
  std::string name;
  std::vector<Metric> metrics;  // of epochs
  /// Names of the numbers that evaluate() may put into /evaluation, as of test samples; not of lists.
  std::vector<std::string> results = {};
  /// Whether a stage is asked for one of them; null: for all.
  bool (*gives)(const Stage& stage, const std::string& result) = nullptr;
  /// Numbers of a few samples, epoch after epoch; null: not measured in epochs. The view outlives it.
  Monitor (*monitor)(const StageView& view) = nullptr;
  /// Numbers into /evaluation of the store, lines for people as the result; null: only measured in epochs.
  std::string (*evaluate)(const StageView& view, Store& store) = nullptr;
};

/// All there are, sorted by name: measures.cpp.
const std::vector<Measure>& measures();

/// The definition of a metric, by its name in a history or in /evaluation; without unit where nobody gives
/// one.
Metric find_metric(const std::string& name);

/// All of stage.monitors together; empty when there are none, or no samples to watch.
Monitor monitor_of(const StageView& view);
/// All of stage.measures: the lines of each.
std::string evaluate_measures(const StageView& view, Store& store);

/// Names of the numbers that a stage is measured by, in epochs or after training, as of test samples.
std::vector<std::string> numbers_of(const Stage& stage);
/// Whether a name is one of those, maybe with a number of its own ("nmse_test_16") or of validation samples.
bool is_measured(const Stage& stage, const std::string& name);

/// The metrics that measures define of which more or less is better.
std::vector<std::string> directed_metrics();
/// Whether a metric, by its name, is one of the samples of a part: of "test" are "test_error", "loss_test".
bool is_of(const std::string& metric, const std::string& part);

/// Samples that nothing learns from, and the word for them in names of metrics.
struct Part {
  const Samples& samples;
  std::string name;  // "test", "validation"
};
/// What a training is watched by: the validation samples, so that test samples are looked at in the end
/// alone, else the test samples; none of a run with neither (data.test_use).
Part watched(const StageView& view);
/// What a trained stage is measured by: the test samples, else the validation samples.
Part judged(const StageView& view);

/// /evaluation/<metric.name>, with its unit and direction as attributes.
void put_result(Store& store, const Metric& metric, std::vector<double> numbers);
void put_result(Store& store, const Metric& metric, double number);

}  // namespace basin
