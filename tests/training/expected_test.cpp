#include "training/experiment/expected.h"

#include <gtest/gtest.h>

#include "support/contains.h"
#include "tensor/error.h"
#include "training/experiment/stack.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

using test::contains;
using Expected = test::ExperimentFolder;

const std::string kSmall = R"(
seed = 4
data = { name = "bars_and_stripes", scale = "threshold" }
model = { hidden = 6 }
train = { epochs = 2, batch = 10 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "exact" }
)";

TEST_F(Expected, NumbersAreComparedAndKept) {
  const Plan plan = test::plan_of_text(
      kSmall, {"expect={ \"exact/test_log_likelihood\" = [-20.0, -1.0], pseudo_likelihood_test = [1, 2] }"});
  const RunResult result = run_experiment(plan, options("run.h5"));
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.missed, std::vector<std::string>{"pseudo_likelihood_test"});
  EXPECT_TRUE(contains(result.report, "expected     exact/test_log_likelihood -")) << result.report;
  EXPECT_TRUE(contains(result.report, "MISSED       pseudo_likelihood_test -")) << result.report;
  const Store stage = test::only(Store::load(file("run.h5")));
  EXPECT_EQ(stage.texts("/expect/name").at(0), "exact/test_log_likelihood");
  EXPECT_EQ(stage.numbers("/expect/value").at(0), test::number(stage, "exact/test_log_likelihood"));
  EXPECT_EQ(stage.numbers("/expect/value").at(1),
            stage.numbers("/metrics/epoch/pseudo_likelihood_test").back());
  EXPECT_EQ(stage.numbers("/expect/low"), (std::vector<double>{-20.0, 1.0}));
  EXPECT_EQ(stage.numbers("/expect/high"), (std::vector<double>{-1.0, 2.0}));
}

TEST_F(Expected, ChangesWithoutTrainingAnew) {
  RunOptions file = options("run.h5");
  run_experiment(test::plan_of_text(kSmall), file);
  file.resume = true;
  const RunResult missed =
      run_experiment(test::plan_of_text(kSmall, {"expect={ \"exact/test_log_likelihood\" = [0, 1] }"}), file);
  EXPECT_TRUE(missed.was_complete);
  EXPECT_EQ(missed.missed.size(), 1u);
  const RunResult met = run_experiment(
      test::plan_of_text(kSmall, {"expect={ \"exact/test_log_likelihood\" = [-99, 1] }"}), file);
  EXPECT_TRUE(met.was_complete && met.missed.empty());
}

TEST_F(Expected, WhatIsNotMeasuredIsRefused) {
  const auto error_of = [&](const std::string& setting) -> std::string {
    try {
      run_experiment(test::plan_of_text(kSmall, {setting}), options("none.h5"));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_TRUE(contains(error_of("expect={ test_eror = [0, 1] }"), "[expect] expected a number that an rbm"));
  EXPECT_TRUE(contains(error_of("expect={ pseudo_likelihood_tset = [0, 1] }"), "did you mean"));
  // Forward estimates are those of annealing, which this experiment does not ask for.
  EXPECT_TRUE(contains(error_of("expect={ \"forward/test_log_likelihood\" = [-99, 0] }"), "[expect]"));
  EXPECT_TRUE(contains(error_of("expect={ loss = [1, 0] }"), "expected [lowest, highest]"));
  EXPECT_TRUE(contains(error_of("expect={ loss = [1] }"), "expected [lowest, highest]"));
  EXPECT_FALSE(std::filesystem::exists(file("none.h5")));
  // Not compared: few samples say nothing.
  const Plan smoke =
      test::plan_of_text(kSmall, {"smoke=true", "expect={ \"exact/test_log_likelihood\" = [0, 1] }"});
  EXPECT_TRUE(run_experiment(smoke, options("smoke.h5")).missed.empty());
}

TEST_F(Expected, StagesAndHeadsHaveTheirOwn) {
  const std::string text = R"(
seed = 1
head = { kind = "softmax" }
data = { name = "strokes", train = 400, test = 100 }
[[stages]]
name = "below"
model = { hidden = 6 }
train = { epochs = 1, batch = 50 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }
expect = { pseudo_likelihood_test = [0, 1] }
[fine_tune]
epochs = 1
batch = 50
optimizer = { learning_rate = 0.05 }
[expect]
test_error = [0, 0.01]
)";
  const RunResult result = run_experiment(test::plan_of_text(text), options("head.h5"));
  EXPECT_EQ(result.missed, (std::vector<std::string>{"below: pseudo_likelihood_test", "head: test_error"}));
}

/// Every number of an evaluation may be expected: measures name what they put there.
TEST_F(Expected, EveryNumberOfAnEvaluationIsKnownBefore) {
  replace_ = true;
  const std::string rest = "train.epochs = 1\ntrain.batch = 20\n";
  const std::string head = R"(head = { kind = "softmax" }
fine_tune = { epochs = 1, batch = 20, optimizer = { learning_rate = 0.1 } }
)";
  const std::string strokes = "data = { name = \"strokes\", train = 200, test = 60 }\n";
  std::size_t numbers = 0;
  for (const std::string& text :
       {strokes + rest + "model.hidden = 5\noptimizer.learning_rate = 0.1\n", strokes + head,
        strokes + rest + "model = { kind = \"kmeans\", clusters = 4 }\noptimizer.learning_rate = 0.1\n",
        strokes + rest +
            "model = { kind = \"autoencoder\", codes = 4, contractive = 0.1 }\noptimizer.learning_rate = "
            "0.1\n",
        strokes + "train.epochs = 1\ntrain.batch = 20\nmodel = { kind = \"psd\", atoms = 6, lambda = 0.5 }\n"
                  "evaluate = { gabor = true, coherence = true }\noptimizer.learning_rate = 0.01\n",
        std::string(
            "data = { name = \"sparse_signals\", size = 20, train = 40, test = 20 }\ntrain.epochs = 1\n"
            "train.batch = 20\nmodel = { kind = \"lista\", steps = 2 }\noptimizer.learning_rate = 0.01\n"),
        std::string(
            "data = { name = \"identity\" }\ntrain.epochs = 1\ntrain.batch = 2\n"
            "model = { kind = \"regression\", layers = [\"dense 1\"] }\noptimizer.learning_rate = 0.1\n"),
        std::string("data = { name = \"copy_memory\", delay = 3, train = 40, test = 20 }\ntrain.epochs = 1\n"
                    "train.batch = 20\nmodel = { kind = \"recurrent\", hidden = 3 }\noptimizer.learning_rate "
                    "= 0.1\n")}) {
    SCOPED_TRACE(text);
    const Plan plan = test::plan_of_text(text, {"smoke=true"});
    const RunResult result = run_experiment(plan, options("any.h5"));
    const std::string name = stage_names(result.store).back();
    const RestoredStage stage(result.store, plan, name, test::device());
    const Store own = result.store.group(stage_group(name));
    for (const std::string& path : own.list("/evaluation")) {
      const auto* tensor = std::get_if<Tensor>(&own.entry(path).content);
      if (tensor == nullptr || tensor->size() != 1 || own.shape(path) != Shape{}) continue;
      ++numbers;
      EXPECT_TRUE(is_measured(stage.stage(), path.substr(std::string("/evaluation/").size()))) << path;
    }
    for (const std::string& path : own.list("/metrics/epoch")) {
      const std::string metric = path.substr(std::string("/metrics/epoch/").size());
      EXPECT_TRUE(metric == "epoch" || is_measured(stage.stage(), metric)) << path;
    }
  }
  EXPECT_GT(numbers, 30u);
}

}  // namespace
}  // namespace basin
