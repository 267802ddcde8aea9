// Runs that go on from something: an epoch before numbers blew up, a shorter training, another run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "results/compare.h"
#include "support/contains.h"
#include "tensor/error.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

using test::contains;
using GoOn = test::ExperimentFolder;

/// At the rate of the third epoch its numbers overflow within some steps.
const std::string kSteep = R"(
seed = 2
data = { name = "strokes", train = 400, test = 100 }
model = { kind = "autoencoder", codes = 10, units = "linear", reconstruction = "linear" }
train = { epochs = 4, batch = 20, on_unhealthy = "roll_back", roll_backs = 20 }
optimizer = { learning_rate = 0.0001, schedule = "stairs", factor = 10000, every = 2, clock = "epochs", momentum = 0.5 }
results = { checkpoint_seconds = 0 }
)";

const std::string kEven = R"(
seed = 4
data = { name = "bars_and_stripes", scale = "threshold" }
model = { hidden = 6, weight_scale = 0.1 }
train = { objective = "pcd", epochs = 6, batch = 10 }
optimizer = { learning_rate = 0.05, momentum = 0.5 }
evaluate = { log_likelihood = "exact" }
)";

TEST_F(GoOn, RolledBackToTheLastEpochAtHalfTheRate) {
  std::vector<std::string> said;
  RunHooks hooks{.say = [&](const std::string& line) { said.push_back(line); }};
  const RunResult result = run_experiment(test::plan_of_text(kSteep), options("steep.h5"), hooks);
  ASSERT_TRUE(result.complete);
  const Store stage = test::only(result.store);
  const std::vector<std::int64_t> from = stage.integers("/roll_back/step"),
                                  to = stage.integers("/roll_back/to_step");
  const std::vector<std::string> reasons = stage.texts("/roll_back/reason");
  ASSERT_GT(from.size(), 1u);
  EXPECT_EQ(reasons.size(), from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    EXPECT_EQ(to[i] % 20, 0);
    EXPECT_GE(to[i], 40);
    EXPECT_LE(from[i] - to[i], 20);
    EXPECT_TRUE(contains(reasons[i], "not finite")) << reasons[i];
  }
  EXPECT_FALSE(stage.has("/healthy"));
  const std::vector<double> rates = stage.numbers("/metrics/epoch/learning_rate");
  EXPECT_DOUBLE_EQ(rates.at(1), 0.0001);
  EXPECT_DOUBLE_EQ(rates.at(3), std::ldexp(1.0, -static_cast<int>(from.size())));
  EXPECT_EQ(std::ranges::count_if(said, [](const auto& line) { return contains(line, "back to step"); }),
            std::ssize(from));
}

TEST_F(GoOn, RolledBackAndStoppedAnywhereEqualsTheUnbrokenRun) {
  const Plan plan = test::plan_of_text(kSteep);
  run_experiment(plan, options("unbroken.h5"));
  RunOptions again = options("stopped.h5");
  RunHooks hooks;
  Index steps = 0;
  for (const Index stop :
       {1, 39, 1, 7, 13, 2}) {  // steps of each process: before, at and after what blows up
    hooks.step = [&](const FitReport&) { return ++steps % stop != 0; };
    steps = 0;
    EXPECT_FALSE(run_experiment(plan, again, hooks).complete) << stop;
    again.resume = true;
  }
  EXPECT_TRUE(run_experiment(plan, again).complete);
  EXPECT_EQ(differences(Store::load(options("unbroken.h5").file), Store::load(again.file)),
            std::vector<std::string>{});
}

TEST_F(GoOn, RolledBackNoMoreOftenThanAllowed) {
  const auto error_of = [&](const std::vector<std::string>& settings) -> std::string {
    try {
      run_experiment(test::plan_of_text(kSteep, settings), options("few.h5"));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_TRUE(contains(error_of({"train.roll_backs=1"}), "rolled back 1 times already"));
  replace_ = true;
  EXPECT_TRUE(contains(error_of({"train={ epochs = 4, batch = 20, on_unhealthy = \"stop\" }"}),
                       "the last checkpoint is kept in"));
  EXPECT_TRUE(contains(error_of({"optimizer={ kind = \"lbfgs\" }"}), "without a learning rate"));
}

TEST_F(GoOn, ALengthenedTrainingEqualsTheLongOne) {
  const Plan plan = test::plan_of_text(kEven), longer = test::plan_of_text(kEven, {"train.epochs=9"});
  run_experiment(longer, options("long.h5"));
  RunOptions file = options("short.h5");
  ASSERT_TRUE(run_experiment(plan, file).complete);
  EXPECT_THROW(run_experiment(longer, file), Error);  // not unasked
  file.resume = true;
  EXPECT_THROW(run_experiment(test::plan_of_text(kEven, {"train.epochs=5"}), file), Error);
  EXPECT_THROW(run_experiment(test::plan_of_text(kEven, {"train.epochs=9", "seed=5"}), file), Error);
  std::vector<std::string> said;
  const RunResult result =
      run_experiment(longer, file, {.say = [&](const std::string& line) { said.push_back(line); }});
  ASSERT_TRUE(result.complete);
  EXPECT_FALSE(result.was_complete);
  EXPECT_EQ(differences(Store::load(options("long.h5").file), Store::load(file.file),
                        {"/time", "/experiment/lengthened"}),
            std::vector<std::string>{});
  EXPECT_EQ(result.store.texts("/experiment/lengthened"),
            (std::vector<std::string>{"main of 6 epochs, after 18 steps"}));
  EXPECT_TRUE(
      std::ranges::any_of(said, [](const auto& line) { return line == "3 epochs more than the 6 it had"; }));
}

TEST_F(GoOn, AnAverageThatBeganEarlierIsSaidToGoOn) {
  RunOptions file = options("averaged.h5");
  run_experiment(test::plan_of_text(kEven, {"optimizer.average={ from = 0.5 }"}), file);
  file.resume = true;
  std::string said;
  run_experiment(test::plan_of_text(kEven, {"optimizer.average={ from = 0.5 }", "train.epochs=9"}), file,
                 {.say = [&](const std::string& line) { said += line + "\n"; }});
  EXPECT_TRUE(contains(said, "the average of parameters goes on, which began after 0.5")) << said;
}

TEST_F(GoOn, PrecisionsThatLeaveTheirBoundsAreRolledBack) {
  const std::string gaussian = R"(seed = 1
data = { name = "strokes", train = 400, test = 50 }
model = { visible = "gaussian", hidden = 10 }
train = { objective = "cd", epochs = 3, batch = 50, on_unhealthy = "roll_back", roll_backs = 40 }
optimizer = { learning_rate = 20.0 }
evaluate = { log_likelihood = "none" }
)";
  const RunResult result = run_experiment(test::plan_of_text(gaussian), options("steep.h5"));
  EXPECT_TRUE(result.complete);
  EXPECT_GT(test::only(result.store).integers("/roll_back/step").size(), 0u);
}

TEST_F(GoOn, SchedulesOfAWholeTrainingAreSaidToGoOnElsewhere) {
  const std::vector<std::string> linear = {"optimizer.schedule=linear", "optimizer.average={ from = 0.8 }"};
  std::vector<std::string> longer = linear;
  longer.emplace_back("train.epochs=12");
  RunOptions file = options("linear.h5");
  run_experiment(test::plan_of_text(kEven, linear), file);
  file.resume = true;
  std::string said;
  const RunResult result = run_experiment(test::plan_of_text(kEven, longer), file,
                                          {.say = [&](const std::string& line) { said += line + "\n"; }});
  EXPECT_TRUE(contains(said, "from 0 it goes on at 0.025")) << said;
  EXPECT_TRUE(contains(said, "averaged anew, after 0.8 of it")) << said;
  // Of 36 steps those from 29 on: 0.8 of them and more.
  EXPECT_EQ(test::only(result.store).tensor("/average/count").item(), 7.0);
}

TEST_F(GoOn, OnlyWhatNothingStandsOnIsLengthened) {
  const std::string two = R"(
seed = 1
data = { name = "bars_and_stripes", scale = "threshold" }
[[stages]]
name = "below"
model = { hidden = 6 }
train = { epochs = 2, batch = 10, stop = { metric = "pseudo_likelihood_validation", patience = 9 } }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }
[[stages]]
name = "above"
model = { hidden = 4 }
train = { epochs = 2, batch = 10 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }
)";
  RunOptions file = options("two.h5");
  const std::vector<std::string> plain = {"stages.below.train.stop={}"};
  run_experiment(test::plan_of_text(two, plain), file);
  file.resume = true;
  const auto resumed = [&](const std::string& setting) {
    std::vector<std::string> settings = plain;
    settings.push_back(setting);
    return run_experiment(test::plan_of_text(two, settings), file);
  };
  try {
    resumed("stages.below.train.epochs=3");
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(contains(error.what(), "expected more epochs of above")) << error.what();
  }
  const RunResult result = resumed("stages.above.train.epochs=5");
  EXPECT_EQ(result.store.integer("/stages/above/checkpoint/epoch"), 5);
  EXPECT_EQ(result.store.integer("/stages/below/checkpoint/epoch"), 2);
}

TEST_F(GoOn, AStepThatItsMetricsDoNotKnowIsRefused) {
  RunOptions again = options("again.h5");
  const Plan plan = test::plan_of_text(kEven);
  EXPECT_FALSE(
      run_experiment(plan, again, {.step = [](const FitReport& at) { return at.step < 5; }}).complete);
  again.resume = true;
  const Store good = Store::load(again.file);
  const std::string step = stage_group(kOnlyStage) + "/checkpoint/step";
  ASSERT_EQ(good.integer(step), 5);
  for (const Index other : {0, 4, 6}) {  // sealed anew, so that no digest tells
    Store changed = good;
    changed.put_integer(step, other);
    changed.put_integer(stage_group(kOnlyStage) + "/checkpoint/epoch",
                        other / test::only(good).integer("/checkpoint/step"));
    changed.save(again.file);
    try {
      run_experiment(plan, again);
      FAIL() << "went on from step " << other;
    } catch (const Error& error) {
      EXPECT_TRUE(contains(error.what(), "cannot be gone on from")) << error.what();
    }
  }
  good.save(again.file);
  EXPECT_TRUE(run_experiment(plan, again).complete);
}

TEST_F(GoOn, StartsFromTheParametersOfAnotherRun) {
  const RunResult first = run_experiment(test::plan_of_text(kEven), options("first.h5"));
  const std::string from = "init_from=\"" + options("first.h5").file + "\"";
  // At a rate of 0 a run ends with what it began with, but for the decay of nothing.
  const Plan still =
      test::plan_of_text(kEven, {from, "optimizer.learning_rate=0", "train.epochs=1", "seed=9"});
  std::string said;
  const RunResult second =
      run_experiment(still, options("second.h5"), {.say = [&](const std::string& line) { said += line; }});
  EXPECT_TRUE(contains(said, "starts from the parameters in")) << said;
  EXPECT_EQ(second.store.text("/experiment/init_from").size(), 64u);
  const auto parameters = [](const RunResult& run) { return test::only(run.store).group("/parameters"); };
  EXPECT_EQ(differences(parameters(first), parameters(second)), std::vector<std::string>{});

  const auto error_of = [&](const std::vector<std::string>& settings) -> std::string {
    try {
      run_experiment(test::plan_of_text(kEven, settings), options("third.h5"));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_TRUE(contains(error_of({from, "model.hidden=7"}), "expected the parameters of stage main"));
  EXPECT_TRUE(contains(error_of({"init_from=\"" + file("absent.h5") + "\""}), "absent.h5"));
  EXPECT_FALSE(std::filesystem::exists(file("third.h5")));
  RunOptions same = options("first.h5");
  same.replace = true;
  EXPECT_THROW(run_experiment(test::plan_of_text(kEven, {from}), same), Error);  // it would be gone
  EXPECT_TRUE(std::filesystem::exists(same.file));

  // Interrupted and gone on, it is the same; with another source it is none.
  RunOptions again = options("again.h5");
  const Plan moving = test::plan_of_text(kEven, {from});
  run_experiment(moving, options("moving.h5"));
  EXPECT_FALSE(
      run_experiment(moving, again, {.step = [](const FitReport& at) { return at.step < 5; }}).complete);
  again.resume = true;
  run_experiment(moving, again);
  EXPECT_EQ(differences(Store::load(options("moving.h5").file), Store::load(again.file)),
            std::vector<std::string>{});
}

}  // namespace
}  // namespace basin
