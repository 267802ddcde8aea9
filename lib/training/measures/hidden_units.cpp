#include "training/measures/hidden_units.h"

#include <algorithm>

#include "autograd/ops.h"
#include "training/measures/likelihood.h"
#include "training/source.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kWatched = 1000;  // samples
constexpr double kOff = 0.01;     // a mean

Monitor monitor(const StageView& view) {
  const auto& how = need<Likelihood>(view.stage, "hidden_units");
  const Source all = stage_source(view.stage, view.data().train);
  const State batch =
      samples_between(all, 0, std::min(all.count(), kWatched), view.stage.key.fold("evaluate").fold("train"));
  return [&stage = view.stage, &how, batch] {
    const Value means = flatten(stage.encoder->forward(batch[stage.inputs.at(0).variable]).detached());
    const Value highest = max(means, 0), lowest = -max(-means, 0);
    std::map<std::string, double> metrics = {{"dead_units", mean(step(kOff - highest)).item()}};
    if (how.hidden.domain == Domain::Binary)
      metrics["saturated_units"] = mean(step(lowest - (1.0 - kOff))).item();
    return metrics;
  };
}

}  // namespace

Measure hidden_units_measure() {
  return {.name = "hidden_units",
          .metrics = {{"dead_units", "fraction of the hidden units"},
                      {"saturated_units", "fraction of the hidden units"}},
          .monitor = monitor};
}

}  // namespace basin
