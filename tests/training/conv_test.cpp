// Experiments of convolutional sparse coding and predictive sparse decomposition.
#include <gtest/gtest.h>

#include <filesystem>

#include "results/compare.h"
#include "support/device.h"
#include "tensor/error.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

const std::string kExperiment = R"(
seed = 4
data = { name = "leaves", train = 48, test = 8, patches = { size = 16, contrast = "local" } }
model = { kind = "conv_psd", filters = 4, filter_size = 5, lambda = 1.0 }
inference = { max_steps = 300, tolerance = 0.02 }
train = { epochs = 3, batch = 8, dead_after = 4 }
optimizer = { kind = "sgd", learning_rate = 0.001, momentum = 0.5, rates = { "y.z." = 0.1 } }
evaluate = { samples = 8 }
)";

Plan plan_with(const std::vector<std::string>& settings = {}) {
  return test::plan_of_text(kExperiment, settings);
}

class ConvExperiment : public test::ExperimentFolder {
 protected:
  ConvExperiment() { replace_ = true; }
};

using test::number;

TEST_F(ConvExperiment, StoppedAndResumedEqualsUnbroken) {
  const Plan plan = plan_with();
  run_experiment(plan, options("unbroken.h5"));
  RunOptions again = options("stopped.h5");
  RunHooks hooks;
  for (const Index stop : {1, 7, 17}) {
    hooks.step = [stop](const FitReport& report) { return report.step < stop; };
    EXPECT_FALSE(run_experiment(plan, again, hooks).complete);
    again.resume = true;
  }
  EXPECT_TRUE(run_experiment(plan, again).complete);
  EXPECT_EQ(differences(Store::load(options("unbroken.h5").file), Store::load(again.file)),
            std::vector<std::string>{});
}

TEST_F(ConvExperiment, MeasuresAndDraws) {
  const Plan plan = plan_with({R"(results.plots=["dictionary", "encoder", "reconstructions", "curves"])"});
  const RunResult result = run_experiment(plan, options("drawn.h5"));
  ASSERT_EQ(result.pictures.size(), 4u);
  for (const std::string& picture : result.pictures) {
    EXPECT_GT(fs::file_size(picture), 100u) << picture;
  }
  EXPECT_EQ(number(result.store, "unconverged"), 0.0);
  EXPECT_GT(number(result.store, "active"), 0.0);
  EXPECT_LT(number(result.store, "reconstruction_error"),
            number(result.store, "encoder_reconstruction_error"));
  EXPECT_LT(number(result.store, "prediction_error"), 1.0);
  EXPECT_GT(number(result.store, "coherence"), 0.0);
  EXPECT_LE(number(result.store, "coherence"), 1.0 + 1e-6);
  EXPECT_EQ(test::only(result.store).shape("/parameters/z.y.weight"), (Shape{4, 1, 5, 5}));
  EXPECT_EQ(test::only(result.store).texts("/rules"), std::vector<std::string>{"convolutional_lasso"});
  // What was measured can be measured again from the file.
  EXPECT_EQ(number(test::evaluated(result.store, plan), "loss"), number(result.store, "loss"));
}

TEST_F(ConvExperiment, LearningLowersTheEnergy) {
  for (const std::vector<std::string>& kind : std::vector<std::vector<std::string>>{
           {"model.kind=conv_psd"}, {"model.kind=conv_sparse_coding", "optimizer.rates={}"}}) {
    std::vector<std::string> still = kind, learning = kind;
    still.insert(still.end(),
                 {"train.epochs=1", "optimizer.learning_rate=0", "train.dead_after=0", "model.start=normal"});
    learning.insert(learning.end(), {"train.epochs=6", "model.start=normal"});
    const double before = number(run_experiment(plan_with(still), options("before.h5")).store, "loss");
    const double after = number(run_experiment(plan_with(learning), options("after.h5")).store, "loss");
    EXPECT_LT(after, 0.97 * before) << kind.front();
  }
}

TEST_F(ConvExperiment, FusedAndDerivedInferenceLearnTheSame) {
  const std::vector<std::string> strict = {"inference.tolerance=1e-4", "inference.max_steps=2000",
                                           "train.epochs=1", "data.train=8", "evaluate.samples=2"};
  std::vector<std::string> off = strict;
  off.push_back("inference.fuse=off");
  const RunResult fused = run_experiment(plan_with(strict), options("fused.h5"));
  const RunResult derived = run_experiment(plan_with(off), options("derived.h5"));
  EXPECT_TRUE(test::only(derived.store).texts("/rules").empty());
  EXPECT_NEAR(number(fused.store, "loss"), number(derived.store, "loss"), 1e-3 * number(fused.store, "loss"));
}

TEST_F(ConvExperiment, EverySettingRuns) {
  for (const std::vector<std::string>& settings : std::vector<std::vector<std::string>>{
           {"model.filters=1"},
           {"model.encoder=tanh", "model.alpha=0.5"},
           {"model.non_negative=true"},
           {"inference.step=backtracking", "inference.solver=ista", "inference.max_steps=10"},
           {"optimizer={ kind = \"adam\", learning_rate = 0.001 }"},
           {"train.dtype=f64"}}) {
    std::vector<std::string> all = {"train.epochs=1", "data.train=16", "inference.max_steps=50"};
    all.insert(all.end(), settings.begin(), settings.end());
    EXPECT_NO_THROW(EXPECT_TRUE(run_experiment(plan_with(all), options("any.h5")).complete))
        << settings.front();
  }
  EXPECT_THROW(plan_with({"inference.solver=coordinate_descent"}), Error);
  EXPECT_THROW(plan_with({"optimizer.rates={\"y.z.\"=-1}"}), Error);
}

}  // namespace
}  // namespace basin
