#include "training/experiment/stage_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "results/results_file.h"
#include "tensor/error.h"
#include "training/everywhere.h"
#include "training/experiment/checkpoint.h"
#include "training/experiment/fine_tuning.h"
#include "training/experiment/first_numbers.h"
#include "training/health/health.h"
#include "training/measures/density.h"
#include "training/measures/measure.h"
#include "training/plots/snapshot.h"

namespace basin {
namespace {

using Clock = std::chrono::steady_clock;

StageView view_of(const Stage& stage, const Dataset& data, const Carry& carry, const RunHooks& hooks) {
  return {.stage = stage,
          .data = [&]() -> const Dataset& { return data; },
          .preprocessing = [&]() -> const Preprocessing& { return data.preprocessing; },
          .carry = carry,
          .say = hooks.say};
}

/// Those that it learns from and those that it is measured by.
bool all_in_unit_interval(const Dataset& data) {
  return in_unit_interval(data.train) && (data.validation.count == 0 || in_unit_interval(data.validation)) &&
         (data.test.count == 0 || in_unit_interval(data.test));
}

class StageRun {
 public:
  StageRun(const StagePlan& plan, const Stage& stage, const Dataset& data, Store results, Record& record,
           const RunHooks& hooks);
  bool finish();

 private:
  void describe();
  /// Makes the optimizer, at half its learning rate for each time that the training was rolled back.
  void make_optimizer();
  /// Says what becomes of schedules and averages that count by the whole training, which is longer now.
  void go_on_for_longer(Index epochs_before);
  /// Keeps the state at the end of an epoch for a training that may be rolled back to it.
  void keep_healthy();
  /// Goes back to it at half the learning rate. Throws the error, being handled, where the plan has no (more)
  /// of that.
  void roll_back(const Error& error);
  /// How often it was: that many halvings.
  Index roll_backs() const {
    return results_.has("/roll_back") ? static_cast<Index>(results_.integers("/roll_back/step").size()) : 0;
  }
  /// Keeps the weights as pictures, of every N-th epoch that the plan asks for.
  void take_snapshot();
  /// A checkpoint in between, and whether to go on.
  void checkpoint(const FitReport& report);
  /// False when stopped.
  bool train();
  void save(const std::string& status);
  /// What goes wrong in `act` is said together with what is kept.
  template <class Act>
  void keeping(Act act) const {
    try {
      act();
    } catch (const Error& error) {
      throw Error(fmt::format("{}; {}", error.what(), record_.saved()));
    }
  }
  /// Seconds since they were last asked for.
  double lap();
  void say(const std::string& line) const { hooks_.say ? hooks_.say(line) : void(); }
  Index steps_per_epoch() const { return stage_.objective ? source_.count() / plan_.train.batch : 1; }
  /// Metrics cost about a step: ten times an epoch is plenty.
  Index metrics_every() const {
    return plan_.train.metrics_every > 0 ? plan_.train.metrics_every
                                         : std::max<Index>(1, steps_per_epoch() / 10);
  }
  Average* average() { return average_ ? &*average_ : nullptr; }

  const StagePlan& plan_;
  const Stage& stage_;
  const Dataset& data_;
  Store results_;
  Record& record_;
  const RunHooks& hooks_;
  Source source_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<Average> average_;
  FitState state_;
  HealthWatch watch_{plan_.train.health};
  Clock::time_point lap_;
};

StageRun::StageRun(const StagePlan& plan, const Stage& stage, const Dataset& data, Store results,
                   Record& record, const RunHooks& hooks)
    : plan_(plan), stage_(stage), data_(data), results_(std::move(results)), record_(record), hooks_(hooks) {
  if (!stage.wants_unit_interval.empty() && !all_in_unit_interval(data)) {
    throw Error(fmt::format("[stages] expected numbers in [0, 1] for stage {}, received others; {}",
                            stage.name, stage.wants_unit_interval));
  }
  for (const Samples* measured : {&data.validation, &data.test}) require_inside_grid(stage, *measured);
  if (stage.start) {
    stage.start(stage_source(stage, data.train), hooks.say);
    expect_finite_start(stage, data.train);
  }
  if (stage.objective) source_ = training_batches(stage, data);
  if (stage.objective && source_.count() < plan.train.batch) {
    throw Error(
        fmt::format("[stages] expected train.batch of at most the {} samples of stage {}, received {}; "
                    "lower it, or have more of them",
                    source_.count(), stage.name, plan.train.batch));
  }
  if (plan.optimizer.average) average_.emplace(*plan.optimizer.average);
  make_optimizer();
  if (results_.has("/checkpoint")) {
    state_ = read_checkpoint(results_, stored_parameters(stage), *optimizer_, average());
    check_steps(results_, state_,
                {.steps_per_epoch = steps_per_epoch(),
                 .epochs = stage.objective ? plan.train.epochs : 0,
                 .metrics_every = metrics_every()});
    say(fmt::format("{}resumed after step {} (epoch {})",
                    stage.name == kOnlyStage ? "" : fmt::format("stage {}: ", stage.name), state_.step,
                    state_.step / steps_per_epoch()));
    if (const auto longer = record.lengthened.find(stage.name); longer != record.lengthened.end())
      go_on_for_longer(longer->second);
  } else {
    if (stage.pretrain) stage.pretrain(stage_source(stage, data.train), hooks.say);
    if (record.start.fill(stage)) {
      say(fmt::format("{}starts from the parameters in {}",
                      stage.name == kOnlyStage ? "" : fmt::format("stage {}: ", stage.name),
                      record.start.file()));
    }
    if (results_.has("/fine_tune")) note_start(stage, results_);
  }
  if (stage.objective) state_.history.set_unit("loss", stage.objective->unit());
  describe();
}

void StageRun::describe() {
  const auto* everywhere = stage_.facets.get<Everywhere>();
  results_.put("/sample_shape",
               std::vector<std::int64_t>(everywhere != nullptr ? everywhere->whole : data_.train.shape()));
  results_.put_text("/kind", stage_.kind);
  if (sees_labels(stage_, data_)) results_.put_integer("/classes", data_.train.labels()->classes());
  results_.put_text("/objective", stage_.objective ? stage_.objective->name() : "none");
  Rules rules = stage_.rules;
  if (stage_.objective) std::ranges::copy(stage_.objective->rules(stage_.graph), std::back_inserter(rules));
  results_.put_texts("/rules", rules);
  std::vector<std::string> factors;
  for (const FactorGraph::Term& term : stage_.graph.terms()) factors.push_back(term.factor->name());
  results_.put_texts("/factors", factors);
  write_preprocessing(results_, data_.preprocessing);
}

void StageRun::make_optimizer() {
  Rates rates = plan_.optimizer.rates;
  if (const Index halvings = roll_backs(); halvings > 0) {
    const double factor = std::ldexp(1.0, -static_cast<int>(halvings));
    for (auto& [prefix, rate] : rates) rate *= factor;
    rates.try_emplace("", factor);  // of all others
  }
  optimizer_ = plan_.optimizer.make(rates);
}

void StageRun::go_on_for_longer(Index epochs_before) {
  const auto rate_in = [&](Index epochs) {
    const auto steps = static_cast<double>(steps_per_epoch() * epochs);
    return plan_.optimizer.learning_rate(
        {.step = state_.step,
         .epoch = state_.step / steps_per_epoch(),
         .fraction = std::min(1.0, static_cast<double>(state_.step) / steps)});
  };
  const double before = rate_in(epochs_before), now = rate_in(plan_.train.epochs);
  std::string text =
      fmt::format("{} epochs more than the {} it had", plan_.train.epochs - epochs_before, epochs_before);
  if (before != now) {
    text += fmt::format(
        "; the learning rate falls with the fraction of training that is done: from {:.4g} it goes on at "
        "{:.4g}",
        before, now);
  }
  const double done =
      static_cast<double>(state_.step) / static_cast<double>(steps_per_epoch() * plan_.train.epochs);
  if (average_ && !average_->state().empty()) {
    const double from = plan_.optimizer.average->from;
    if (done < from) {
      average_->restore({});
      text += fmt::format("; parameters are averaged anew, after {} of it", from);
    } else if (from > 0.0) {
      text += fmt::format(
          "; the average of parameters goes on, which began after {} of the shorter training: earlier than "
          "in one of this length",
          from);
    }
  }
  say(text);
}

void StageRun::keep_healthy() {
  if (!plan_.train.roll_backs) return;
  Store healthy;
  write_checkpoint(healthy, stored_parameters(stage_), *optimizer_, average(), state_,
                   state_.step / steps_per_epoch());
  results_.put_group("/healthy", healthy);
}

void StageRun::roll_back(const Error& error) {
  if (!plan_.train.roll_backs) throw;
  if (roll_backs() >= *plan_.train.roll_backs)
    throw Error(fmt::format("{}; it was rolled back {} times already", error.what(), roll_backs()));
  std::vector<std::int64_t> from, to;
  std::vector<std::string> reasons;
  if (results_.has("/roll_back")) {
    from = results_.integers("/roll_back/step");
    to = results_.integers("/roll_back/to_step");
    reasons = results_.texts("/roll_back/reason");
  }
  from.push_back(state_.step);
  const Store healthy = results_.group("/healthy");
  to.push_back(healthy.integer("/checkpoint/step"));
  reasons.emplace_back(error.what());
  results_.put("/roll_back/step", from);
  results_.put("/roll_back/to_step", to);
  results_.put_texts("/roll_back/reason", reasons);
  make_optimizer();
  state_ = read_checkpoint(healthy, stored_parameters(stage_), *optimizer_, average());
  state_.history.set_unit("loss", stage_.objective->unit());
  say(fmt::format("warning: {}: back to step {}, the learning rate times {:.4g} from here on", error.what(),
                  state_.step, std::ldexp(1.0, -static_cast<int>(roll_backs()))));
  save("training");
}

void StageRun::take_snapshot() {
  const Index epoch = state_.step / steps_per_epoch();
  if (plan_.snapshots == 0 || epoch % plan_.snapshots != 0) return;
  const Picturable weights = snapshot(stage_, data_.preprocessing);
  Shape shape = weights.pixels;
  shape.insert(shape.begin(), weights.rows.dim(0));
  results_.put(fmt::format("/snapshots/{}", epoch), weights.rows.reshaped(shape));
}

void StageRun::checkpoint(const FitReport& report) {
  record_.trained(stage_.name, lap());
  try {
    check_finite(stage_.graph, *stage_.objective, state_.carry,
                 fmt::format("[fit] stage {}, step {}", report.stage, report.step));
    save("training");
  } catch (const NotFinite&) {
    // Where it is rolled back, fit() finds it by itself, at a step that no clock decides.
    if (!plan_.train.roll_backs) throw;
  }
}

void StageRun::save(const std::string& status) {
  write_checkpoint(results_, stored_parameters(stage_), *optimizer_, average(), state_,
                   state_.step / steps_per_epoch());
  if (const auto& stop = plan_.train.stop)
    results_.put_integer("/checkpoint/chosen_epoch", stop->keep == Keep::Best
                                                         ? best_epoch(state_.history, *stop)
                                                         : state_.step / steps_per_epoch());
  results_.put_text("/status", status);
  record_.save(stage_.name, results_);
}

double StageRun::lap() {
  const auto before = std::exchange(lap_, Clock::now());
  return std::chrono::duration<double>(lap_ - before).count();
}

bool StageRun::train() {
  FitOptions options;
  options.epochs = plan_.train.epochs;
  options.batch = plan_.train.batch;
  options.key = stage_.key.fold("fit");
  options.stage = stage_.name == kOnlyStage ? plan_.train.objective : stage_.name;
  options.metrics_every = metrics_every();
  options.average = average();
  options.stop = plan_.train.stop;
  Dataset seen = data_;
  if (!record_.watches_test()) seen.test = {};
  const StageView view = view_of(stage_, seen, state_.carry, hooks_);
  const Monitor monitor = monitor_of(view);
  const Index steps = steps_per_epoch() * plan_.train.epochs;
  options.monitor = [&](Index epoch) {
    std::map<std::string, double> metrics;
    if (plan_.optimizer.kind != "none") {
      const double step = static_cast<double>(state_.step - 1);
      metrics["learning_rate"] =
          plan_.optimizer.learning_rate(
              {.step = state_.step - 1, .epoch = epoch - 1, .fraction = step / static_cast<double>(steps)}) *
          std::ldexp(1.0, -static_cast<int>(roll_backs()));
    }
    if (monitor) metrics.merge(monitor());
    return metrics;
  };

  std::vector<Source> sources = {source_};
  if (stage_.further) std::ranges::move(stage_.further(), std::back_inserter(sources));
  lap();
  const Index before = state_.step;
  bool go_on = true;
  const FitObserver observer = [&](const FitReport& report) {
    if (report.epoch_ended) {
      watch_.look_over({.view = view,
                        .history = *report.history,
                        .steps_per_epoch = steps_per_epoch(),
                        .batch = plan_.train.batch});
      keep_healthy();
      take_snapshot();
    }
    go_on = !hooks_.step || hooks_.step(report);
    if (!go_on || (report.step < report.steps && record_.is_due())) checkpoint(report);
    return go_on;
  };
  if (!results_.has("/healthy")) keep_healthy();
  if (state_.step == 0) take_snapshot();
  keeping([&] {
    for (bool is_done = false; !is_done;) {
      try {
        fit(stage_.graph, *stage_.objective, sources, *optimizer_, options, state_, observer);
        is_done = true;
      } catch (const NotFinite& error) {
        roll_back(error);
      } catch (const Unhealthy& error) {
        roll_back(error);
      }
    }
  });
  record_.trained(stage_.name, lap());
  record_.result.train_samples += (state_.step - before) * plan_.train.batch;
  if (go_on && options.stop && options.stop->after == 0 && state_.step < steps)
    say(fmt::format("stopped after epoch {}: no better {} since epoch {}", state_.history.epochs().at.back(),
                    options.stop->metric, best_epoch(state_.history, *options.stop)));
  return go_on;
}

bool StageRun::finish() {
  if (stage_.objective && !train()) return false;
  results_.remove("/healthy");
  keeping([&] { save("trained"); });
  restore_stage(stage_, results_);
  note_distance(stage_, results_);
  lap();
  results_.remove("/evaluation");
  const StageView view = view_of(stage_, data_, state_.carry, hooks_);
  const std::string report = evaluate_measures(view, results_);
  if (record_.is_pipeline() && !report.empty())
    record_.result.report += fmt::format("stage {}\n", stage_.name);
  record_.result.report += report;
  record_.evaluate_seconds += lap();
  record_.judge(plan_, results_);
  record_.draw(plan_, view, results_);
  results_.put_text("/status", "complete");
  record_.save(stage_.name, results_);
  return true;
}

}  // namespace

bool run_stage(const StagePlan& plan, const Stage& stage, const Dataset& data, Store results, Record& record,
               const RunHooks& hooks) {
  if (!is_complete(results)) return StageRun(plan, stage, data, std::move(results), record, hooks).finish();
  restore_stage(stage, results);
  const Carry carry = carry_of(results, stage.placement.device);
  record.judge(plan, results);
  record.draw(plan, view_of(stage, data, carry, hooks), results);
  record.save(stage.name, results);
  return true;
}

std::vector<Parameter> trained_parameters(const Stage& stage) {
  std::vector<Parameter> trained = stage.graph.parameters();
  if (stage.objective) {
    for (Parameter& own : stage.objective->parameters()) trained.push_back(std::move(own));
  }
  return trained;
}

void restore_stage(const Stage& stage, const Store& results) {
  const bool averaged = results.has("/average/count") && results.tensor("/average/count").item() > 0;
  read_parameters(results, averaged ? "/average" : "/parameters", trained_parameters(stage));
  read_parameters(results, "/parameters", stage.buffers);
}

bool is_complete(const Store& results) {
  return results.has("/status") && results.text("/status") == "complete";
}

}  // namespace basin
