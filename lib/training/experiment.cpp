#include "training/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <optional>
#include <utility>

#include "energy/log_likelihood.h"
#include "energy/pseudo_likelihood.h"
#include "tensor/error.h"
#include "tensor/threads.h"
#include "training/checkpoint.h"
#include "training/environment.h"
#include "training/output.h"
#include "training/pictures.h"

namespace basin {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double stored_number(const Store& store, const std::string& path) { return store.has(path) ? store.numbers(path).at(0) : 0.0; }

/// One run: the parts a plan describes, and the file that they are written to.
class Run {
 public:
  Run(const Plan& plan, const RunOptions& options, const RunHooks& hooks, std::string file, std::optional<Store> resumed);

  RunResult finish();

 private:
  void describe();
  void train();
  void evaluate(RunResult& result);
  void draw(RunResult& result);
  void save(const std::string& status);
  void say(const std::string& line) const { hooks_.say ? hooks_.say(line) : void(); }
  std::map<std::string, double> monitor(Index epoch, const State& train, const State& test) const;
  Index steps_per_epoch() const { return data_.train.count / plan_.train.batch; }

  const Plan& plan_;
  const RunOptions& options_;
  const RunHooks& hooks_;
  std::string file_;
  Store store_;
  Dataset data_;
  std::optional<Rbm> rbm_;
  std::unique_ptr<Objective> objective_;
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

Run::Run(const Plan& plan, const RunOptions& options, const RunHooks& hooks, std::string file, std::optional<Store> resumed)
    : plan_(plan), options_(options), hooks_(hooks), file_(std::move(file)), saved_(fmt::format("nothing was written to {}", file_)) {
  if (options.threads > 0) {
    set_thread_count(options.threads);
  } else if (resumed) {
    set_thread_count(static_cast<int>(resumed->integers("/environment/threads").at(0)));
  }
  data_ = load_data(plan);
  rbm_ = make_model(plan, data_.train.shape, options.device);
  if (plan.model.bias_from_data) {
    set_visible_bias(plan, *rbm_, data_.train);
  }
  objective_ = make_objective(plan, *rbm_);
  optimizer_ = make_optimizer(plan);
  if (plan.optimizer.averaged) {
    average_.emplace(plan.optimizer.average);
  }
  if (resumed) {
    store_ = std::move(*resumed);
    state_ = read_checkpoint(store_, rbm_->graph, *optimizer_, average_ ? &*average_ : nullptr);
    earlier_seconds_ = stored_number(store_, "/time/train_seconds");
    saved_ = fmt::format("the checkpoint at step {} is kept in {}", state_.step, file_);
    say(fmt::format("resumed after step {} (epoch {}) from {}", state_.step, state_.step / steps_per_epoch(), file_));
  }
  describe();
}

void Run::describe() {
  store_.attribute("", "format", std::string("basin results"));
  store_.attribute("", "format_version", std::int64_t{1});
  store_.put_text("/experiment/given", plan_.given);
  store_.put_text("/experiment/resolved", plan_.resolved);
  store_.put("/experiment/seed", std::vector<std::int64_t>{static_cast<std::int64_t>(plan_.seed)});
  store_.put("/experiment/sample_shape", std::vector<std::int64_t>(data_.train.shape));
  store_.put_text("/experiment/objective", objective_->name());
  store_.put_texts("/experiment/rules", objective_->rules(rbm_->graph));
  std::vector<std::string> factors;
  for (const FactorGraph::Term& term : rbm_->graph.terms()) {
    factors.push_back(term.factor->name());
  }
  store_.put_texts("/experiment/factors", factors);

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
  write_checkpoint(store_, rbm_->graph, *optimizer_, average_ ? &*average_ : nullptr, state_, state_.step / steps_per_epoch());
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

std::map<std::string, double> Run::monitor(Index epoch, const State& train, const State& test) const {
  const Index steps = steps_per_epoch() * plan_.train.epochs;
  const Index step = epoch * steps_per_epoch() - 1;
  std::map<std::string, double> metrics;
  metrics["learning_rate"] =
      plan_.optimizer.learning_rate({.step = step, .epoch = epoch - 1, .fraction = static_cast<double>(step) / static_cast<double>(steps)});
  if (plan_.train.objective == "exact") {
    return metrics;  // the loss itself says all
  }
  if (plan_.model.visible == UnitKind::Binary) {
    // The same bits are flipped at every epoch: curves show the model's change, not that of the draw.
    const Key key = Key(plan_.seed).fold("monitor");
    metrics["pseudo_likelihood_train"] = pseudo_likelihood(rbm_->graph, rbm_->v, {rbm_->h}, train, key.fold("train"));
    metrics["pseudo_likelihood_test"] = pseudo_likelihood(rbm_->graph, rbm_->v, {rbm_->h}, test, key.fold("test"));
  } else {
    metrics["free_energy_train"] = mean_free_energy(rbm_->graph, {rbm_->h}, train);
    metrics["free_energy_test"] = mean_free_energy(rbm_->graph, {rbm_->h}, test);
  }
  return metrics;
}

void Run::train() {
  constexpr Index kMonitored = 1000;  // samples
  const Key key(plan_.seed);
  const Source samples = training_source(plan_, *rbm_, data_.train);
  const Source train = evaluation_source(plan_, *rbm_, data_.train);
  const Source test = evaluation_source(plan_, *rbm_, data_.test);
  const State train_head = samples_between(train, 0, std::min(train.count, kMonitored), key.fold("evaluate").fold("train"));
  const State test_head = samples_between(test, 0, std::min(test.count, kMonitored), key.fold("evaluate").fold("test"));

  FitOptions options;
  options.epochs = plan_.train.epochs;
  options.batch = plan_.train.batch;
  options.key = key.fold("fit");
  options.stage = plan_.train.objective;
  // Metrics cost about a step: ten times an epoch is plenty.
  options.metrics_every = plan_.train.metrics_every > 0 ? plan_.train.metrics_every : std::max<Index>(1, steps_per_epoch() / 10);
  options.average = average_ ? &*average_ : nullptr;
  options.monitor = [&](Index epoch) { return monitor(epoch, train_head, test_head); };

  const auto start = Clock::now();
  last_save_ = start;
  const FitObserver observer = [&](const FitReport& report) {
    const bool go_on = !hooks_.step || hooks_.step(report);
    stopped_ = !go_on;
    if (!go_on || (report.step < report.steps && seconds_since(last_save_) >= plan_.results.checkpoint_seconds)) {
      train_seconds_ = seconds_since(start);
      check_finite(rbm_->graph, state_.carry, fmt::format("[fit] stage {}, step {}", options.stage, report.step));
      save("training");
    }
    return go_on;
  };
  try {
    fit(rbm_->graph, *objective_, samples, *optimizer_, options, state_, observer);
  } catch (const Error& error) {
    throw Error(fmt::format("{}; {}", error.what(), saved_));
  }
  train_seconds_ = seconds_since(start);
}

void Run::evaluate(RunResult& result) {
  if (plan_.evaluate.log_likelihood == "none") {
    return;
  }
  say(plan_.evaluate.log_likelihood == "exact" ? std::string("exact log-likelihood by enumeration")
                                               : fmt::format("log-likelihood by annealed importance sampling: {} chains, {} temperatures",
                                                             plan_.evaluate.chains, plan_.evaluate.temperatures));
  const auto start = Clock::now();
  result.likelihood = log_likelihood(plan_, *rbm_, data_, state_.carry);
  evaluate_seconds_ = seconds_since(start);
  write(result.likelihood, store_);
}

void Run::draw(RunResult& result) {
  if (!options_.pictures) {
    return;
  }
  for (const std::string& plot : plan_.results.plots) {
    const std::string path = picture_path(file_, plot, "png");
    if (plot == "curves") {
      save_curves(store_, "", plan_.data.name, false, path);
    } else {
      TileOptions tiles = tiles_of(data_.train.shape);
      const bool is_basis = plot == "basis";
      tiles.sort_by_norm = is_basis;
      tiles.is_signed = is_basis || plan_.model.visible == UnitKind::Gaussian;
      const Tensor rows =
          is_basis ? basis(*rbm_)
                   : fantasies(plan_, *rbm_, state_.carry, {.chains = plan_.results.sample_chains, .steps = plan_.results.sample_steps});
      save_png(tile(rows, tiles), path);
    }
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
      average_->swap(rbm_->graph.parameters());
    }
    evaluate(result);
    draw(result);
    if (averaged) {
      average_->swap(rbm_->graph.parameters());
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
  const Existing existing = options.resume ? Existing::Resume : options.replace ? Existing::Force : Existing::Replace;
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

Plan plan_of(const Store& store) { return read_plan(Config::parse(store.text("/experiment/resolved"), "experiment in the results file")); }

Rbm model_of(const Store& store, const Plan& plan, Device device) {
  Rbm rbm = make_model(plan, store.integers("/experiment/sample_shape"), device);
  const bool averaged = store.has("/average/count") && store.tensor("/average/count").item() > 0;
  read_parameters(store, averaged ? "/average" : "/parameters", rbm.graph);
  return rbm;
}

Carry carry_of(const Store& store, Device device) {
  Carry carry;
  const std::string group = "/carry/";
  for (const std::string& path : store.list("/carry")) {
    carry[path.substr(group.size())] = store.tensor(path, device);
  }
  return carry;
}

std::string picture_path(const std::string& file, const std::string& plot, const std::string& extension) {
  std::filesystem::path path(file);
  path.replace_filename(path.stem().string() + "_" + plot + "." + extension);
  return path.string();
}

}  // namespace basin
