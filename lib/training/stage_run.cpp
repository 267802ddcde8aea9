#include "training/stage_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "results/results_file.h"
#include "tensor/error.h"
#include "training/checkpoint.h"
#include "training/measures/measure.h"

namespace basin {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class StageRun {
 public:
  StageRun(const StageWork& work, Store& results);
  StageOutcome finish();

 private:
  void describe();
  void train();
  void save(const std::string& status);
  /// What goes wrong in `act` is said together with what is kept.
  template <class Act>
  void keeping(Act act) const {
    try {
      act();
    } catch (const Error& error) {
      throw Error(fmt::format("{}; {}", error.what(), work_.saved()));
    }
  }
  void say(const std::string& line) const { work_.hooks.say ? work_.hooks.say(line) : void(); }
  std::map<std::string, double> learning_rate(Index epoch) const;
  /// Says so where inference of an epoch's samples did not converge.
  bool warn_of_inference(const FitReport& report) const;
  StageView view() const;
  Index steps_per_epoch() const { return stage_.objective ? source_.count() / plan_.train.batch : 1; }
  Index steps() const { return stage_.objective ? steps_per_epoch() * plan_.train.epochs : 0; }
  Average* average() { return average_ ? &*average_ : nullptr; }

  const StageWork& work_;
  const StagePlan& plan_;
  const Stage& stage_;
  Store& results_;
  Source source_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<Average> average_;
  FitState state_;
  StageOutcome outcome_;
  bool stopped_ = false;  // by the hook
  Clock::time_point last_save_ = Clock::now();
};

StageRun::StageRun(const StageWork& work, Store& results)
    : work_(work), plan_(work.plan), stage_(work.stage), results_(results) {
  if (stage_.start) stage_.start(stage_source(stage_, work.data.train), work.hooks.say);
  if (stage_.objective) source_ = training_batches(stage_, work.data.train);
  optimizer_ = make_optimizer(plan_);
  if (plan_.optimizer.averaged) average_.emplace(plan_.optimizer.average);
  if (results.has("/checkpoint")) {
    state_ = read_checkpoint(results, stored_parameters(stage_), *optimizer_, average());
    check_steps(results, state_, steps_per_epoch(), stage_.objective ? plan_.train.epochs : 0);
    say(fmt::format("{}resumed after step {} (epoch {})",
                    stage_.name == kOnlyStage ? "" : fmt::format("stage {}: ", stage_.name), state_.step,
                    state_.step / steps_per_epoch()));
  }
  describe();
}

void StageRun::describe() {
  results_.put("/sample_shape", std::vector<std::int64_t>(work_.data.train.shape()));
  results_.put_text("/kind", stage_.kind);
  results_.put_text("/objective", stage_.objective ? stage_.objective->name() : "none");
  results_.put_texts("/rules",
                     stage_.objective ? stage_.objective->rules(stage_.graph) : std::vector<std::string>{});
  std::vector<std::string> factors;
  for (const FactorGraph::Term& term : stage_.graph.terms()) factors.push_back(term.factor->name());
  results_.put_texts("/factors", factors);
  write_preprocessing(results_, work_.data.preprocessing);
}

void StageRun::save(const std::string& status) {
  write_checkpoint(results_, stored_parameters(stage_), *optimizer_, average(), state_,
                   state_.step / steps_per_epoch());
  results_.put_text("/status", status);
  work_.save(results_, outcome_.train_seconds, outcome_.evaluate_seconds);
  last_save_ = Clock::now();
}

std::map<std::string, double> StageRun::learning_rate(Index epoch) const {
  if (plan_.optimizer.kind == "none") return {};
  const Index step = epoch * steps_per_epoch() - 1;
  return {{"learning_rate", plan_.optimizer.learning_rate(
                                {.step = step,
                                 .epoch = epoch - 1,
                                 .fraction = static_cast<double>(step) / static_cast<double>(steps())})}};
}

void StageRun::train() {
  FitOptions options;
  options.epochs = plan_.train.epochs;
  options.batch = plan_.train.batch;
  options.key = stage_.key.fold("fit");
  options.stage = stage_.name == kOnlyStage ? plan_.train.objective : stage_.name;
  // Metrics cost about a step: ten times an epoch is plenty.
  options.metrics_every =
      plan_.train.metrics_every > 0 ? plan_.train.metrics_every : std::max<Index>(1, steps_per_epoch() / 10);
  options.average = average();
  const StageView looked_at = view();
  const Monitor monitor = monitor_of(looked_at);
  options.monitor = [&](Index epoch) {
    std::map<std::string, double> metrics = learning_rate(epoch);
    if (monitor) metrics.merge(monitor());
    return metrics;
  };

  const auto start = last_save_ = Clock::now();
  const Index before = state_.step;
  bool warned = false;
  const FitObserver observer = [&](const FitReport& report) {
    if (report.epoch_ended && !warned) warned = warn_of_inference(report);
    const bool go_on = !work_.hooks.step || work_.hooks.step(report);
    stopped_ = !go_on;
    if (!go_on || (report.step < report.steps && seconds_since(last_save_) >= work_.checkpoint_seconds)) {
      outcome_.train_seconds = seconds_since(start);
      check_finite(stage_.graph, state_.carry,
                   fmt::format("[fit] stage {}, step {}", options.stage, report.step));
      save("training");
    }
    return go_on;
  };
  keeping([&] { fit(stage_.graph, *stage_.objective, source_, *optimizer_, options, state_, observer); });
  outcome_.train_seconds = seconds_since(start);
  outcome_.train_samples = (state_.step - before) * plan_.train.batch;
}

bool StageRun::warn_of_inference(const FitReport& report) const {
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

StageView StageRun::view() const {
  return {.stage = stage_,
          .data = [this]() -> const Dataset& { return work_.data; },
          .preprocessing = [this]() -> const Preprocessing& { return work_.data.preprocessing; },
          .carry = state_.carry,
          .say = work_.hooks.say};
}

StageOutcome StageRun::finish() {
  if (stage_.objective) train();
  if (stopped_ || state_.step < steps()) return outcome_;
  keeping([&] { save("trained"); });
  const bool averaged = average_ && average_->ready();
  if (averaged) average_->swap(stage_.graph.parameters());
  const auto start = Clock::now();
  results_.remove("/evaluation");
  outcome_.report = evaluate_measures(view(), results_);
  outcome_.evaluate_seconds = seconds_since(start);
  work_.draw(view(), results_);
  if (averaged) average_->swap(stage_.graph.parameters());
  outcome_.complete = true;
  save("complete");
  restore_stage(stage_, results_);
  return outcome_;
}

}  // namespace

StageOutcome run_stage(const StageWork& work, Store& results) { return StageRun(work, results).finish(); }

void restore_stage(const Stage& stage, const Store& results) {
  const bool averaged = results.has("/average/count") && results.tensor("/average/count").item() > 0;
  read_parameters(results, averaged ? "/average" : "/parameters", stage.graph.parameters());
  read_parameters(results, "/parameters", stage.buffers);
}

bool is_complete(const Store& results) {
  return results.has("/status") && results.text("/status") == "complete";
}

}  // namespace basin
