#include "training/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <optional>
#include <utility>

#include "tensor/error.h"
#include "tensor/threads.h"
#include "training/checkpoint.h"
#include "training/environment.h"
#include "training/measures/measure.h"
#include "training/output.h"
#include "training/plots/plot.h"

namespace basin {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double stored_number(const Store& store, const std::string& path) {
  return store.has(path) ? store.numbers(path).at(0) : 0.0;
}

/// /preprocessing: what turns samples into pictures.
void write_preprocessing(const Preprocessing& preprocessing, Store& store) {
  store.remove("/preprocessing");
  if (preprocessing.is_identity()) {
    return;
  }
  store.put("/preprocessing/pixels", std::vector<std::int64_t>(preprocessing.pixels));
  store.put("/preprocessing/scale", std::vector<double>{preprocessing.scale});
  if (preprocessing.whitening.defined()) {
    store.put("/preprocessing/mean", preprocessing.whitening.mean);
    store.put("/preprocessing/forward", preprocessing.whitening.forward);
    store.put("/preprocessing/inverse", preprocessing.whitening.inverse);
  }
}

/// One run: the parts a plan describes, and the file that they are written to.
class Run {
 public:
  Run(const Plan& plan, const RunOptions& options, const RunHooks& hooks, std::string file,
      std::optional<Store> resumed);

  RunResult finish();

 private:
  void describe();
  void train();
  void evaluate(RunResult& result);
  void draw(RunResult& result);
  void save(const std::string& status);
  void say(const std::string& line) const { hooks_.say ? hooks_.say(line) : void(); }
  std::map<std::string, double> learning_rate(Index epoch) const;
  /// Says so where inference of an epoch's samples did not converge.
  bool warn_of_inference(const FitReport& report) const;
  StageView view() const;
  Index steps_per_epoch() const { return source_.count() / plan_.train.batch; }

  const Plan& plan_;
  const RunOptions& options_;
  const RunHooks& hooks_;
  std::string file_;
  Store store_;
  Dataset data_;
  Stage stage_;
  Source source_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<Average> average_;
  FitState state_;
  bool stopped_ = false;  // by the hook
  std::string saved_;     // what the file holds, for messages

  Clock::time_point last_save_ = Clock::now();
  double earlier_seconds_ = 0.0;  // of training by the processes before this one
  double train_seconds_ = 0.0;    // by this process
  double evaluate_seconds_ = 0.0;
};

Run::Run(const Plan& plan, const RunOptions& options, const RunHooks& hooks, std::string file,
         std::optional<Store> resumed)
    : plan_(plan),
      options_(options),
      hooks_(hooks),
      file_(std::move(file)),
      saved_(fmt::format("nothing was written to {}", file_)) {
  if (options.threads > 0) {
    set_thread_count(options.threads);
  } else if (resumed) {
    set_thread_count(static_cast<int>(resumed->integers("/environment/threads").at(0)));
  }
  data_ = load_data(plan);
  stage_ = make_stage(plan, data_.train.shape(), data_.train.is_real(), options.device);
  if (!stage_.objective) {
    throw Error(fmt::format(
        "[experiment] expected a model to train, received a {} alone; put it between others", stage_.kind));
  }
  if (stage_.start) {
    stage_.start(stage_source(stage_, data_.train), hooks.say);
  }
  source_ = training_batches(stage_, data_.train);
  optimizer_ = make_optimizer(plan);
  if (plan.optimizer.averaged) {
    average_.emplace(plan.optimizer.average);
  }
  if (resumed) {
    store_ = std::move(*resumed);
    state_ = read_checkpoint(store_, stage_.graph, *optimizer_, average_ ? &*average_ : nullptr);
    earlier_seconds_ = stored_number(store_, "/time/train_seconds");
    saved_ = fmt::format("the checkpoint at step {} is kept in {}", state_.step, file_);
    say(fmt::format("resumed after step {} (epoch {}) from {}", state_.step, state_.step / steps_per_epoch(),
                    file_));
  }
  describe();
}

void Run::describe() {
  store_.attribute("", "format", std::string("basin results"));
  store_.attribute("", "format_version", std::int64_t{1});
  store_.put_text("/experiment/given", plan_.given);
  store_.put_text("/experiment/resolved", plan_.resolved);
  store_.put("/experiment/seed", std::vector<std::int64_t>{static_cast<std::int64_t>(plan_.seed)});
  store_.put("/experiment/sample_shape", std::vector<std::int64_t>(data_.train.shape()));
  store_.put_text("/experiment/kind", plan_.kind->name);
  store_.put_text("/experiment/objective", stage_.objective->name());
  store_.put_texts("/experiment/rules", stage_.objective->rules(stage_.graph));
  std::vector<std::string> factors;
  for (const FactorGraph::Term& term : stage_.graph.terms()) {
    factors.push_back(term.factor->name());
  }
  store_.put_texts("/experiment/factors", factors);

  write_preprocessing(data_.preprocessing, store_);

  std::vector<std::string> libraries;
  for (const auto& [name, version] : library_versions()) {
    libraries.push_back(name + " " + version);
  }
  store_.put_text("/environment/revision", options_.revision);
  store_.put_texts("/environment/libraries", libraries);
  store_.put_text("/environment/processor", processor_name());
  store_.put_text("/environment/device", to_string(options_.device));
  store_.put("/environment/threads", std::vector<std::int64_t>{thread_count()});
  if (!store_.has("/time/started")) {
    store_.put("/time/started", std::vector<std::int64_t>{static_cast<std::int64_t>(std::time(nullptr))});
    store_.attribute("/time/started", "unit", std::string("seconds since 1970-01-01 UTC"));
  }
}

void Run::save(const std::string& status) {
  write_checkpoint(store_, stage_.graph, *optimizer_, average_ ? &*average_ : nullptr, state_,
                   state_.step / steps_per_epoch());
  store_.put_text("/experiment/status", status);
  const auto time = [&](const char* name, double value, const char* unit) {
    store_.put(std::string("/time/") + name, std::vector<double>{value});
    store_.attribute(std::string("/time/") + name, "unit", std::string(unit));
  };
  time("train_seconds", earlier_seconds_ + train_seconds_, "s");
  time("evaluate_seconds", evaluate_seconds_, "s");
  time("peak_memory", static_cast<double>(peak_memory()), "bytes");
  store_.save(file_);
  saved_ = fmt::format("the checkpoint at step {} is kept in {}", state_.step, file_);
  last_save_ = Clock::now();
}

std::map<std::string, double> Run::learning_rate(Index epoch) const {
  if (plan_.optimizer.kind == "none") {
    return {};
  }
  const Index steps = steps_per_epoch() * plan_.train.epochs;
  const Index step = epoch * steps_per_epoch() - 1;
  return {{"learning_rate", plan_.optimizer.learning_rate(
                                {.step = step,
                                 .epoch = epoch - 1,
                                 .fraction = static_cast<double>(step) / static_cast<double>(steps)})}};
}

void Run::train() {
  FitOptions options;
  options.epochs = plan_.train.epochs;
  options.batch = plan_.train.batch;
  options.key = Key(plan_.seed).fold("fit");
  options.stage = plan_.train.objective;
  // Metrics cost about a step: ten times an epoch is plenty.
  options.metrics_every =
      plan_.train.metrics_every > 0 ? plan_.train.metrics_every : std::max<Index>(1, steps_per_epoch() / 10);
  options.average = average_ ? &*average_ : nullptr;
  const StageView looked_at = view();
  const Monitor monitor = monitor_of(looked_at);
  options.monitor = [&](Index epoch) {
    std::map<std::string, double> metrics = learning_rate(epoch);
    if (monitor) {
      metrics.merge(monitor());
    }
    return metrics;
  };

  const auto start = Clock::now();
  last_save_ = start;
  bool warned = false;
  const FitObserver observer = [&](const FitReport& report) {
    if (report.epoch_ended && !warned) warned = warn_of_inference(report);
    const bool go_on = !hooks_.step || hooks_.step(report);
    stopped_ = !go_on;
    if (!go_on ||
        (report.step < report.steps && seconds_since(last_save_) >= plan_.results.checkpoint_seconds)) {
      train_seconds_ = seconds_since(start);
      check_finite(stage_.graph, state_.carry,
                   fmt::format("[fit] stage {}, step {}", options.stage, report.step));
      save("training");
    }
    return go_on;
  };
  try {
    fit(stage_.graph, *stage_.objective, source_, *optimizer_, options, state_, observer);
  } catch (const Error& error) {
    throw Error(fmt::format("{}; {}", error.what(), saved_));
  }
  train_seconds_ = seconds_since(start);
}

bool Run::warn_of_inference(const FitReport& report) const {
  const auto& columns = report.history->epochs().columns;
  const auto unconverged = columns.find("unconverged"), gap = columns.find("gap");
  if (unconverged == columns.end() || gap == columns.end() || !(unconverged->second.back() > 0.0))
    return false;
  say(
      fmt::format("warning: inference of {:.2g} % of the samples measured in epoch {} did not converge (mean "
                  "gap {:.2g}); raise "
                  "inference.max_steps or inference.tolerance",
                  100.0 * unconverged->second.back(), report.epoch, gap->second.back()));
  return true;
}

StageView Run::view() const {
  return {.stage = stage_,
          .data = [this]() -> const Dataset& { return data_; },
          .preprocessing = [this]() -> const Preprocessing& { return data_.preprocessing; },
          .carry = state_.carry,
          .say = hooks_.say};
}

void Run::evaluate(RunResult& result) {
  const auto start = Clock::now();
  store_.remove("/evaluation");
  result.report = evaluate_measures(view(), store_);
  evaluate_seconds_ = seconds_since(start);
}

void Run::draw(RunResult& result) {
  if (!options_.pictures) {
    return;
  }
  for (const std::string& plot : plan_.results.plots) {
    const std::string path = picture_path(file_, plot, "png");
    basin::draw(plot, {.path = path, .tiles = {.sort_by_norm = true}, .title = plan_.data.name}, view(),
                store_);
    result.pictures.push_back(path);
  }
}

RunResult Run::finish() {
  RunResult result;
  result.file = file_;
  const Index steps = steps_per_epoch() * plan_.train.epochs;
  const Index before = state_.step;
  train();
  result.train_seconds = train_seconds_;
  result.train_samples = (state_.step - before) * plan_.train.batch;
  if (state_.step == steps && !stopped_) {
    save("trained");
    const bool averaged = average_ && average_->ready();
    if (averaged) {
      average_->swap(stage_.graph.parameters());
    }
    evaluate(result);
    draw(result);
    if (averaged) {
      average_->swap(stage_.graph.parameters());
    }
    save("complete");
    result.complete = true;
  }
  result.store = std::move(store_);
  return result;
}

}  // namespace

RunResult run_experiment(const Plan& plan, const RunOptions& options, const RunHooks& hooks) {
  const std::string file = options.file.empty() ? plan.results.file : options.file;
  const Existing existing = options.resume    ? Existing::Resume
                            : options.replace ? Existing::Force
                                              : Existing::Replace;
  std::optional<Store> resumed = prepare_output(file, plan, existing);
  if (resumed && resumed->text("/experiment/status") == "complete") {
    RunResult result;
    result.complete = result.was_complete = true;
    result.file = file;
    result.store = std::move(*resumed);
    return result;
  }
  return Run(plan, options, hooks, file, std::move(resumed)).finish();
}

Plan plan_of(const Store& store, const std::vector<std::string>& settings) {
  Config config = Config::parse(store.text("/experiment/resolved"), "experiment in the results file");
  for (const std::string& setting : settings) {
    config.set(setting);
  }
  return read_plan(config);
}

Stage stage_of(const Store& store, const Plan& plan, Device device) {
  Stage stage = make_stage(plan, store.integers("/experiment/sample_shape"), false, device);
  const bool averaged = store.has("/average/count") && store.tensor("/average/count").item() > 0;
  read_parameters(store, averaged ? "/average" : "/parameters", stage.graph);
  return stage;
}

Carry carry_of(const Store& store, Device device) {
  Carry carry;
  const std::string group = "/carry/";
  for (const std::string& path : store.list("/carry")) {
    carry[path.substr(group.size())] = store.tensor(path, device);
  }
  return carry;
}

Preprocessing preprocessing_of(const Store& store) {
  Preprocessing preprocessing;
  if (!store.has("/preprocessing/pixels")) return preprocessing;
  preprocessing.pixels = store.integers("/preprocessing/pixels");
  preprocessing.scale = store.numbers("/preprocessing/scale").at(0);
  if (store.has("/preprocessing/mean")) {
    preprocessing.whitening = {.mean = store.tensor("/preprocessing/mean"),
                               .forward = store.tensor("/preprocessing/forward"),
                               .inverse = store.tensor("/preprocessing/inverse")};
  }
  return preprocessing;
}

std::string picture_path(const std::string& file, const std::string& plot, const std::string& extension) {
  std::filesystem::path path(file);
  path.replace_filename(path.stem().string() + "_" + plot + "." + extension);
  return path.string();
}

}  // namespace basin
