#include "training/measures/likelihood.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "config/reader.h"
#include "energy/eliminate/eliminate.h"
#include "energy/likelihood/annealed_importance.h"
#include "energy/likelihood/log_likelihood.h"
#include "energy/likelihood/pseudo_likelihood.h"
#include "energy/marginal/conditional_expansion.h"
#include "energy/marginal/enumerate.h"
#include "tensor/error.h"
#include "training/walk.h"

namespace basin {
namespace {

constexpr Index kMonitored = 1000;  // samples

/// Log-likelihoods under estimates of log Z: what all of them have in common is the data's side.
class Report {
 public:
  Report(const StageView& view, const Likelihood& how, const Source& train, Store& store)
      : store_(store), part_(judged(view).name) {
    const auto mean = [&](const Source& source, const char* part) {
      double sum = 0.0;
      const Key key = view.stage.key.fold("evaluate").fold(part);
      walk_through(source, source.count(), key, [&](const State& state, Index) {
        sum += mean_free_energy(view.stage.graph, {how.hidden}, state) * static_cast<double>(state.batch());
      });
      return sum / static_cast<double>(source.count());
    };
    train_energy_ = mean(train, "train");
    energy_ = mean(stage_source(view.stage, judged(view).samples, how.scale), part_.c_str());
  }

  /// Into the store's group, and a line for people.
  std::string add(const std::string& group, const char* name, const PartitionEstimate& z) const {
    const auto put = [&](const std::string& what, auto numbers, Better better = Better::Neither) {
      put_result(store_, {group + "/" + what, "nats", better}, std::move(numbers));
    };
    const double train = -train_energy_ - z.log_z;
    put("log_partition", z.log_z);
    put("standard_error", z.standard_error);
    put("train_log_likelihood", train, Better::Up);
    put(part_ + "_log_likelihood", judge(z), Better::Up);
    const std::string error =
        std::isfinite(z.standard_error) ? fmt::format(" +- {:.3f}", z.standard_error) : ", error unknown";
    std::string chains;
    if (!z.log_weights.empty()) {
      put("base_log_partition", z.base_log_z);
      put("log_partition_low", z.low);
      put("log_partition_high", z.high);
      put_result(store_, {group + "/effective_samples", "samples"}, z.effective_samples);
      put("log_weights", z.log_weights);
      chains = fmt::format("; {:.1f} effective of {} chains", z.effective_samples, z.log_weights.size());
    }
    if (z.burn_in > 0) {
      put_result(store_, {group + "/burn_in", "sweeps"}, static_cast<double>(z.burn_in));
      chains += fmt::format(" after a burn-in of {} sweeps", z.burn_in);
    }
    std::string text = fmt::format("{:12} {} {:10.3f}  train {:10.3f} nats  (log Z {:.3f}{}{})\n", name,
                                   part_, judge(z), train, z.log_z, error, chains);
    if (!z.warning.empty()) text += fmt::format("  warning: {}; do not rely on it\n", z.warning);
    return text;
  }
  /// The log-likelihood of the samples that the stage is judged by.
  double judge(const PartitionEstimate& z) const { return -energy_ - z.log_z; }

 private:
  Store& store_;
  std::string part_;
  double train_energy_ = 0.0, energy_ = 0.0;
};

/// A warning where every bit by the toss of a coin does better: of a model that has diverged.
std::string divergence(const Likelihood& how, double log_likelihood) {
  const double guessed = -log2_states({how.visible}) * std::numbers::ln2;
  if (std::isfinite(log_likelihood) && log_likelihood >= 2.0 * guessed) return "";
  return fmt::format("  warning: the model has diverged: guessing gives {:.3f} nats\n", guessed);
}

/// The training samples as the bits whose likelihood is measured; nullopt where these are drawn anew, or are
/// no bits: then no frequencies bound it.
std::optional<Samples> bits_of(const StageView& view, const Likelihood& how) {
  const Samples& samples = view.data().train;
  if (samples.is_real() || is_continuous(how.visible)) return std::nullopt;
  const PixelScale scale = how.scale == PixelScale::Stochastic ? PixelScale::Unit : how.scale;
  std::vector<std::uint8_t> bits;
  bool are_bits = true;
  walk_through(stage_source(view.stage, samples, scale), samples.count, view.stage.key,
               [&](const State& part, Index) {
                 for (const double number : part[how.visible].tensor().values()) {
                   are_bits = are_bits && (number == 0.0 || number == 1.0);
                   bits.push_back(number == 0.0 ? 0 : 255);
                 }
               });
  if (!are_bits) return std::nullopt;
  return Samples{byte_column("bits", how.visible.shape, std::move(bits))};
}

std::string evaluate_exactly(const StageView& view, const Likelihood& how, const Report& report,
                             Store& store) {
  PartitionEstimate exact;
  exact.log_z = log_partition(view.stage.graph).item();
  std::string text = report.add("exact", "exact", exact);
  if (const std::optional<Samples> bits = bits_of(view, how)) {
    const double best = best_log_likelihood(*bits);
    put_result(store, {"exact/train_entropy", "nats"}, -best);
    text += fmt::format("{:12} {:.4f} nats: no model exceeds it on the training samples\n", "bound", best);
  }
  return text + divergence(how, report.judge(exact));
}

std::string evaluate_by_annealing(const StageView& view, const Likelihood& how, const Report& report,
                                  const Source& train) {
  const Key key = view.stage.key.fold("evaluate");
  const FactorGraph& graph = view.stage.graph;
  AnnealedImportanceOptions options;
  options.chains = how.chains;
  options.temperatures =
      how.three_part ? three_part_ladder(how.temperatures) : uniform_ladder(how.temperatures);
  options.fuse = how.fuse;
  options.base[how.visible.name] = mean_bias(graph, how.visible, train, key.fold("train"));
  options.key = key.fold("forward");
  const PartitionEstimate forward = annealed_importance(graph, {how.visible}, {how.hidden}, options);
  std::string text = report.add("forward", "forward AIS", forward);
  if (how.reverse) {
    options.key = key.fold("reverse");
    const Value particles = particles_of(view.carry, how.visible, how.chains, graph.placement());
    const State start = particles.defined()
                            ? State().set(how.visible, particles)
                            : train.batch(over_and_over(how.chains, train.count()), key.fold("start"));
    PartitionEstimate reverse = reverse_annealed_importance(graph, {how.visible}, {how.hidden}, start,
                                                            options, {.burn_in = how.burn_in});
    distrust(reverse, forward);
    text += report.add("reverse", "reverse AIS", reverse);
  }
  return text + divergence(how, report.judge(forward));
}

std::string evaluate(const StageView& view, Store& store) {
  const auto& how = need<Likelihood>(view.stage, "likelihood");
  const bool exact = how.method == "exact";
  if (how.visible.domain == Domain::Binary && how.scale == PixelScale::Unit &&
      judged(view).samples.is_real()) {
    throw Error(
        "[likelihood] expected bits for binary visible units, received means, which have no likelihood; set "
        "evaluate.scale = \"stochastic\", which draws bits, or log_likelihood = \"none\"");
  }
  if (view.say) {
    view.say(exact ? std::string("exact log-likelihood by enumeration")
                   : fmt::format("log-likelihood by annealed importance sampling: {} chains, {} temperatures",
                                 how.chains, how.temperatures));
  }
  const Source train = stage_source(view.stage, view.data().train, how.scale);
  const Report report(view, how, train, store);
  return exact ? evaluate_exactly(view, how, report, store) : evaluate_by_annealing(view, how, report, train);
}

/// What `measure` says of the first samples of each part, metric by metric: name + "_train", name + "_test"
/// (or, as watched() says, "_validation").
template <class Measured>
Monitor monitor_both(const StageView& view, const char* who, Measured measure) {
  const auto& how = need<Likelihood>(view.stage, who);
  const auto head = [&](const Samples& samples, const std::string& part) {
    const Source all = stage_source(view.stage, samples, how.scale);
    return samples_between(all, 0, std::min(all.count(), kMonitored),
                           view.stage.key.fold("evaluate").fold(part));
  };
  const auto& [samples, part] = watched(view);
  return [&graph = view.stage.graph, &how, measure,
          parts = std::map<std::string, State>{{"train", head(view.data().train, "train")},
                                               {part, head(samples, part)}}] {
    std::map<std::string, double> metrics;
    for (const auto& [name, batch] : parts) {
      for (const auto& [metric, value] : measure(graph, how, batch)) metrics[metric + "_" + name] = value;
    }
    return metrics;
  };
}

}  // namespace

Likelihood read_likelihood(const Config& tables, bool bits, PixelScale data_scale, bool smoke) {
  const Reader in(tables.table("evaluate"));
  Likelihood how;
  how.method = in.table().choice("log_likelihood", {"ais", "exact", "none"}, "ais");
  // A likelihood is one of the values the visible units can take: binary units need bits.
  const bool is_unit = data_scale == PixelScale::Unit, is_threshold = data_scale == PixelScale::Threshold;
  how.scale = read_pixel_scale(in.table(), "scale",
                               is_threshold       ? "threshold"
                               : is_unit && !bits ? "unit"
                                                  : "stochastic");
  if (bits && how.scale == PixelScale::Unit) {
    in.table().fail("scale",
                    "expected \"stochastic\" or \"threshold\": a likelihood of binary units is one of bits, "
                    "not of means; received \"unit\"");
  }
  // No part of an experiment that does not say it.
  if (in.table().has("bound_draws")) how.bound_draws = in.count("bound_draws", 1);
  const Reader ais(in.table().table("ais"));
  how.chains = ais.count("chains", 1, 100);
  how.temperatures = ais.count("temperatures", 3, 1000);
  how.three_part = ais.table().choice("ladder", {"uniform", "three_part"}, "uniform") == "three_part";
  how.reverse = ais.table().boolean("reverse", true);
  how.burn_in = ais.count("burn_in", 0, 1000);
  if (smoke) {
    how.chains = std::min<Index>(how.chains, 20);
    how.temperatures = std::min<Index>(how.temperatures, 50);
    how.burn_in = std::min<Index>(how.burn_in, 10);
    how.bound_draws = std::min<Index>(how.bound_draws, 2);
  }
  return how;
}

std::vector<Index> over_and_over(Index wanted, Index available) {
  std::vector<Index> rows;
  for (Index i = 0; i < wanted; ++i) rows.push_back(i % available);
  return rows;
}

void distrust(PartitionEstimate& reverse, const PartitionEstimate& forward) {
  // Forward runs find log Z too low on average, reverse ones too high, where their chains have mixed.
  // Where few weights carry the forward one its error is unknown, but it is hardly ever too high: an
  // unbiased estimate of Z lies above e^3 Z in one run of twenty at most (Markov).
  const auto known = [](double error) { return std::isfinite(error) ? error : 1.0; };
  const double noise = std::isfinite(forward.standard_error)
                           ? std::hypot(forward.standard_error, known(reverse.standard_error))
                           : 1.0 + known(reverse.standard_error);
  if (reverse.log_z >= forward.log_z - 3.0 * noise) return;
  if (!reverse.warning.empty()) reverse.warning += "; ";
  reverse.warning += "its likelihood lies above that of forward AIS, as of start chains that have not mixed";
  reverse.standard_error = reverse.high = kInfinity;
  reverse.low = -kInfinity;
}

Measure likelihood_measure() {
  std::vector<std::string> results = {"exact/train_entropy", "reverse/burn_in"};
  for (const char* estimate : {"forward", "reverse", "exact"}) {
    for (const char* number : {"test_log_likelihood", "validation_log_likelihood", "train_log_likelihood",
                               "log_partition", "standard_error"})
      results.push_back(fmt::format("{}/{}", estimate, number));
    for (const char* number :
         {"base_log_partition", "log_partition_low", "log_partition_high", "effective_samples"})
      if (std::string(estimate) != "exact") results.push_back(fmt::format("{}/{}", estimate, number));
  }
  return {.name = "likelihood",
          .metrics = {},
          .results = std::move(results),
          .gives =
              [](const Stage& stage, const std::string& result) {
                const auto& how = need<Likelihood>(stage, "likelihood");
                if (result.starts_with("exact/")) return how.method == "exact";
                return how.method == "ais" && (how.reverse || !result.starts_with("reverse/"));
              },
          .evaluate = evaluate};
}

Measure pseudo_likelihood_measure() {
  return {.name = "pseudo_likelihood",
          .metrics = {{"pseudo_likelihood_train", "nats", Better::Up},
                      {"pseudo_likelihood_test", "nats", Better::Up},
                      {"error_of_pseudo_likelihood_train", "nats"},
                      {"error_of_pseudo_likelihood_test", "nats"},
                      {"bits_of_pseudo_likelihood_train", "bits a sample"},
                      {"bits_of_pseudo_likelihood_test", "bits a sample"}},
          .monitor = [](const StageView& view) {
            // The same bits are flipped at every epoch and in both parts: curves show how the model changes,
            // and their distance how the parts differ, not the draw.
            return monitor_both(view, "pseudo_likelihood",
                                [key = view.stage.key.fold("monitor")](
                                    const FactorGraph& graph, const Likelihood& how, const State& batch) {
                                  const PseudoLikelihood found =
                                      pseudo_likelihood(graph, how.visible, {how.hidden}, batch, key);
                                  return std::map<std::string, double>{
                                      {"pseudo_likelihood", found.mean},
                                      {"error_of_pseudo_likelihood", found.standard_error},
                                      {"bits_of_pseudo_likelihood", static_cast<double>(found.bits)}};
                                });
          }};
}

Measure free_energy_measure() {
  return {.name = "free_energy",
          .metrics = {{"free_energy_train", "nats"}, {"free_energy_test", "nats"}},
          .monitor = [](const StageView& view) {
            return monitor_both(view, "free_energy",
                                [](const FactorGraph& graph, const Likelihood& how, const State& batch) {
                                  return std::map<std::string, double>{
                                      {"free_energy", mean_free_energy(graph, {how.hidden}, batch)}};
                                });
          }};
}

Tensor mean_bias(const FactorGraph& graph, const Variable& variable, const Source& samples, Key key) {
  Value sums;
  walk_through(samples, samples.count(), key, [&](const State& state, Index) {
    const Value part = sum(flatten(state[variable]), {0}).tensor().to(Dtype::F64);
    sums = sums.defined() ? sums + part : part;
  });
  return base_bias(graph, variable, sums.tensor(), samples.count());
}

Value particles_of(const Carry& carry, const Variable& v, Index count, Placement placement) {
  const auto particles = carry.find("particles." + v.name);
  if (particles == carry.end()) return {};
  const Source from = source(v, particles->second, placement);
  return from.batch(over_and_over(count, from.count()), Key(0))[v];
}

}  // namespace basin
