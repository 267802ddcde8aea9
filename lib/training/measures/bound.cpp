#include "training/measures/bound.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "energy/likelihood/deep_bound.h"
#include "tensor/error.h"
#include "training/measures/likelihood.h"
#include "training/walk.h"

namespace basin {
namespace {

/// An estimate of log Z of the top that is in the store.
struct Partition {
  std::string name;
  double log_z = 0.0, standard_error = 0.0, effective_samples = 0.0;  // 0: it was enumerated
};

std::vector<Partition> partitions(const Store& store) {
  std::vector<Partition> found;
  for (const std::string name : {"exact", "forward", "reverse"}) {
    const std::string path = "/evaluation/" + name;
    if (!store.has(path + "/log_partition")) continue;
    const auto number = [&](const char* what) { return store.numbers(path + what).at(0); };
    found.push_back({name, number("/log_partition"), number("/standard_error"),
                     name == "exact" ? 0.0 : number("/effective_samples")});
  }
  if (found.empty())
    throw Error("[bound] expected log Z of the top, received none; measure its likelihood first");
  std::ranges::sort(found, {}, &Partition::log_z);
  return found;
}

std::string evaluate(const StageView& view, Store& store) {
  const auto& own = need<BeliefNet>(view.stage, "bound");
  const Index draws = need<Likelihood>(view.stage, "bound").bound_draws;
  const StageView below{
      .stage = own.first, .data = own.data, .preprocessing = view.preprocessing, .carry = view.carry};
  const auto& [samples, part] = judged(below);
  if (view.say) view.say(fmt::format("variational bound: {} draws of each sample", draws));

  // The bits that the first stage is measured on.
  const Source source = stage_source(own.first, samples, need<Likelihood>(own.first, "bound").scale);
  std::vector<double> log_weights;
  walk_through(source, source.count(), own.first.key.fold("evaluate").fold(part),
               [&](const State& batch, Index first) {
                 Context context = batch.context();
                 context.first_row = first;
                 State rows = batch;
                 const std::vector<double> found = deep_log_weights(
                     own.net, rows.in(context), draws, view.stage.key.fold("evaluate").fold("bound"));
                 log_weights.insert(log_weights.end(), found.begin(), found.end());
               });

  const std::vector<Partition> tops = partitions(store);
  const Partition& worst = tops.back();
  const DeepBound low = deep_bound(log_weights, draws, worst.log_z),
                  high = deep_bound(log_weights, draws, tops.front().log_z);
  const double error = std::hypot(low.standard_error, worst.standard_error);
  put_result(store, {part + "_bound", "nats", Better::Up}, low.bound);
  put_result(store, {part + "_bound_high", "nats", Better::Up}, high.bound);
  put_result(store, {part + "_importance_bound", "nats", Better::Up}, low.importance);
  put_result(store, {"bound_standard_error", "nats"}, error);
  if (worst.effective_samples > 0.0)
    put_result(store, {"bound_effective_samples", "samples"}, worst.effective_samples);
  std::string text = fmt::format("{:12} {} {:10.3f} nats  (log Z {}", "bound", part, low.bound, worst.name);
  if (tops.size() > 1) text += fmt::format("; {} {:.3f}", tops.front().name, high.bound);
  text += std::isfinite(error) ? fmt::format("; +- {:.3f}", error) : std::string("; error unknown");
  return text + fmt::format("; by importance {:.3f} of {} draws)\n", low.importance, draws);
}

}  // namespace

Measure bound_measure() {
  return {.name = "bound",
          .metrics = {},
          .results = {"test_bound", "test_bound_high", "test_importance_bound", "bound_standard_error",
                      "bound_effective_samples"},
          .evaluate = evaluate};
}

}  // namespace basin
