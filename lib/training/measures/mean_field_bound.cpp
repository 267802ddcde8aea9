#include "training/measures/mean_field_bound.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/eliminate/eliminate.h"
#include "energy/likelihood/annealed_importance.h"
#include "energy/sample/mean_field.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kTrainSamples = 10000;  // by which the bound of training samples is measured

/// What the data's side of the bound says of some samples.
struct DataSide {
  double energy = 0.0;         // mean of F(q)
  std::vector<Tensor> sums{};  // of the values and means of the even layers, f64
  Index count = 0;
};

DataSide walk_data(const StageView& view, const DeepMachine& machine, const Samples& samples, Index most,
                   const std::string& part) {
  const FactorGraph& graph = view.stage.graph;
  const MeanField means(machine.latents, {.iterations = machine.updates});
  DataSide side;
  std::vector<Value> sums(machine.even.size());
  const Source source = stage_source(view.stage, samples, machine.annealing.scale);
  side.count =
      walk_through(source, std::min(most, source.count()), view.stage.key.fold("evaluate").fold(part),
                   [&](const State& batch, Index) {
                     const State state = iterate(means, graph, batch, machine.updates, Key(0));
                     side.energy += sum(variational_free_energy(graph, machine.latents, state)).item();
                     for (std::size_t i = 0; i < sums.size(); ++i) {
                       const Value own = sum(flatten(state[machine.even[i]]), {0}).tensor().to(Dtype::F64);
                       sums[i] = sums[i].defined() ? sums[i] + own : own;
                     }
                   });
  side.energy /= static_cast<double>(side.count);
  for (const Value& own : sums) side.sums.push_back(own.tensor());
  return side;
}

State start_of_reverse(const StageView& view, const DeepMachine& machine, const DataSide& train, Key key) {
  const Placement placement = view.stage.graph.placement();
  State start;
  for (std::size_t i = 0; i < machine.even.size(); ++i) {
    const Variable& layer = machine.even[i];
    Value particles = particles_of(view.carry, layer, machine.annealing.chains, placement);
    if (!particles.defined()) {
      // Of chains that never were: units as independent as the base model has them, for the burn-in to mend.
      const Value rates =
          reshape(Value(train.sums[i].to(placement)) / static_cast<double>(train.count), {1, layer.size()});
      const Value rows = Value(Tensor::zeros({machine.annealing.chains, layer.size()}, placement)) + rates;
      particles = reshape(Value(bernoulli(key.fold(layer.name), rows.tensor())),
                          batched(layer, machine.annealing.chains));
    }
    start.set(layer, particles);
  }
  return start;
}

struct Estimate {
  std::string name;
  PartitionEstimate z;
};

std::vector<Estimate> log_partitions(const StageView& view, const DeepMachine& machine,
                                     const DataSide& train) {
  const FactorGraph& graph = view.stage.graph;
  const Likelihood& how = machine.annealing;
  if (how.method == "exact") {
    PartitionEstimate exact;
    exact.log_z = log_partition(graph).item();
    return {{"exact", exact}};
  }
  const Key key = view.stage.key.fold("evaluate");
  AnnealedImportanceOptions options;
  options.chains = how.chains;
  options.temperatures =
      how.three_part ? three_part_ladder(how.temperatures) : uniform_ladder(how.temperatures);
  options.fuse = how.fuse;
  for (std::size_t i = 0; i < machine.even.size(); ++i)
    options.base[machine.even[i].name] = base_bias(graph, machine.even[i], train.sums[i], train.count);
  options.key = key.fold("forward");
  std::vector<Estimate> found{{"forward", annealed_importance(graph, machine.even, machine.odd, options)}};
  if (!how.reverse) return found;
  options.key = key.fold("reverse");
  found.push_back(
      {"reverse", reverse_annealed_importance(graph, machine.even, machine.odd,
                                              start_of_reverse(view, machine, train, key.fold("start")),
                                              options, {.burn_in = how.burn_in})});
  distrust(found[1].z, found[0].z);
  return found;
}

std::string put_estimate(Store& store, const Estimate& estimate) {
  const std::string& name = estimate.name;
  const PartitionEstimate& z = estimate.z;
  const auto put = [&](const char* what, auto numbers) {
    put_result(store, {name + "/" + what, "nats"}, std::move(numbers));
  };
  put("log_partition", z.log_z);
  put("standard_error", z.standard_error);
  std::string text = fmt::format("{:12} log Z {:.3f}", name, z.log_z);
  if (!z.log_weights.empty()) {
    put("base_log_partition", z.base_log_z);
    put("log_partition_low", z.low);
    put("log_partition_high", z.high);
    put("log_weights", z.log_weights);
    put_result(store, {name + "/effective_samples", "samples"}, z.effective_samples);
    text += std::isfinite(z.standard_error) ? fmt::format(" +- {:.3f}", z.standard_error) : ", error unknown";
    text += fmt::format("; {:.1f} effective of {} chains", z.effective_samples, z.log_weights.size());
  }
  if (z.burn_in > 0) {
    put_result(store, {name + "/burn_in", "sweeps"}, static_cast<double>(z.burn_in));
    text += fmt::format(" after a burn-in of {} sweeps", z.burn_in);
  }
  text += "\n";
  if (!z.warning.empty()) text += fmt::format("  warning: {}; do not rely on it\n", z.warning);
  return text;
}

std::string evaluate(const StageView& view, Store& store) {
  const auto& machine = need<DeepMachine>(view.stage, "mean_field_bound");
  const auto& [samples, part] = judged(view);
  if (view.say) {
    view.say(fmt::format("variational bound: {} updates of mean field, log Z by {}", machine.updates,
                         machine.annealing.method == "exact"
                             ? std::string("enumeration")
                             : fmt::format("{} chains, {} temperatures", machine.annealing.chains,
                                           machine.annealing.temperatures)));
  }
  const DataSide train = walk_data(view, machine, view.data().train, kTrainSamples, "train"),
                 own = walk_data(view, machine, samples, kMostCounted, part);
  std::vector<Estimate> estimates = log_partitions(view, machine, train);
  std::string text;
  for (const Estimate& estimate : estimates) text += put_estimate(store, estimate);
  std::ranges::sort(estimates, {}, [](const Estimate& estimate) { return estimate.z.log_z; });
  const Estimate& worst = estimates.back();
  const double bound = -own.energy - worst.z.log_z, high = -own.energy - estimates.front().z.log_z;
  put_result(store, {part + "_bound", "nats", Better::Up}, bound);
  put_result(store, {part + "_bound_high", "nats", Better::Up}, high);
  put_result(store, {"train_bound", "nats", Better::Up}, -train.energy - worst.z.log_z);
  put_result(store, {"bound_standard_error", "nats"}, worst.z.standard_error);
  if (worst.z.effective_samples > 0.0)
    put_result(store, {"bound_effective_samples", "samples"}, worst.z.effective_samples);
  text += fmt::format("{:12} {} {:10.3f}  train {:10.3f} nats  (log Z {}", "bound", part, bound,
                      -train.energy - worst.z.log_z, worst.name);
  if (estimates.size() > 1) text += fmt::format("; {} {:.3f}", estimates.front().name, high);
  return text + ")\n";
}

}  // namespace

Measure mean_field_bound_measure() {
  std::vector<std::string> results = {"test_bound",           "test_bound_high",         "train_bound",
                                      "bound_standard_error", "bound_effective_samples", "reverse/burn_in"};
  for (const char* estimate : {"forward", "reverse", "exact"}) {
    for (const char* number : {"log_partition", "standard_error"})
      results.push_back(fmt::format("{}/{}", estimate, number));
    for (const char* number :
         {"base_log_partition", "log_partition_low", "log_partition_high", "effective_samples"})
      if (std::string(estimate) != "exact") results.push_back(fmt::format("{}/{}", estimate, number));
  }
  return {.name = "mean_field_bound",
          .metrics = {},
          .results = std::move(results),
          .gives =
              [](const Stage& stage, const std::string& result) {
                const Likelihood& how = need<DeepMachine>(stage, "mean_field_bound").annealing;
                if (result.starts_with("exact/")) return how.method == "exact";
                if (result.starts_with("forward/") || result == "bound_effective_samples")
                  return how.method == "ais";
                return !result.starts_with("reverse/") || (how.method == "ais" && how.reverse);
              },
          .evaluate = evaluate};
}

}  // namespace basin
