#include "training/measures/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tensor/error.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kMonitored = 2000;  // test samples
constexpr Index kAll = std::numeric_limits<Index>::max();

/// Labels and predictions of samples [0, most).
struct Classified {
  std::vector<std::int64_t> labels, predictions;
  std::int64_t classes = 0;
  double gaps = 0.0;  // sum over samples of the largest score of another class minus that of the label

  double error() const {
    std::int64_t wrong = 0;
    for (std::size_t n = 0; n < labels.size(); ++n) wrong += labels[n] != predictions[n];
    return static_cast<double>(wrong) / static_cast<double>(labels.size());
  }
  double energy_gap() const { return gaps / static_cast<double>(labels.size()); }
};

/// The gap of one sample's scores.
double gap_of(std::span<const double> scores, std::size_t label) {
  double other = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < scores.size(); ++k) {
    if (k != label) other = std::max(other, scores[k]);
  }
  return other - scores[label];
}

Classified classify(const StageView& view, const Samples& samples, Index most) {
  const Column* labels = samples.labels();
  if (labels == nullptr) throw Error("[classification] expected samples with labels, received some without");
  const Module& scores = *need<Classifier>(view.stage, "classification").scores;
  Classified all;
  const auto visit = [&](const State& part, Index) {
    const Value& x = part[view.stage.inputs.at(0).variable];
    const Tensor found = scores.forward(x, part.context().with({})).tensor();
    const std::vector<double> numbers = found.values();
    all.classes = found.dim(1);
    for (auto row = numbers.begin(); row != numbers.end(); row += all.classes) {
      // No number is the largest of some that are not: the first class would be said.
      if (const auto bad = std::find_if(row, row + all.classes, [](double s) { return !std::isfinite(s); });
          bad != row + all.classes) {
        throw Error(fmt::format(
            "[classification] expected finite scores of every sample, received {} for sample {}; look at its "
            "numbers, or lower the learning rate",
            *bad, all.predictions.size()));
      }
      const std::int64_t label = labels->integers()[all.predictions.size()];
      all.gaps += gap_of({row, row + all.classes}, static_cast<std::size_t>(label));
      all.predictions.push_back(std::max_element(row, row + all.classes) - row);
    }
  };
  const Index count =
      walk_through(stage_means(view.stage, samples), most, view.stage.key.fold("evaluate"), visit);
  all.labels.assign(labels->integers().begin(), labels->integers().begin() + count);
  return all;
}

Monitor monitor(const StageView& view) {
  need<Classifier>(view.stage, "classification");
  return [view] {
    const auto& [samples, part] = watched(view);
    const Classified found = classify(view, samples, part == "test" ? kMonitored : kAll);
    return std::map<std::string, double>{{part + "_error", found.error()},
                                         {"energy_gap_" + part, found.energy_gap()}};
  };
}

void put_each(Store& store, const std::string& part, const Classified& found) {
  const auto classes = static_cast<std::size_t>(found.classes);
  std::vector<std::int64_t> confusion(classes * classes);
  for (std::size_t n = 0; n < found.labels.size(); ++n)
    ++confusion[static_cast<std::size_t>(found.labels[n]) * classes +
                static_cast<std::size_t>(found.predictions[n])];
  const std::string path = fmt::format("/evaluation/{}_", part);
  store.put(path + "confusion", std::move(confusion), {found.classes, found.classes});
  store.attribute(path + "confusion", "unit", std::string("samples, by label and prediction"));
  store.put(path + "predictions", found.predictions);
  store.put(path + "labels", found.labels);
}

std::string evaluate(const StageView& view, Store& store) {
  need<Classifier>(view.stage, "classification");
  const Dataset& data = view.data();
  std::string text = "classified  ";
  for (const auto& [part, samples] : {std::pair<std::string, const Samples*>{"test", &data.test},
                                      {"validation", &data.validation},
                                      {"train", &training_samples(view.stage, data)}}) {
    if (samples->count == 0) continue;
    const Classified found = classify(view, *samples, kAll);
    const double error = found.error();
    put_result(store, {part + "_error", "1", Better::Down}, error);
    put_result(store, {"energy_gap_" + part, "energy", Better::Down}, found.energy_gap());
    if (part == judged(view).name) put_each(store, part, found);
    text += fmt::format(" {} {:.2f} % wrong of {} (energy gap {:.3g}),", part, 100.0 * error, samples->count,
                        found.energy_gap());
  }
  text.back() = '\n';
  return text;
}

}  // namespace

Measure classification_measure() {
  return {.name = "classification",
          .metrics = {{"energy_gap_validation", "energy", Better::Down},
                      {"energy_gap_test", "energy", Better::Down},
                      {"validation_error", "1", Better::Down},
                      {"test_error", "1", Better::Down}},
          .results = {"test_error", "validation_error", "train_error", "energy_gap_test", "energy_gap_train"},
          .monitor = monitor,
          .evaluate = evaluate};
}

}  // namespace basin
