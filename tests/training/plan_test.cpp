#include "training/experiment/plan.h"

#include <gtest/gtest.h>

#include <string>

#include "tensor/error.h"
#include "training/experiment/stack.h"
#include "training/measures/likelihood.h"
#include "training/plots/samples.h"

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

/// The stage of a plan, for 28 x 28 bytes.
Stage stage_with(const std::string& setting) {
  return make_stages(plan_with(setting), {28, 28}, Device::Cpu).at(0);
}

Likelihood likelihood_with(const std::string& setting) {
  return *stage_with(setting).facets.get<Likelihood>();
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
  EXPECT_EQ(plan.stages.at(0).train.objective, "cd");
  EXPECT_EQ(plan.stages.at(0).train.batch, 100);
  EXPECT_EQ(plan.file, "results/experiment.h5");
  EXPECT_EQ(likelihood_with("").scale, PixelScale::Stochastic);  // a likelihood of grey pixels needs bits
  const Config resolved = Config::parse(plan.resolved, "resolved");
  const Plan again = read_plan(resolved);
  EXPECT_EQ(again.resolved, plan.resolved);
  EXPECT_EQ(again.stages.at(0).build({.sample_shape = {28, 28}}).facets.get<Likelihood>()->scale,
            PixelScale::Stochastic);
}

TEST(Plan, ReadsWhatIsSet) {
  EXPECT_EQ(plan_with("seed=12").seed, 12u);
  EXPECT_EQ(likelihood_with("data.scale=threshold").scale, PixelScale::Threshold);
  EXPECT_EQ(stage_with("train.objective=pcd").objective->name(), "pcd-1");
  // A target for hidden units shows as a metric of its own.
  const Stage sparse = stage_with("train.sparsity={target=0.1, cost=0.5}");
  Carry carry;
  const State batch = State().set(sparse.inputs[0].variable, Tensor::full({10, 28, 28}, 1.0));
  EXPECT_EQ(sparse.objective->evaluate(sparse.graph, batch, carry, Key(1)).metrics.count("sparsity"), 1u);
  const Stage derived = stage_with("train.fuse=off"), fused = stage_with("");
  EXPECT_NE(fused.objective->rules(fused.graph), derived.objective->rules(derived.graph));
  EXPECT_TRUE(plan_with("optimizer.average={from=0.9}").stages.at(0).optimizer.average.has_value());
  EXPECT_EQ(plan_with("optimizer.schedule=linear").stages.at(0).optimizer.learning_rate({.fraction = 0.5}),
            0.05);
}

TEST(Plan, SmokeShrinksEverythingThatTakesTime) {
  const Plan plan = plan_with("smoke=true");
  EXPECT_EQ(plan.stages.at(0).train.epochs, 2);
  EXPECT_LE(likelihood_with("smoke=true").chains, 20);
  EXPECT_LE(likelihood_with("smoke=true").temperatures, 50);
  EXPECT_LE(stage_with("smoke=true").facets.get<Sampling>()->steps, 20);
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
        Case{"optimizer={ kind = \"adam\", learning_rate = 0.1, epsilon = 0 }", "epsilon"},
        Case{"optimizer={ kind = \"rmsprop\", learning_rate = 0.1, epsilon = 1e-50 }", "epsilon"},
        Case{"optimizer.final_learning_rate=0.1", "final_learning_rate"},
        Case{"results.plots=[\"bases\"]", "basis"}, Case{"train.objective=fpcd", "fast_rate"},
        Case{"train={ objective = \"tempering\", epochs = 1, hottest = 1 }", "below 1"},
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
