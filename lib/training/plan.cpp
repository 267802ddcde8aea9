#include "training/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/reader.h"
#include "training/optimizers/adam.h"
#include "training/optimizers/sgd.h"

namespace basin {
namespace {

Schedule read_learning_rate(const Reader& in) {
  const double from = in.within("learning_rate", 0.0, kInfinity);
  const std::string kind = in.table().choice(
      "schedule", {"constant", "linear", "geometric", "cosine", "inverse_time"}, "constant");
  if (kind == "linear") {
    return Schedule::linear(from, in.within("final_learning_rate", 0.0, kInfinity, 0.0));
  }
  if (kind == "geometric") {
    const double to = in.positive("final_learning_rate");
    return Schedule::geometric(in.positive("learning_rate"), to);
  }
  if (kind == "cosine") {
    return Schedule::cosine(from, in.within("final_learning_rate", 0.0, kInfinity, 0.0));
  }
  if (kind == "inverse_time") {
    return Schedule::inverse_time(from, in.positive("half_life"));
  }
  return Schedule::constant(from);
}

Plan::Learn read_optimizer(const Config& config) {
  const Reader in(config.table("optimizer"));
  Plan::Learn learn;
  learn.kind = in.table().choice("kind", {"sgd", "adam", "none"}, "sgd");
  if (learn.kind == "none") {
    return learn;
  }
  learn.learning_rate = read_learning_rate(in);
  if (learn.kind == "sgd") {
    const double momentum = in.within("momentum", 0.0, 1.0, 0.0);
    const Index ramp = in.count("momentum_epoch", 0, 0);
    learn.momentum = Schedule::constant(momentum);
    if (ramp > 0) {
      learn.momentum =
          Schedule::by_epoch({{0, momentum}, {ramp, in.within("final_momentum", 0.0, 1.0, 0.9)}});
    }
    learn.nesterov = in.table().boolean("nesterov", false);
  }
  learn.weight_decay = in.within("weight_decay", 0.0, kInfinity, 0.0);
  for (const auto& [prefix, factor] : in.table().factors("rates")) {
    if (!(factor >= 0.0 && factor < kInfinity)) {
      in.table().fail("rates",
                      fmt::format("expected factors of at least 0, received {} for '{}'", factor, prefix));
    }
    learn.rates[prefix] = factor;
  }
  const Config average = in.table().table("average");
  learn.averaged = in.table().has("average");
  if (learn.averaged) {
    const Reader table(average);
    learn.average.decay = table.within("decay", 0.0, 1.0, 0.0);
    learn.average.from = table.within("from", 0.0, 1.0, 0.5);
  }
  return learn;
}

/// [model] kind, and the keys of that kind. Returns what its reader said.
StageTables read_kind(const Config& config, Plan& plan) {
  std::vector<std::string> known;
  for (const Kind& kind : kinds()) known.push_back(kind.name);
  plan.kind = &find_kind(config.table("model").choice("kind", known, "rbm"));
  plan.optimizer = read_optimizer(config);
  StageTables tables{.config = config, .smoke = plan.smoke, .scale = plan.data.scale};
  plan.build = read_stage(*plan.kind, tables);
  plan.train.objective = tables.objective;
  plan.train.fuse = tables.fuse;
  return tables;
}

/// What every kind of training has.
void read_train(const Config& config, Plan::Train& train) {
  const Reader in(config.table("train"));
  train.epochs = in.count("epochs", 1);
  train.batch = in.count("batch", 1, 100);
  train.dtype = parse_dtype(in.table().choice("dtype", {"f32", "f64"}, "f32"));
  train.metrics_every = in.count("metrics_every", 0, 0);
}

Plan::Results read_results(const Config& config, const std::vector<std::string>& plots,
                           const std::string& default_file) {
  const Reader in(config.table("results"));
  Plan::Results results;
  results.file = in.table().text("file", default_file);
  results.plots = in.table().texts("plots", std::vector<std::string>{});
  for (const std::string& plot : results.plots) {
    if (std::find(plots.begin(), plots.end(), plot) == plots.end()) {
      in.table().fail("plots",
                      fmt::format("expected some of {}, received '{}'", fmt::join(plots, ", "), plot));
    }
  }
  results.checkpoint_seconds = in.within("checkpoint_seconds", 0.0, kInfinity, 15.0);
  return results;
}

/// Small enough for a test of every experiment file, with every part of the run still in it.
void shrink(Plan& plan) {
  const Index train = std::max<Index>(plan.train.batch, 400);
  if (plan.data.options.train > train) {
    plan.data.options.train = train;
  }
  plan.data.options.test = std::min<Index>(plan.data.options.test, 200);
  plan.train.epochs = std::min<Index>(plan.train.epochs, 2);
}

}  // namespace

Plan read_plan(const Config& config, const std::string& default_file) {
  Plan plan;
  plan.seed = static_cast<std::uint64_t>(Reader(config).count("seed", 0, 0));
  plan.smoke = config.boolean("smoke", false);
  plan.data = read_data(config);
  const StageTables stage = read_kind(config, plan);
  if (plan.optimizer.kind == "none" && stage.needs_optimizer) {
    config.table("optimizer")
        .fail("kind",
              fmt::format("'none' leaves parameters as they are that a {} with train.objective = \"{}\" "
                          "should learn; take \"sgd\" or \"adam\"",
                          plan.kind->name, plan.train.objective));
  }
  read_train(config, plan.train);
  if (stage.smoke_samples) {
    const Index few = std::max(*stage.smoke_samples, plan.train.batch);
    Index& train = plan.data.options.train;
    train = train == 0 ? few : std::min(train, few);
  }
  plan.results = read_results(config, stage.plots, default_file);
  config.finish();
  plan.given = config.given();
  plan.resolved = config.resolved();
  if (plan.smoke) {
    shrink(plan);
  }
  return plan;
}

Stage make_stage(const Plan& plan, const Shape& sample_shape, bool is_real, Device device) {
  return plan.build({.name = plan.kind->name,
                     .key = Key(plan.seed),
                     .sample_shape = sample_shape,
                     .is_real = is_real,
                     .pixels = {.scale = plan.data.scale, .threshold = plan.data.threshold},
                     .placement = {plan.train.dtype, device},
                     .data = plan.data.name,
                     .data_options = plan.data.options});
}

std::unique_ptr<Optimizer> make_optimizer(const Plan& plan) {
  const Plan::Learn& learn = plan.optimizer;
  if (learn.kind == "none") {
    return std::make_unique<NoOptimizer>();
  }
  if (learn.kind == "adam") {
    return std::make_unique<Adam>(AdamOptions{
        .learning_rate = learn.learning_rate, .weight_decay = learn.weight_decay, .rates = learn.rates});
  }
  return std::make_unique<Sgd>(SgdOptions{.learning_rate = learn.learning_rate,
                                          .momentum = learn.momentum,
                                          .nesterov = learn.nesterov,
                                          .weight_decay = learn.weight_decay,
                                          .rates = learn.rates});
}

}  // namespace basin
