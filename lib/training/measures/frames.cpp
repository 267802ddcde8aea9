#include "training/measures/frames.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/reader.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kTogether = 20;   // sequences
constexpr double kTrusted = 0.1;  // share of a frame's chains that effective samples should reach

void append(std::vector<double>& all, const std::vector<double>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

/// Of all frames of a part, its draws under `key`.
StepLogLikelihoods frames_of(const StageView& view, const FrameLikelihood& how, const Samples& samples,
                             const StepAnnealingOptions& annealing, Key key) {
  const Source source = stage_source(view.stage, samples);
  const Index count = std::min(source.count(), how.most.value_or(source.count()));
  StepLogLikelihoods all;
  for (Index first = 0; first < count; first += kTogether) {
    const State part = samples_between(source, first, std::min(first + kTogether, count), key);
    StepAnnealingOptions own = annealing;
    own.key = key.fold(static_cast<std::uint64_t>(first));
    const StepLogLikelihoods found = how.exact ? enumerate_steps(view.stage.graph, how.v, part)
                                               : anneal_steps(view.stage.graph, how.v, part, own);
    append(all.nats, found.nats);
    append(all.effective_samples, found.effective_samples);
    append(all.relative_errors, found.relative_errors);
    all.lengths.insert(all.lengths.end(), found.lengths.begin(), found.lengths.end());
  }
  return all;
}

/// -log p of each sequence, beside its steps.
void put_sequences(const StepLogLikelihoods& frames, Store& store) {
  std::vector<double> nats, steps;
  auto at = frames.nats.begin();
  for (const Index length : frames.lengths) {
    double total = 0.0;
    for (Index t = 0; t < length; ++t) total -= *at++;
    nats.push_back(total);
    steps.push_back(static_cast<double>(length));
  }
  store.put("/evaluation/test_sequence_nats", nats);
  store.attribute("/evaluation/test_sequence_nats", "unit", std::string("nats"));
  store.put("/evaluation/test_sequence_steps", steps);
}

std::string put_annealing(const StepLogLikelihoods& frames, const std::string& part, Index chains,
                          Store& store) {
  const auto put = [&](const char* name, const char* unit, double number) {
    put_result(store, {fmt::format("{}_{}", name, part), unit}, number);
  };
  std::vector<double> sorted = frames.effective_samples;
  std::ranges::sort(sorted);
  const double median = sorted[sorted.size() / 2];
  put("step_nats_error", "nats", frames.standard_error());
  put("step_nats_bias", "nats", frames.bias());
  put("effective_samples", "samples", median);
  put("least_effective_samples", "samples", sorted.front());
  const auto few = std::ranges::lower_bound(sorted, kTrusted * static_cast<double>(chains));
  std::string text = fmt::format(
      " +- {:.4f} (too low by {:.4f} on average; effective samples of {} chains a frame: median {:.1f}, "
      "least {:.1f})",
      frames.standard_error(), frames.bias(), chains, median, sorted.front());
  if (few != sorted.begin()) {
    text += fmt::format("\n  warning: in {} of {} frames fewer than a tenth of the chains carry the estimate",
                        few - sorted.begin(), sorted.size());
  }
  return text;
}

Monitor monitor(const StageView& view) {
  need<FrameLikelihood>(view.stage, "frames");
  return [view] {
    const auto& how = need<FrameLikelihood>(view.stage, "frames");
    const auto& [samples, part] = watched(view);
    const Key key = view.stage.key.fold("monitor");
    return std::map<std::string, double>{
        {"step_nats_" + part, -frames_of(view, how, samples, how.of_epochs, key).mean()}};
  };
}

std::string evaluate(const StageView& view, Store& store) {
  const auto& how = need<FrameLikelihood>(view.stage, "frames");
  if (view.say && !how.exact) {
    view.say(
        fmt::format("log-likelihood of frames by annealed importance sampling: {} chains a frame, {} "
                    "temperatures",
                    how.annealing.chains, how.annealing.temperatures));
  }
  std::string report;
  const Dataset& data = view.data();
  for (const auto& [part, samples] :
       {std::pair{std::string("test"), &data.test}, std::pair{std::string("validation"), &data.validation}}) {
    if (samples->count == 0) continue;
    const Key key = view.stage.key.fold("evaluate").fold(part);
    const StepLogLikelihoods frames = frames_of(view, how, *samples, how.annealing, key);
    if (part == "test") put_sequences(frames, store);
    put_result(store, {"step_nats_" + part, "nats", Better::Down}, -frames.mean());
    report += fmt::format("frames       step_nats_{} {:.4f}", part, -frames.mean());
    if (!how.exact) report += put_annealing(frames, part, how.annealing.chains, store);
    report += "\n";
  }
  return report;
}

}  // namespace

ReadFrameLikelihood read_frame_likelihood(const Config& tables, bool smoke) {
  const Reader in(tables.table("evaluate"));
  ReadFrameLikelihood read;
  const std::string method = in.table().choice("log_likelihood", {"ais", "exact", "none"}, "ais");
  read.none = method == "none";
  read.how.exact = method == "exact";
  const Reader ais(in.table().table("ais"));
  read.how.annealing.chains = ais.count("chains", 1, 50);
  read.how.annealing.temperatures = ais.count("temperatures", 1, 200);
  read.how.of_epochs.chains = ais.count("epoch_chains", 1, 4);
  read.how.of_epochs.temperatures = ais.count("epoch_temperatures", 1, 50);
  if (smoke) {
    read.how.most = 5;
    for (StepAnnealingOptions* each : {&read.how.annealing, &read.how.of_epochs}) {
      each->chains = std::min<Index>(each->chains, 2);
      each->temperatures = std::min<Index>(each->temperatures, 2);
      each->mean_field = 1;
    }
  }
  return read;
}

Measure frames_measure() {
  std::vector<std::string> results = {"step_nats_test"};
  for (const char* name :
       {"step_nats_error", "step_nats_bias", "effective_samples", "least_effective_samples"})
    results.push_back(fmt::format("{}_test", name));
  return {
      .name = "frames",
      .metrics = {{"step_nats_validation", "nats", Better::Down}, {"step_nats_test", "nats", Better::Down}},
      .results = std::move(results),
      .gives =
          [](const Stage& stage, const std::string& result) {
            return result == "step_nats_test" || !need<FrameLikelihood>(stage, "frames").exact;
          },
      .monitor = monitor,
      .evaluate = evaluate};
}

}  // namespace basin
