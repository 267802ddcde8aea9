#include "training/early_stop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "data/catalog.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "models/rbm.h"
#include "results/compare.h"
#include "tensor/error.h"
#include "training/experiment/checkpoint.h"
#include "training/experiment_fixture.h"
#include "training/fit.h"
#include "training/optimizers/sgd.h"

namespace basin::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

History history_of(const std::vector<double>& numbers) {
  History history;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    history.record_epoch(static_cast<std::int64_t>(i) + 1, {{"loss_validation", numbers[i]}});
  return history;
}

const EarlyStop kDown = {.metric = "loss_validation", .patience = 2};
const EarlyStop kUp = {.metric = "loss_validation", .better = Better::Up, .patience = 2};

TEST(EarlyStop, TheBestEpochIsTheFirstOfEquals) {
  EXPECT_EQ(best_epoch(history_of({}), kDown), 0);
  EXPECT_EQ(best_epoch(history_of({3, 2, 2, 4}), kDown), 2);
  EXPECT_EQ(best_epoch(history_of({3, 2, 4, 4}), kUp), 3);
  EXPECT_EQ(best_epoch(history_of({kNan, kNan}), kDown), 0);
  EXPECT_EQ(best_epoch(history_of({kNan, 5, kNan}), kDown), 2);
}

TEST(EarlyStop, IsOverAfterSoManyEpochsWithoutABetterOne) {
  EXPECT_FALSE(is_over(history_of({}), kDown));
  EXPECT_FALSE(is_over(history_of({3, 2, 2}), kDown));
  EXPECT_TRUE(is_over(history_of({3, 2, 2, 2}), kDown));
  EXPECT_FALSE(is_over(history_of({3, 2, 2, 1}), kDown));
  EXPECT_TRUE(is_over(history_of({3, 2, 2}), kUp));
  EXPECT_TRUE(is_over(history_of({kNan, kNan}), kDown));
  EarlyStop never = kDown;
  never.patience = 0;
  EXPECT_FALSE(is_over(history_of({1, 2, 3, 4, 5}), never));
}

TEST(EarlyStop, AMetricThatWasNotMeasuredIsNamedWithThoseThatWere) {
  EarlyStop other = kDown;
  other.metric = "validation_error";
  try {
    best_epoch(history_of({1}), other);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'validation_error'; loss_validation were measured"),
              std::string::npos)
        << error.what();
  }
}

/// A fit of a small RBM on bars and stripes whose metric of epochs is written down beforehand.
class Trained {
 public:
  explicit Trained(std::optional<EarlyStop> stop, Index epochs) {
    model_.graph.to(Placement{Dtype::F32, device()});
    options_ = {.epochs = epochs, .batch = 7, .key = Key(5), .metrics_every = 1, .stop = std::move(stop)};
    options_.monitor = [](Index epoch) {
      const std::vector<double> script = {5, 4, 3, 6, 6, 2};
      return std::map<std::string, double>{
          {"loss_validation", script.at(static_cast<std::size_t>(epoch - 1))}};
    };
  }

  void run(Index until = -1) {
    const Samples samples = load_dataset("bars_and_stripes", {.size = 3}).train;
    const Source source(samples, inputs_of(model_.graph, samples), model_.graph.placement());
    const Contrast objective = ContrastiveDivergence(model_.v, BlockGibbs({{model_.h}, {model_.v}}));
    fit(model_.graph, objective, {source}, sgd_, options_, state_,
        [&](const FitReport& report) { return report.step != until; });
  }

  /// Through a file and into another training.
  void move_to(Trained& other) const {
    Store store;
    write_checkpoint(store, model_.graph.parameters(), sgd_, nullptr, state_, state_.step / 2);
    other.state_ = read_checkpoint(store, other.model_.graph.parameters(), other.sgd_, nullptr);
  }

  std::vector<std::vector<double>> parameters() const {
    std::vector<std::vector<double>> all;
    for (const Parameter& parameter : model_.graph.parameters()) all.push_back(parameter.tensor().values());
    return all;
  }
  const FitState& state() const { return state_; }

 private:
  Rbm model_ = rbm({.visible_shape = {3, 3}, .hidden_units = 4, .weight_scale = 0.1, .key = Key(3)});
  Sgd sgd_{{.learning_rate = 0.1, .momentum = 0.5}};
  FitOptions options_;
  FitState state_;
};

TEST(EarlyStop, KeepsTheParametersOfTheBestEpochOrTheLast) {
  EarlyStop best = kDown;
  best.keep = Keep::Best;
  Trained stopped(best, 6), last(kDown, 6), three(std::nullopt, 3), five(std::nullopt, 5), all(best, 6);
  stopped.run();
  last.run();
  three.run();
  five.run();
  EXPECT_EQ(stopped.state().history.epochs().at.back(), 5);
  EXPECT_EQ(stopped.parameters(), three.parameters());
  EXPECT_EQ(last.parameters(), five.parameters());
  EXPECT_NE(three.parameters(), five.parameters());
  EXPECT_TRUE(stopped.state().best.empty());
  // Once over, it goes no further.
  const Index step = stopped.state().step;
  stopped.run();
  EXPECT_EQ(stopped.state().step, step);
  EXPECT_EQ(stopped.parameters(), three.parameters());
}

TEST(EarlyStop, WithoutPatienceTheBestOfAllEpochsIsKept) {
  EarlyStop best = {.metric = "loss_validation", .better = Better::Up, .patience = 0, .keep = Keep::Best};
  Trained kept(best, 6), four(std::nullopt, 4);
  kept.run();
  four.run();
  EXPECT_EQ(kept.state().history.epochs().at.back(), 6);
  EXPECT_EQ(kept.parameters(), four.parameters());
}

TEST(EarlyStop, GoneOnFromAnyStepItEndsAsTheUnbrokenOne) {
  EarlyStop best = kDown;
  best.keep = Keep::Best;
  Trained whole(best, 6);
  whole.run();
  for (Index until = 1; until <= whole.state().step; ++until) {
    Trained part(best, 6), rest(best, 6);
    part.run(until);
    part.move_to(rest);
    rest.run();
    EXPECT_EQ(rest.state().step, whole.state().step) << until;
    EXPECT_EQ(rest.parameters(), whole.parameters()) << until;
  }
}

const std::string kClassifier = R"(
seed = 4
head = { kind = "softmax" }
data = { name = "strokes", train = 300, test = 100, validation = 60 }
[fine_tune]
epochs = 40
batch = 20
stop = { metric = "validation_error", patience = 3 }
optimizer = { learning_rate = 0.3 }
)";

using EarlyStopRuns = ExperimentFolder;

// What was chosen is trained again as it was: the rate of an epoch is that of the trial, and not of a
// schedule that is squeezed into fewer epochs.
TEST_F(EarlyStopRuns, WhoEndsAfterSomeEpochsKeepsTheScheduleOfAll) {
  replace_ = true;
  const auto run = [&](const std::vector<std::string>& settings) {
    std::vector<std::string> all = settings;
    all.emplace_back("fine_tune.optimizer.schedule=cosine");
    return run_experiment(plan_of_text(kClassifier, all), options("a.h5")).store.group("/stages/head");
  };
  const Store part = run({"fine_tune.epochs=8", "fine_tune.stop={ after = 3 }"}),
              all = run({"fine_tune.epochs=8", "fine_tune.stop={}"}),
              squeezed = run({"fine_tune.epochs=3", "fine_tune.stop={}"});
  const auto rates = [](const Store& store) { return store.numbers("/metrics/epoch/learning_rate"); };
  ASSERT_EQ(rates(part).size(), 3u);
  EXPECT_EQ(part.integer("/checkpoint/epoch"), 3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(rates(part)[i], rates(all)[i]);
  EXPECT_GT(rates(part)[2], 2.0 * rates(squeezed)[2]);
  // Gone on from within, it is the same.
  const Plan plan = plan_of_text(kClassifier, {"fine_tune.epochs=8", "fine_tune.stop={ after = 3 }"});
  const Store whole = run_experiment(plan, options("whole.h5")).store;
  run_experiment(plan, options("part.h5"),
                 {.step = [](const FitReport& report) { return report.step != 17; }});
  RunOptions how = options("part.h5");
  how.resume = true;
  EXPECT_TRUE(differences(whole, run_experiment(plan, how).store).empty());
}

TEST_F(EarlyStopRuns, AStoppedExperimentHoldsTheChosenEpochAndIsResumedBitForBit) {
  const Plan plan = plan_of_text(kClassifier);
  replace_ = true;
  const Store whole = run_experiment(plan, options("whole.h5")).store;
  const Store head = whole.group("/stages/head");
  const std::vector<double> errors = head.numbers("/metrics/epoch/validation_error");
  const auto chosen = static_cast<std::size_t>(head.integer("/checkpoint/chosen_epoch"));
  ASSERT_LT(errors.size(), 40u);
  ASSERT_EQ(errors.size(), chosen + 3);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    EXPECT_TRUE(i < chosen - 1 ? errors[i] > errors[chosen - 1] : errors[i] >= errors[chosen - 1]) << i;
  }
  EXPECT_EQ(number(head, "validation_error"), errors[chosen - 1]);  // by the parameters of that epoch
  EXPECT_FALSE(head.has("/best"));
  const Index steps = head.integer("/checkpoint/step");
  for (Index stop = 1; stop <= steps; stop += 5) {
    run_experiment(plan, options("part.h5"),
                   {.step = [&](const FitReport& report) { return report.step != stop; }});
    RunOptions how = options("part.h5");
    how.resume = true;
    const RunResult rest = run_experiment(plan, how);
    ASSERT_TRUE(rest.complete);
    const std::vector<std::string> lines = differences(whole, rest.store);
    ASSERT_TRUE(lines.empty()) << stop << ": " << lines.front();
  }
}

TEST_F(EarlyStopRuns, TestSamplesAreLeftAloneWhereAsked) {
  replace_ = true;
  const auto run = [&](const std::vector<std::string>& settings) {
    return run_experiment(plan_of_text(kClassifier, settings), options("a.h5")).store.group("/stages/head");
  };
  const Store never = run({"data.test_use=never", "fine_tune.epochs=3"});
  for (const std::string& path : never.list("/")) EXPECT_EQ(path.find("test"), std::string::npos) << path;
  EXPECT_EQ(never.integers("/evaluation/validation_predictions").size(), 60u);
  const Store end =
      run({"data.test_use=end", "data.validation=0", "fine_tune.stop={}", "fine_tune.epochs=3"});
  for (const std::string& path : end.list("/metrics/epoch")) EXPECT_EQ(path.find("test"), std::string::npos);
  EXPECT_TRUE(end.has("/evaluation/test_error"));
  EXPECT_THROW(run({"data.test_use=never", "data.validation=0", "fine_tune.stop={}"}), Error);
}

TEST_F(EarlyStopRuns, WhatIsSaidOfTestSamplesIsThenSaidOfValidationSamples) {
  const Plan plan = plan_of_text(R"(
seed = 4
data = { name = "strokes", scale = "threshold", train = 200, test = 50, validation = 40, test_use = "never" }
[[stages]]
name = "first"
model = { hidden = 6 }
train = { epochs = 3, batch = 20, stop = { metric = "pseudo_likelihood_validation", patience = 1 } }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "exact" }
[[stages]]
name = "second"
model = { kind = "autoencoder", codes = 4 }
train = { epochs = 2, batch = 20 }
optimizer = { learning_rate = 0.05 }
)");
  const Store store = run_experiment(plan, options("a.h5")).store;
  for (const std::string& path : store.list("/stages"))
    EXPECT_EQ(path.find("test"), std::string::npos) << path;
  const Store first = store.group("/stages/first"), second = store.group("/stages/second");
  EXPECT_LT(number(first, "exact/validation_log_likelihood"), 0.0);
  EXPECT_GE(first.integer("/checkpoint/chosen_epoch"), 1);
  EXPECT_EQ(number(second, "samples"), 40.0);
  EXPECT_TRUE(second.has("/metrics/epoch/reconstruction_error_validation"));
  EXPECT_EQ(second.attribute("/metrics/epoch/reconstruction_error_validation", "unit"),
            Store::Scalar(std::string("squared pixels a sample")));
}

TEST_F(EarlyStopRuns, AClassifierStoresItsPredictionsAndConfusions) {
  const Plan plan = plan_of_text(kClassifier, {"fine_tune.epochs=3"});
  const Store head = run_experiment(plan, options("a.h5")).store.group("/stages/head");
  const std::vector<std::int64_t> labels = head.integers("/evaluation/test_labels"),
                                  predictions = head.integers("/evaluation/test_predictions"),
                                  confusion = head.integers("/evaluation/test_confusion");
  ASSERT_EQ(labels.size(), 100u);
  ASSERT_EQ(predictions.size(), 100u);
  EXPECT_EQ(head.shape("/evaluation/test_confusion"), (Shape{10, 10}));
  const Dataset data = load_data(plan);
  double wrong = 0.0;
  std::vector<std::int64_t> counted(100);
  for (std::size_t n = 0; n < 100; ++n) {
    EXPECT_EQ(labels[n], data.test.labels()->integers()[n]);
    wrong += labels[n] != predictions[n];
    ++counted[static_cast<std::size_t>(10 * labels[n] + predictions[n])];
  }
  EXPECT_EQ(confusion, counted);
  EXPECT_DOUBLE_EQ(number(head, "test_error"), wrong / 100.0);
  EXPECT_FALSE(head.has("/evaluation/classification_error_test")) << "one name";
  EXPECT_GT(wrong, 0.0);
}

TEST(EarlyStopPlan, WhatMakesNoSenseIsRefused) {
  const auto error = [](const std::string& setting) -> std::string {
    try {
      plan_of_text(kClassifier, {setting});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto expect = [&](const std::string& setting, const std::string& part) {
    EXPECT_NE(error(setting).find(part), std::string::npos) << error(setting);
  };
  expect("fine_tune.stop.metric=validation_eror", "did you mean 'validation_error'");
  expect("fine_tune.stop.metric=test_error", "the test samples choose nothing");
  expect("fine_tune.stop.metric=hidden_mean", "more or less is better");
  for (const char* seen : {"loss", "energy_gap", "pseudo_likelihood_train"})
    expect(std::string("fine_tune.stop.metric=") + seen, "the training samples choose nothing");
  expect("fine_tune.stop={ after = 0 }", "at least 1");
  expect("fine_tune.stop={ after = 2, metric = \"validation_error\" }", "unknown key 'metric'");
  EXPECT_EQ(error("fine_tune.stop={ after = 2 }"), "");
  expect("fine_tune.stop.patience=-1", "patience");
  expect("fine_tune.stop.patence=1", "did you mean 'patience'");
  expect("fine_tune.optimizer.average.from=0.5", "expected no average");
  EXPECT_EQ(error("fine_tune.keep=last"), "");
  expect("fine_tune.keep=worst", "one of last, best");
  expect("fine_tune.stop={}", "");
  EXPECT_EQ(error("data.test_use=end"), "");
  expect("data.test_use=once", "epochs, end, never");
  const Plan plan = plan_of_text(kClassifier);
  EXPECT_EQ(plan_of_text(plan.resolved).resolved, plan.resolved);
}

}  // namespace
}  // namespace basin::test
