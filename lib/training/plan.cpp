#include "training/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "training/adam.h"
#include "training/sgd.h"

namespace basin {
namespace {

/// Reads one table, refusing numbers out of range where they stand.
class Reader {
 public:
  explicit Reader(Config table) : table_(std::move(table)) {}

  const Config& table() const { return table_; }

  Index count(const char* key, Index least, std::optional<Index> fallback = std::nullopt) const {
    const Index value = table_.integer(key, fallback);
    if (value < least) {
      table_.fail(key, fmt::format("expected a whole number of at least {}, received {}", least, value));
    }
    return value;
  }

  double within(const char* key, double low, double high, std::optional<double> fallback = std::nullopt) const {
    const double value = table_.number(key, fallback);
    if (!(value >= low && value <= high)) {
      table_.fail(key, std::isinf(high) ? fmt::format("expected a number of at least {}, received {}", low, value)
                                        : fmt::format("expected a number between {} and {}, received {}", low, high, value));
    }
    return value;
  }

  double positive(const char* key, std::optional<double> fallback = std::nullopt) const {
    const double value = table_.number(key, fallback);
    if (!(value > 0.0 && std::isfinite(value))) {
      table_.fail(key, fmt::format("expected a positive number, received {}", value));
    }
    return value;
  }

 private:
  Config table_;
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const std::vector<std::string> kScales = {"unit", "threshold", "stochastic"};

PixelScale parse_scale(const std::string& name) {
  return name == "unit" ? PixelScale::Unit : name == "threshold" ? PixelScale::Threshold : PixelScale::Stochastic;
}

Plan::Data read_data(const Config& config) {
  const Reader in(config.table("data"));
  Plan::Data data;
  std::vector<std::string> known;
  for (const CatalogEntry& entry : catalog()) {
    known.push_back(entry.name);
  }
  data.name = in.table().choice("name", known);
  data.scale = parse_scale(in.table().choice("scale", kScales, "unit"));
  data.threshold = in.within("threshold", 0.0, 1.0, 0.5);
  data.options.train = in.count("train", 0, 0);
  data.options.test = in.count("test", 0, 0);
  data.options.seed = static_cast<std::uint64_t>(in.count("seed", 0, 0));
  if (data.name == "bars_and_stripes" || data.name == "shifter") {
    data.options.size = in.count("size", 0, 0);
  }
  if (data.name == "bars_and_stripes") {
    data.options.count_plain_twice = in.table().boolean("count_plain_twice", false);
  }
  return data;
}

Plan::Model read_model(const Config& config) {
  const Reader in(config.table("model"));
  Plan::Model model;
  in.table().choice("kind", {"rbm"}, "rbm");
  model.visible = parse_unit_kind(in.table().choice("visible", {"binary", "gaussian", "relu"}, "binary"));
  model.hidden_units = parse_unit_kind(in.table().choice("hidden_units", {"binary", "gaussian", "relu", "softmax"}, "binary"));
  model.hidden = in.count("hidden", 1);
  if (model.hidden_units == UnitKind::Softmax) {
    model.hidden_group = in.count("hidden_group", 2, 2);
    if (model.hidden % model.hidden_group != 0) {
      in.table().fail("hidden_group", fmt::format("expected a divisor of hidden = {}, received {}", model.hidden, model.hidden_group));
    }
  }
  model.weight_scale = in.within("weight_scale", 0.0, kInfinity, 0.01);
  model.bias_from_data = in.table().choice("visible_bias", {"data", "zero"}, "data") == "data";
  return model;
}

Plan::Train read_train(const Config& config) {
  const Reader in(config.table("train"));
  Plan::Train train;
  train.objective = in.table().choice("objective", {"cd", "pcd", "fpcd", "exact"}, "cd");
  train.options.steps = in.count("steps", 1, 1);
  train.options.persistent = train.objective == "pcd" || train.objective == "fpcd";
  if (train.options.persistent) {
    train.options.chains = in.count("chains", 0, 0);
  }
  if (train.objective == "fpcd") {
    train.options.fast_rate = in.positive("fast_rate");
  }
  train.options.centring = in.within("centring", 0.0, 1.0, 0.0);
  train.options.offsets = in.table().choice("offsets", {"data", "average"}, "data") == "data" ? Offsets::Data : Offsets::Average;
  const Reader sparsity(in.table().table("sparsity"));
  train.options.sparsity.target = sparsity.within("target", 0.0, 1.0, 0.0);
  train.options.sparsity.cost = sparsity.within("cost", 0.0, kInfinity, 0.0);
  train.options.fuse = in.table().choice("fuse", {"auto", "off"}, "auto") == "auto" ? Fuse::Auto : Fuse::Off;
  train.epochs = in.count("epochs", 1);
  train.batch = in.count("batch", 1, 100);
  train.dtype = parse_dtype(in.table().choice("dtype", {"f32", "f64"}, "f32"));
  train.metrics_every = in.count("metrics_every", 0, 0);
  return train;
}

Schedule read_learning_rate(const Reader& in) {
  const double from = in.within("learning_rate", 0.0, kInfinity);
  const std::string kind = in.table().choice("schedule", {"constant", "linear", "geometric", "cosine", "inverse_time"}, "constant");
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
  learn.kind = in.table().choice("kind", {"sgd", "adam"}, "sgd");
  learn.learning_rate = read_learning_rate(in);
  if (learn.kind == "sgd") {
    const double momentum = in.within("momentum", 0.0, 1.0, 0.0);
    const Index ramp = in.count("momentum_epoch", 0, 0);
    learn.momentum = Schedule::constant(momentum);
    if (ramp > 0) {
      learn.momentum = Schedule::by_epoch({{0, momentum}, {ramp, in.within("final_momentum", 0.0, 1.0, 0.9)}});
    }
    learn.nesterov = in.table().boolean("nesterov", false);
  }
  learn.weight_decay = in.within("weight_decay", 0.0, kInfinity, 0.0);
  const Config average = in.table().table("average");
  learn.averaged = in.table().has("average");
  if (learn.averaged) {
    const Reader table(average);
    learn.average.decay = table.within("decay", 0.0, 1.0, 0.0);
    learn.average.from = table.within("from", 0.0, 1.0, 0.5);
  }
  return learn;
}

Plan::Evaluate read_evaluate(const Config& config, const Plan& plan) {
  const Reader in(config.table("evaluate"));
  Plan::Evaluate evaluate;
  evaluate.log_likelihood = in.table().choice("log_likelihood", {"ais", "exact", "none"}, "ais");
  // A likelihood is one of the values the visible units can take: binary units need bits.
  const bool bits_needed = plan.model.visible == UnitKind::Binary && plan.data.scale == PixelScale::Unit;
  const std::string scale = config.table("data").choice("scale", kScales, "unit");
  evaluate.scale = parse_scale(in.table().choice("scale", kScales, bits_needed ? "stochastic" : scale));
  const Reader ais(in.table().table("ais"));
  evaluate.chains = ais.count("chains", 1, 100);
  evaluate.temperatures = ais.count("temperatures", 3, 1000);
  evaluate.three_part = ais.table().choice("ladder", {"uniform", "three_part"}, "uniform") == "three_part";
  evaluate.reverse = ais.table().boolean("reverse", true);
  evaluate.burn_in = ais.count("burn_in", 0, 1000);
  return evaluate;
}

Plan::Results read_results(const Config& config, const std::string& default_file) {
  const Reader in(config.table("results"));
  Plan::Results results;
  results.file = in.table().text("file", default_file);
  results.plots = in.table().texts("plots", std::vector<std::string>{});
  for (const std::string& plot : results.plots) {
    if (plot != "basis" && plot != "samples" && plot != "curves") {
      in.table().fail("plots", fmt::format("expected some of basis, samples, curves, received '{}'", plot));
    }
  }
  results.checkpoint_seconds = in.within("checkpoint_seconds", 0.0, kInfinity, 15.0);
  results.sample_chains = in.count("sample_chains", 1, 100);
  results.sample_steps = in.count("sample_steps", 0, 1000);
  return results;
}

/// Small enough for a test of every experiment file, with every part of the run still in it.
void shrink(Plan& plan) {
  const Index train = std::max<Index>(plan.train.batch, 400);
  const auto cut = [](Index& value, Index most) { value = std::min(value, most); };
  if (plan.data.options.train > train) {
    plan.data.options.train = train;
  }
  cut(plan.data.options.test, 200);
  cut(plan.train.epochs, 2);
  cut(plan.evaluate.chains, 20);
  cut(plan.evaluate.temperatures, 50);
  cut(plan.evaluate.burn_in, 10);
  cut(plan.results.sample_chains, 20);
  cut(plan.results.sample_steps, 20);
}

}  // namespace

Plan read_plan(const Config& config, const std::string& default_file) {
  Plan plan;
  plan.seed = static_cast<std::uint64_t>(Reader(config).count("seed", 0, 0));
  plan.smoke = config.boolean("smoke", false);
  plan.data = read_data(config);
  plan.model = read_model(config);
  plan.train = read_train(config);
  plan.optimizer = read_optimizer(config);
  plan.evaluate = read_evaluate(config, plan);
  plan.results = read_results(config, default_file);
  config.finish();
  plan.given = config.given();
  plan.resolved = config.resolved();
  if (plan.smoke) {
    shrink(plan);
  }
  return plan;
}

std::unique_ptr<Optimizer> make_optimizer(const Plan& plan) {
  const Plan::Learn& learn = plan.optimizer;
  if (learn.kind == "adam") {
    return std::make_unique<Adam>(AdamOptions{.learning_rate = learn.learning_rate, .weight_decay = learn.weight_decay});
  }
  return std::make_unique<Sgd>(SgdOptions{
      .learning_rate = learn.learning_rate, .momentum = learn.momentum, .nesterov = learn.nesterov, .weight_decay = learn.weight_decay});
}

}  // namespace basin
