// Experiments of sparse coding and predictive sparse decomposition.
#include <gtest/gtest.h>

#include <filesystem>

#include "results/compare.h"
#include "support/device.h"
#include "tensor/error.h"
#include "training/experiment/checkpoint.h"
#include "training/experiment/stack.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

const std::string kExperiment = R"(
seed = 4
data = { name = "leaves", train = 600, test = 100, patches = { size = 6, whiten = "zca" } }
model = { kind = "psd", atoms = 20, lambda = 0.5 }
train = { epochs = 3, batch = 50, dead_after = 4 }
optimizer = { kind = "adam", learning_rate = 0.01, average = { from = 0.8 } }
evaluate = { samples = 50, gabor = true }
)";

Plan plan_with(const std::vector<std::string>& settings = {}) {
  return test::plan_of_text(kExperiment, settings);
}

class SparseExperiment : public test::ExperimentFolder {
 protected:
  SparseExperiment() { replace_ = true; }
};

using test::number;

TEST_F(SparseExperiment, StoppedAndResumedEqualsUnbroken) {
  for (const char* objective : {"train.objective=online", "train.objective=sgd"}) {
    const Plan plan = plan_with({objective});
    run_experiment(plan, options("unbroken.h5"));
    RunOptions again = options("stopped.h5");
    RunHooks hooks;
    for (const Index stop : {1, 14, 35}) {
      hooks.step = [stop](const FitReport& report) { return report.step < stop; };
      EXPECT_FALSE(run_experiment(plan, again, hooks).complete);
      again.resume = true;
    }
    EXPECT_TRUE(run_experiment(plan, again).complete);
    EXPECT_EQ(differences(Store::load(options("unbroken.h5").file), Store::load(again.file)),
              std::vector<std::string>{})
        << objective;
  }
}

TEST_F(SparseExperiment, AFrozenDictionaryKeepsItsBits) {
  for (const char* objective : {"train.objective=online", "train.objective=sgd"}) {
    const Plan plan = plan_with({objective, "train.dead_after=1", "optimizer.rates={ \"z.y.\" = 0.0 }"});
    const RunResult result = run_experiment(plan, options("frozen.h5"));
    const Dataset data = load_data(plan);
    const Stage begun = make_stages(plan, data.train.shape(), test::device()).at(0);
    begun.start(stage_source(begun, data.train), {});
    const auto numbers = [&](const char* name) {
      return test::only(result.store).tensor(std::string("/parameters/") + name).values();
    };
    EXPECT_EQ(numbers("z.y.weight"), begun.graph.parameter("z.y.weight").tensor().values()) << objective;
    EXPECT_NE(numbers("y.z.weight"), begun.graph.parameter("y.z.weight").tensor().values()) << objective;
  }
}

TEST_F(SparseExperiment, MeasuresAndDraws) {
  const Plan plan = plan_with(
      {R"(results.plots=["dictionary", "dictionary_unwhitened", "encoder", "reconstructions", "curves"])"});
  const RunResult result = run_experiment(plan, options("drawn.h5"));
  ASSERT_EQ(result.pictures.size(), 5u);
  for (const std::string& picture : result.pictures) {
    EXPECT_GT(fs::file_size(picture), 100u) << picture;
  }
  EXPECT_EQ(number(result.store, "unconverged"), 0.0);
  EXPECT_GT(number(result.store, "active"), 0.0);
  EXPECT_LT(number(result.store, "reconstruction_error"),
            number(result.store, "encoder_reconstruction_error"));
  EXPECT_LT(number(result.store, "prediction_error"), 1.0);
  EXPECT_EQ(test::only(result.store).shape("/evaluation/gabor/explained"), Shape{20});
  EXPECT_EQ(test::only(result.store).texts("/rules"), std::vector<std::string>{"lasso"});
  EXPECT_EQ(test::only(result.store).shape("/preprocessing/forward"),
            (Shape{test::only(result.store).shape("/preprocessing/inverse")[1], 36}));
  const Preprocessing kept = read_preprocessing(test::only(result.store)),
                      made = load_data(plan).preprocessing;
  EXPECT_EQ(kept.pixels, made.pixels);
  EXPECT_EQ(kept.scale, made.scale);
  EXPECT_EQ(kept.whitening.inverse.values(), made.whitening.inverse.values());
  // What was measured can be measured again from the file.
  EXPECT_EQ(number(test::evaluated(result.store, plan), "loss"), number(result.store, "loss"));
}

TEST_F(SparseExperiment, FusedAndDerivedInferenceLearnTheSame) {
  const RunResult fused =
      run_experiment(plan_with({"inference.tolerance=1e-5", "train.epochs=1"}), options("fused.h5"));
  const RunResult derived = run_experiment(plan_with({"inference.tolerance=1e-5", "train.epochs=1",
                                                      "inference.fuse=off", "inference.solver=fista"}),
                                           options("derived.h5"));
  EXPECT_TRUE(test::only(derived.store).texts("/rules").empty());
  EXPECT_NEAR(number(fused.store, "loss"), number(derived.store, "loss"), 1e-3 * number(fused.store, "loss"));
}

TEST_F(SparseExperiment, LearningLowersTheEnergyAndWarnsOfUselessWeights) {
  for (const std::string kind : {"sparse_coding", "psd", "psd_warm_start"}) {
    const double before =
        number(run_experiment(plan_with({"model.kind=" + kind, "train.epochs=1", "optimizer.learning_rate=0",
                                         "train.objective=sgd", "train.dead_after=0"}),
                              options("before.h5"))
                   .store,
               "loss");
    const double after =
        number(run_experiment(plan_with({"model.kind=" + kind, "train.epochs=5"}), options("after.h5")).store,
               "loss");
    EXPECT_LT(after, 0.95 * before) << kind;
  }
  std::string said;
  RunHooks hooks;
  hooks.say = [&](const std::string& line) { said += line; };
  run_experiment(plan_with({"model.lambda=1000", "train.epochs=1"}), options("useless.h5"), hooks);
  EXPECT_NE(said.find("all codes are zero"), std::string::npos) << said;
}

TEST_F(SparseExperiment, SaysWhatDidNotConverge) {
  std::string said;
  RunHooks hooks;
  hooks.say = [&](const std::string& line) { said += line; };
  const RunResult result = run_experiment(plan_with({"inference.solver=ista", "inference.max_steps=2",
                                                     "inference.tolerance=1e-6", "train.epochs=1"}),
                                          options("short.h5"), hooks);
  EXPECT_GT(number(result.store, "unconverged"), 0.5);  // the others' codes are zero
  EXPECT_NE(result.report.find("did not converge"), std::string::npos) << result.report;
  // Of all 50 samples, and in training too.
  EXPECT_NE(result.report.find(" of 50 samples"), std::string::npos) << result.report;
  EXPECT_NE(said.find("% of the samples measured in epoch 1 did not converge"), std::string::npos) << said;
}

TEST_F(SparseExperiment, EverySettingRuns) {
  for (const std::vector<std::string>& settings : std::vector<std::vector<std::string>>{
           {"model.kind=sparse_coding", "optimizer={ kind = \"none\" }"},
           {"model.kind=sparse_coding", "model.start=data", "model.non_negative=true"},
           {"model.encoder=tanh", "model.alpha=0.5"},
           {"model.non_negative=true"},
           {"inference.step=backtracking", "inference.solver=ista", "inference.max_steps=30"},
           {"data.patches.whiten=pca", "results.plots=[\"dictionary\", \"encoder\"]"},
           {"train.dtype=f64"}}) {
    std::vector<std::string> all = {"train.epochs=1"};
    all.insert(all.end(), settings.begin(), settings.end());
    EXPECT_NO_THROW(EXPECT_TRUE(run_experiment(plan_with(all), options("any.h5")).complete))
        << settings.front();
  }
  EXPECT_THROW(plan_with({"inference.solver=newton"}), Error);
  EXPECT_THROW(plan_with({"optimizer={ kind = \"none\" }"}), Error);  // the encoder would not learn
  EXPECT_THROW(
      plan_with({"model.kind=sparse_coding", "train.objective=sgd", "optimizer={ kind = \"none\" }"}), Error);
  EXPECT_THROW(plan_with({"model.kind=rbm"}), Error);
  EXPECT_THROW(plan_with({"results.plots=[\"samples\"]"}), Error);
}

}  // namespace
}  // namespace basin
