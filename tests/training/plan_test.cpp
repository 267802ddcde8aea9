#include "training/plan.h"

#include <gtest/gtest.h>

#include <string>

#include "tensor/error.h"
#include "training/families/rbm_settings.h"

namespace basin {
namespace {

const std::string kSmallest = R"(
data = { name = "strokes" }
model = { hidden = 10 }
train = { epochs = 3 }
optimizer = { learning_rate = 0.1 }
)";

Plan plan_with(const std::string& setting) {
  Config config = Config::parse(kSmallest, "small.toml");
  if (!setting.empty()) {
    config.set(setting);
  }
  return read_plan(config);
}

/// The keys that only RBMs have.
RbmSettings rbm_with(const std::string& setting) {
  Config config = Config::parse(kSmallest, "small.toml");
  if (!setting.empty()) {
    config.set(setting);
  }
  Plan plan = read_plan(config);
  return read_rbm_settings(config, plan);
}

std::string error_with(const std::string& setting) {
  try {
    plan_with(setting);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Plan, FillsDefaultsAndResolvesToTheSamePlan) {
  const Plan plan = plan_with("");
  EXPECT_EQ(plan.train.objective, "cd");
  EXPECT_EQ(plan.train.batch, 100);
  EXPECT_EQ(plan.results.file, "results/experiment.h5");
  EXPECT_EQ(rbm_with("").evaluate.scale, PixelScale::Stochastic);  // a likelihood of grey pixels needs bits
  const Config resolved = Config::parse(plan.resolved, "resolved");
  Plan again = read_plan(resolved);
  EXPECT_EQ(again.resolved, plan.resolved);
  EXPECT_EQ(read_rbm_settings(resolved, again).evaluate.scale, PixelScale::Stochastic);
}

TEST(Plan, ReadsWhatIsSet) {
  EXPECT_EQ(plan_with("seed=12").seed, 12u);
  EXPECT_EQ(rbm_with("data.scale=threshold").evaluate.scale, PixelScale::Threshold);
  EXPECT_TRUE(rbm_with("train.objective=pcd").train.persistent);
  EXPECT_EQ(rbm_with("train.sparsity={target=0.1, cost=0.5}").train.sparsity.cost, 0.5);
  EXPECT_EQ(plan_with("train.fuse=off").train.fuse, Fuse::Off);
  EXPECT_TRUE(plan_with("optimizer.average={from=0.9}").optimizer.averaged);
  EXPECT_EQ(plan_with("optimizer.schedule=linear").optimizer.learning_rate({.fraction = 0.5}), 0.05);
}

TEST(Plan, SmokeShrinksEverythingThatTakesTime) {
  const Plan plan = plan_with("smoke=true");
  EXPECT_EQ(plan.train.epochs, 2);
  EXPECT_LE(rbm_with("smoke=true").evaluate.chains, 20);
  EXPECT_LE(rbm_with("smoke=true").evaluate.temperatures, 50);
}

TEST(Plan, RefusesWhatMakesNoSenseWhereItStands) {
  struct Case {
    const char* setting;
    const char* expected;  // part of the message
  };
  for (const Case& one :
       {Case{"train.epoch=3", "epochs"}, Case{"train.epochs=0", "at least 1"},
        Case{"train.epochs=\"many\"", "epochs"}, Case{"train.batch=-5", "at least 1"},
        Case{"data.name=mnits", "mnist"}, Case{"train.objective=pdc", "pcd"},
        Case{"model.hidden=0", "at least 1"}, Case{"optimizer.learning_rate=-1", "learning_rate"},
        Case{"optimizer.momentum=1.5", "between 0 and 1"},
        Case{"optimizer.final_learning_rate=0.1", "final_learning_rate"},
        Case{"results.plots=[\"bases\"]", "basis"}, Case{"train.objective=fpcd", "fast_rate"},
        Case{"model.hidden_units=softmax", ""}, Case{"evaluate.ais.temperatures=2", "at least 3"},
        Case{"model.hidden_group=2", "hidden_group"}, Case{"train.sparsity={cots=0.1}", "cost"}}) {
    const std::string error = error_with(one.setting);
    if (one.expected[0] == '\0') {
      EXPECT_EQ(error, "") << one.setting;
    } else {
      EXPECT_NE(error.find(one.expected), std::string::npos) << one.setting << ": " << error;
      EXPECT_EQ(error.find('\n'), std::string::npos) << error;
    }
  }
}

}  // namespace
}  // namespace basin
