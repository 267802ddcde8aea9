#include "training/measures/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "tensor/error.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kMonitored = 2000;

/// Fraction of samples [0, most) whose label is not the class of the largest score.
double error_of(const StageView& view, const Samples& samples, Index most) {
  const Column* labels = samples.labels();
  if (labels == nullptr) throw Error("[classification] expected samples with labels, received some without");
  const Module& scores = *need<Classifier>(view.stage, "classification").scores;
  Index wrong = 0;
  const Index count = walk_through(stage_source(view.stage, samples), most, view.stage.key.fold("evaluate"),
                                   [&](const State& part, Index first) {
                                     const Value& x = part[view.stage.inputs.at(0).variable];
                                     const Tensor found = scores.forward(x, part.context().with({})).tensor();
                                     const std::vector<double> numbers = found.values();
                                     const auto classes = static_cast<std::ptrdiff_t>(found.dim(1));
                                     for (Index n = 0; n < found.dim(0); ++n) {
                                       const auto row = numbers.begin() + n * classes;
                                       wrong += std::max_element(row, row + classes) - row !=
                                                labels->integers()[static_cast<std::size_t>(first + n)];
                                     }
                                   });
  return static_cast<double>(wrong) / static_cast<double>(count);
}

constexpr const char* kName = "classification_error";

Monitor monitor(const StageView& view) {
  need<Classifier>(view.stage, "classification");
  return [view] {
    // The test samples are looked at once, at the end, where there are others to watch a training by.
    const bool validates = view.data().validation.count > 0;
    const Samples& watched = validates ? view.data().validation : view.data().test;
    const std::string name = std::string(kName) + (validates ? "_validation" : "_test");
    return std::map<std::string, double>{{name, error_of(view, watched, kMonitored)}};
  };
}

std::string evaluate(const StageView& view, Store& store) {
  need<Classifier>(view.stage, "classification");
  std::string text = "classified  ";
  for (const auto& [part, samples] :
       {std::pair{"test", &view.data().test}, std::pair{"validation", &view.data().validation},
        std::pair{"train", &view.data().train}}) {
    if (samples->count == 0) continue;
    const double error = error_of(view, *samples, std::numeric_limits<Index>::max());
    put_result(store, {fmt::format("{}_{}", kName, part), "1", Better::Down}, error);
    text += fmt::format(" {} {:.2f} % wrong of {},", part, 100.0 * error, samples->count);
  }
  text.back() = '\n';
  return text;
}

}  // namespace

Measure classification_measure() {
  return {.name = "classification",
          .metrics = {{"classification_error_validation", "1", Better::Down},
                      {"classification_error_test", "1", Better::Down}},
          .monitor = monitor,
          .evaluate = evaluate};
}

}  // namespace basin
