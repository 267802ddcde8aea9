// Each check of [health] on a training made to be ill by it, and on the same one that is well.
#include "training/health/health.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "autograd/ops.h"
#include "support/contains.h"
#include "support/error_of.h"
#include "tensor/random.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

using test::contains;

const std::string kWell = R"(
seed = 4
data = { name = "bars_and_stripes", scale = "threshold" }
model = { hidden = 8, weight_scale = 0.1 }
train = { objective = "pcd", chains = 20, epochs = 6, batch = 10 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }
)";

class Health : public test::ExperimentFolder {
 protected:
  Health() : plan_(test::plan_of_text(kWell)), run_(run_experiment(plan_, options("well.h5"))) {}

  /// What ails the stage with other parameters and particles than it has, by this history; a check each.
  std::vector<std::string> checks(const History& history) {
    const StageView view = stage().view();
    const StageView own{
        .stage = view.stage, .data = view.data, .preprocessing = view.preprocessing, .carry = carry_};
    std::vector<std::string> names;
    for (const Ailment& one :
         ailments({.view = own, .history = history, .steps_per_epoch = 700, .batch = 10}, {})) {
      names.push_back(one.check);
      texts_ += one.text + "\n";
    }
    return names;
  }
  RestoredStage& stage() {
    if (!stage_) {
      stage_.emplace(run_.store, plan_, "", test::device());
      carry_ = stage_->view().carry;
    }
    return *stage_;
  }
  Tensor parameter(const std::string& name) { return stage().stage().graph.parameter(name).tensor(); }
  /// Of six epochs.
  static History with(const std::map<std::string, std::vector<double>>& columns) {
    History history;
    for (std::int64_t epoch = 1; epoch <= 6; ++epoch) {
      History::Metrics metrics;
      for (const auto& [name, numbers] : columns)
        metrics[name] = numbers.at(static_cast<std::size_t>(epoch - 1));
      history.record_epoch(epoch, metrics);
    }
    return history;
  }
  using Names = std::vector<std::string>;

  Plan plan_;
  RunResult run_;
  std::optional<RestoredStage> stage_;
  Carry carry_;
  std::string texts_;
};

TEST_F(Health, NothingAilsAHealthyTraining) {
  EXPECT_EQ(checks(History::read(test::only(run_.store))), Names{}) << texts_;
}

TEST_F(Health, IdleUnitsAndInferenceThatDidNotConverge) {
  EXPECT_EQ(checks(with({{"dead_units", {0, 0, 0, 0, 0, 0.3}}, {"saturated_units", {0, 0, 0, 0, 0, 0.25}}})),
            Names{"idle_units"});
  EXPECT_TRUE(contains(texts_, "30 % of the hidden units are off in every sample and 25 % are on")) << texts_;
  EXPECT_EQ(checks(with({{"unconverged", {1, 1, 1, 1, 1, 0.01}}})), Names{"unconverged"});
  EXPECT_EQ(checks(with({{"dead_units", {1, 1, 1, 1, 1, 0.4}}, {"unconverged", {1, 1, 1, 1, 1, 0}}})),
            Names{});
}

TEST_F(Health, AnEnergyGapThatGrowsWithoutBound) {
  // 16 numbers a sample: 16 nats are one for each.
  EXPECT_EQ(checks(with({{"loss", {-1, -2, -6, -9, -20, -30}}})), Names{"energy_gap"});
  EXPECT_TRUE(contains(texts_, "25 nats apart, 1.56 for each number of a sample")) << texts_;
  EXPECT_EQ(checks(with({{"loss", {-10, -14, -18, -20, -20.5, -21}}})), Names{});  // it settles
  EXPECT_EQ(checks(with({{"loss", {-1, -2, -4, -6, -10, -12}}})), Names{});        // it is small
  EXPECT_EQ(checks(with({{"loss", {-40, -50, -45, -45, -50, -48}}})), Names{});    // it does not grow
}

TEST_F(Health, BracketsThatOpen) {
  const auto between = [&](double first, double last) {
    return checks(with({{"log_likelihood_low_train", {-12 - first, -12, -12, -12, -12, -12 - last}},
                        {"log_likelihood_high_train", {-12, -12, -12, -12, -12, -12}}}));
  };
  EXPECT_EQ(between(0.1, 11.0), Names{"bracket"});
  EXPECT_EQ(between(0.1, std::numeric_limits<double>::infinity()), Names{"bracket"});
  EXPECT_EQ(between(0.1, 9.0), Names{});
  EXPECT_EQ(between(12.0, 11.0), Names{});
}

TEST_F(Health, ChainsThatDoNotMix) {
  // Twenty times the weights: a chain stays for thousands of sweeps where it is.
  const Tensor weight = parameter("v.h.weight");
  weight.copy_from((Value(normal(Key(3), weight.shape(), weight.placement())) * 20.0).tensor());
  const Names found = checks(with({{"loss", {0, 0, 0, 0, 0, 0}}}));
  EXPECT_TRUE(std::ranges::find(found, "mixing") != found.end()) << texts_;
  EXPECT_TRUE(contains(texts_, "split R-hat")) << texts_;
}

TEST_F(Health, ChainsInOneStateAndCodesThatAreOne) {
  stage();
  for (auto& [name, tensor] : carry_) {
    if (!name.starts_with("particles.")) continue;
    Tensor same = tensor.clone();
    for (Index row = 1; row < same.dim(0); ++row) same.rows(row, row + 1).copy_from(same.rows(0, 1));
    tensor = same;
  }
  EXPECT_EQ(checks(with({{"loss", {0, 0, 0, 0, 0, 0}}})), Names{"chain_variance"}) << texts_;
  EXPECT_TRUE(contains(texts_, "the 20 chains stand in nearly one state")) << texts_;
  parameter("v.h.weight").fill(0.0);
  EXPECT_EQ(checks(with({{"loss", {0, 0, 0, 0, 0, 0}}})), (Names{"chain_variance", "code_variance"}))
      << texts_;
}

TEST_F(Health, AnIllTrainingIsSaidOnceOrStoppedOrRolledBack) {
  const std::vector<std::string> ill = {"optimizer.learning_rate=1000", "health.idle_units=0.1"};
  const auto with_action = [&](std::vector<std::string> more) {
    more.insert(more.end(), ill.begin(), ill.end());
    return test::plan_of_text(kWell, more);
  };
  std::vector<std::string> said;
  const RunHooks hooks{.say = [&](const std::string& line) { said.push_back(line); }};
  EXPECT_TRUE(run_experiment(with_action({}), options("warned.h5"), hooks).complete);
  EXPECT_EQ(
      std::ranges::count_if(said, [](const auto& line) { return contains(line, "of the hidden units"); }), 1);
  const std::string stopped =
      test::error_of([&] { run_experiment(with_action({"health.action=stop"}), options("stopped.h5")); });
  EXPECT_TRUE(contains(stopped, "[health] idle_units: stage main, after epoch 1,") &&
              contains(stopped, "health.action = \"stop\""))
      << stopped;
  // At half the rate, and half of that, it stays ill: it gives up in the end, and says so.
  said.clear();
  const std::string back = test::error_of([&] {
    run_experiment(with_action({"health.action=stop", "train.on_unhealthy=roll_back", "train.roll_backs=2"}),
                   options("back.h5"), hooks);
  });
  EXPECT_TRUE(contains(back, "it was rolled back 2 times already")) << back;
  EXPECT_EQ(std::ranges::count_if(said, [](const auto& line) { return contains(line, "back to step 0"); }),
            2);
  // A check that is off sees nothing.
  EXPECT_TRUE(run_experiment(test::plan_of_text(kWell, {ill[0],
                                                        "health={ action = \"stop\", idle_units = 0, "
                                                        "energy_gap = 0, mixing = 0, chain_variance = 0, "
                                                        "code_variance = 0, bracket = 0 }"}),
                             options("off.h5"))
                  .complete);
  EXPECT_TRUE(contains(test::error_of([] { test::plan_of_text(kWell, {"health.mixing=0.5"}); }), "above 1"));
}

TEST_F(Health, BracketsAreMeasuredAfterEveryEpochAndHoldTheTruth) {
  const Plan plan = test::plan_of_text(
      kWell, {"evaluate={ log_likelihood = \"exact\", brackets = { chains = 100, temperatures = 100 } }"});
  const RunResult run = run_experiment(plan, options("brackets.h5"));
  const Store stage = test::only(run.store);
  const double truth = test::number(run.store, "exact/train_log_likelihood");
  const std::vector<double> low = stage.numbers("/metrics/epoch/log_likelihood_low_train"),
                            high = stage.numbers("/metrics/epoch/log_likelihood_high_train");
  ASSERT_EQ(low.size(), 6u);
  EXPECT_LT(low.back(), truth);
  EXPECT_GT(high.back(), truth);
  EXPECT_LT(high.back() - low.back(), 1.0);
  const double log_z = test::number(run.store, "exact/log_partition");
  EXPECT_LT(stage.numbers("/metrics/epoch/log_partition_low").back(), log_z);
  EXPECT_GT(stage.numbers("/metrics/epoch/log_partition_high").back(), log_z);
}

}  // namespace
}  // namespace basin
