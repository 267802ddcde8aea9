#include "training/measures/brackets.h"

#include <algorithm>
#include <vector>

#include "config/reader.h"
#include "energy/likelihood/annealed_importance.h"
#include "energy/likelihood/log_likelihood.h"
#include "training/measures/likelihood.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kMonitored = 1000;  // samples

Monitor monitor(const StageView& view) {
  const auto& likelihood = need<Likelihood>(view.stage, "brackets");
  const auto& how = need<Brackets>(view.stage, "brackets");
  const Key key = view.stage.key.fold("brackets");
  const Source train = stage_source(view.stage, view.data().train, likelihood.scale);
  AnnealedImportanceOptions options{
      .chains = how.chains, .temperatures = uniform_ladder(how.temperatures), .fuse = likelihood.fuse};
  options.base[likelihood.visible.name] =
      mean_bias(view.stage.graph, likelihood.visible, train, key.fold("train"));
  const State start = train.batch(over_and_over(how.chains, train.count()), key.fold("start"));
  const auto head = [&](const Samples& samples, const std::string& part) {
    const Source all = stage_source(view.stage, samples, likelihood.scale);
    return samples_between(all, 0, std::min(all.count(), kMonitored), key.fold(part));
  };
  const auto& [samples, part] = watched(view);
  std::map<std::string, State> parts{{"train", head(view.data().train, "train")}};
  if (samples.count > 0) parts.emplace(part, head(samples, part));
  return [&view_stage = view.stage, &carry = view.carry, &likelihood, &how, key, options, start, parts] {
    const FactorGraph& graph = view_stage.graph;
    const Block visible{likelihood.visible}, hidden{likelihood.hidden};
    AnnealedImportanceOptions own = options;
    own.key = key.fold("forward");
    const PartitionEstimate forward = annealed_importance(graph, visible, hidden, own);
    own.key = key.fold("reverse");
    const Value particles = particles_of(carry, likelihood.visible, how.chains, graph.placement());
    const State begin = particles.defined() ? State().set(likelihood.visible, particles) : start;
    const PartitionEstimate reverse =
        reverse_annealed_importance(graph, visible, hidden, begin, own, {.burn_in = how.burn_in});
    const double low = std::min(forward.low, reverse.low), high = std::max(forward.high, reverse.high);
    std::map<std::string, double> metrics{{"log_partition_low", low}, {"log_partition_high", high}};
    for (const auto& [name, batch] : parts) {
      const double energy = mean_free_energy(graph, hidden, batch);
      metrics["log_likelihood_low_" + name] = -energy - high;
      metrics["log_likelihood_high_" + name] = -energy - low;
    }
    return metrics;
  };
}

}  // namespace

Brackets read_brackets(const Config& table, bool smoke) {
  const Reader in(table);
  Brackets how{.chains = in.count("chains", 2, 50),
               .temperatures = in.count("temperatures", 3, 200),
               .burn_in = in.count("burn_in", 0, 50)};
  if (smoke) {
    how.chains = std::min<Index>(how.chains, 20);
    how.temperatures = std::min<Index>(how.temperatures, 20);
  }
  return how;
}

Measure brackets_measure() {
  std::vector<Metric> metrics{{"log_partition_high", "nats"}, {"log_partition_low", "nats"}};
  for (const char* part : {"test", "train"}) {
    metrics.push_back({std::string("log_likelihood_high_") + part, "nats", Better::Up});
    metrics.push_back({std::string("log_likelihood_low_") + part, "nats", Better::Up});
  }
  return {.name = "brackets", .metrics = metrics, .monitor = monitor};
}

}  // namespace basin
