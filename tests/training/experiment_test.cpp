#include "training/experiment/experiment.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "results/compare.h"
#include "results/files/atomic_file.h"
#include "support/device.h"
#include "support/error_of.h"
#include "tensor/error.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

const std::string kExperiment = R"(
seed = 4
data = { name = "bars_and_stripes", scale = "threshold" }
model = { hidden = 8, weight_scale = 0.1 }
train = { objective = "pcd", centring = 0.05, epochs = 12, batch = 10 }
optimizer = { learning_rate = 0.05, momentum = 0.5, average = { from = 0.5 } }
evaluate = { log_likelihood = "ais", ais = { chains = 200, temperatures = 300, burn_in = 100 } }
)";

Plan plan_with(const std::vector<std::string>& settings = {}) {
  return test::plan_of_text(kExperiment, settings);
}

using Experiment = test::ExperimentFolder;

TEST_F(Experiment, EvaluatesByAisWhatEnumerationConfirms) {
  const RunResult ais = run_experiment(plan_with(), options("ais.h5"));
  ASSERT_TRUE(ais.complete);
  const Plan exact_plan = plan_with({"evaluate.log_likelihood=exact"});
  const Store exact = test::evaluated(ais.store, exact_plan);
  using test::number;
  EXPECT_NEAR(number(exact, "exact/train_entropy"), std::log(30.0), 1e-12);
  const double truth = number(exact, "exact/train_log_likelihood");
  EXPECT_LT(truth, -number(exact, "exact/train_entropy"));
  EXPECT_NEAR(number(ais.store, "forward/train_log_likelihood"), truth,
              5 * number(ais.store, "forward/standard_error") + 0.02);
  EXPECT_NEAR(number(ais.store, "reverse/train_log_likelihood"), truth,
              5 * number(ais.store, "reverse/standard_error") + 0.1);
  EXPECT_NE(ais.report.find("forward AIS"), std::string::npos);
}

TEST_F(Experiment, ADivergedModelIsSaidToHaveDiverged) {
  const std::vector<std::string> settings = {"train.epochs=3", "evaluate.ais.temperatures=20",
                                             "optimizer.momentum=0.0"};
  const std::string well = run_experiment(plan_with(settings), options("well.h5")).report;
  EXPECT_EQ(well.find("diverged"), std::string::npos) << well;
  EXPECT_NE(well.find("effective of 200 chains"), std::string::npos) << well;
  std::vector<std::string> wild = settings;
  wild.push_back("optimizer.learning_rate=1000");
  const std::string report = run_experiment(plan_with(wild), options("wild.h5")).report;
  EXPECT_NE(report.find("the model has diverged"), std::string::npos) << report;
  wild.push_back("evaluate.log_likelihood=exact");
  const std::string exact = run_experiment(plan_with(wild), options("exact.h5")).report;
  EXPECT_NE(exact.find("the model has diverged"), std::string::npos) << exact;
}

TEST_F(Experiment, ReverseAisFarAboveAForwardOneOfUnknownErrorHasNoErrorEither) {
  const RunResult run =
      run_experiment(plan_with({"optimizer.learning_rate=100", "model.hidden=12", "train.epochs=30",
                                "evaluate.ais={ chains = 20, temperatures = 20, burn_in = 10 }"}),
                     options("wild.h5"));
  using test::number;
  ASSERT_FALSE(std::isfinite(number(run.store, "forward/standard_error")));
  ASSERT_GT(number(run.store, "reverse/test_log_likelihood"),
            number(run.store, "forward/test_log_likelihood") + 100.0);
  EXPECT_FALSE(std::isfinite(number(run.store, "reverse/standard_error")));
  EXPECT_NE(run.report.find("lies above that of forward AIS"), std::string::npos) << run.report;
}

TEST_F(Experiment, BinaryUnitsTakeNumbersBetweenNoughtAndOne) {
  const auto error_of_cell = [&](const std::string& cell) {
    std::string table = "a,b,c\n";
    for (int n = 0; n < 1500; ++n) table += n == 1200 ? "0," + cell + ",1\n" : "0,1,0.5\n";
    write_atomically(file("reals.csv"), table);
    const std::string data = "data={ name = \"file\", path = \"" + file("reals.csv") +
                             "\", columns = { x = \"*\" }, test_share = 0.01 }";
    const Plan plan = plan_with({data, "train.epochs=1", "evaluate.log_likelihood=none"});
    return test::error_of([&] { run_experiment(plan, options("reals.h5")); });
  };
  replace_ = true;
  EXPECT_EQ(error_of_cell("0.25"), "");
  for (const char* cell : {"-0.2", "2", "1e6"}) {
    const std::string said = error_of_cell(cell);
    EXPECT_TRUE(said.find("numbers in [0, 1]") != std::string::npos &&
                said.find("gaussian") != std::string::npos)
        << cell << ": " << said;
  }
  EXPECT_NE(error_of_cell("1e39").find("finite numbers of f32"), std::string::npos);
}

TEST_F(Experiment, WhatCannotBeSummedIsSaidBeforeTraining) {
  const std::string said = test::error_of([&] {
    run_experiment(plan_with({"data={ name = \"strokes\", train = 100, test = 20, scale = \"threshold\" }",
                              "model.hidden=30", "evaluate.log_likelihood=exact"}),
                   options("sum.h5"));
  });
  EXPECT_NE(said.find("at most 24 binary units"), std::string::npos) << said;
  EXPECT_FALSE(std::filesystem::exists(file("sum.h5")));
}

// Four pixels of 200 grey images, of which a threshold leaves two patterns: no more than log 1/2 can be had.
TEST_F(Experiment, TheBoundIsThatOfTheBitsThatAreMeasured) {
  std::string table = "a,b,c,d\n";
  for (int n = 0; n < 200; ++n)
    table += fmt::format("{0},{1},{0},{1}\n", n % 2 == 0 ? n % 50 : 200 + n % 50,
                         n % 2 == 0 ? 255 - n % 60 : n % 60);
  write_atomically(file("grey.csv"), table);
  const auto run = [&](const std::string& scale) {
    replace_ = true;
    const std::string data = "data={ name = \"file\", path = \"" + file("grey.csv") +
                             "\", columns = { x = \"*\" }, bytes = [\"x\"], test_share = 0.1, scale = \"" +
                             scale + "\" }";
    const Plan plan = plan_with({data, "train.epochs=1", "evaluate.log_likelihood=exact"});
    return test::only(run_experiment(plan, options("grey.h5")).store);
  };
  EXPECT_NEAR(run("threshold").numbers("/evaluation/exact/train_entropy").at(0), std::log(2.0), 1e-3);
  EXPECT_FALSE(run("stochastic").has("/evaluation/exact/train_entropy"));  // its bits are drawn anew
}

// On digits two parts of one distribution lie as far apart as annealing says, and not by what a draw makes of
// it.
TEST_F(Experiment, WatchesByAPseudoLikelihoodThatSaysItsError) {
  for (const char* seed : {"seed=1", "seed=2"}) {
    const Plan plan = plan_with(
        {"data={ name = \"strokes\", scale = \"threshold\", train = 2000, test = 1000 }", "model.hidden=30",
         "train.batch=50", "train.epochs=2", seed, "evaluate.log_likelihood=none"});
    replace_ = true;
    const Store store = test::only(run_experiment(plan, options("run.h5")).store);
    for (const std::string part : {"train", "test"}) {
      const auto last = [&](const std::string& name) {
        return store.numbers("/metrics/epoch/" + name + part).back();
      };
      EXPECT_GT(last("error_of_pseudo_likelihood_"), 0.0);
      EXPECT_LT(last("error_of_pseudo_likelihood_"), 0.5);
      EXPECT_GE(last("bits_of_pseudo_likelihood_"), 2.0);
    }
    EXPECT_NEAR(store.numbers("/metrics/epoch/pseudo_likelihood_train").back(),
                store.numbers("/metrics/epoch/pseudo_likelihood_test").back(), 5.0);
  }
}

TEST_F(Experiment, DeadHiddenUnitsAreSaidOnce) {
  replace_ = true;
  std::string said;
  const RunHooks hooks = {.say = [&](const std::string& line) { said += line + "\n"; }};
  const auto idle = [&](const char* rate) {
    said.clear();
    const Plan plan = plan_with(
        {"data={ name = \"strokes\", train = 1000, test = 100, scale = \"threshold\" }", "model.hidden=30",
         "train={ epochs = 3, batch = 50 }", std::string("optimizer={ learning_rate = ") + rate + " }",
         "evaluate.log_likelihood=none"});
    const Store store = test::only(run_experiment(plan, options("run.h5"), hooks).store);
    return store.numbers("/metrics/epoch/dead_units").back() +
           store.numbers("/metrics/epoch/saturated_units").back();
  };
  EXPECT_LT(idle("0.1"), 0.1);
  EXPECT_EQ(said.find("warning"), std::string::npos) << said;
  EXPECT_GT(idle("100.0"), 0.5);
  EXPECT_NE(said.find("warning: after epoch 1, "), std::string::npos) << said;
  EXPECT_NE(said.find("lower optimizer.learning_rate (now 100)"), std::string::npos) << said;
  EXPECT_EQ(said.find("warning"), said.rfind("warning")) << said;
}

// At 0.1 the precisions of pixels that never change leave all bounds within an epoch: that is said, and where
// no rate is named one is taken that suits such units, and written down.
TEST_F(Experiment, GaussianVisibleUnitsHaveALearningRateOfTheirOwn) {
  replace_ = true;
  const std::vector<std::string> gaussian = {"data={ name = \"strokes\", train = 1000, test = 100 }",
                                             "model={ visible = \"gaussian\", hidden = 30 }",
                                             "train={ epochs = 6, batch = 10 }",
                                             "evaluate.log_likelihood=none"};
  const auto run = [&](const char* optimizer) {
    std::vector<std::string> settings = gaussian;
    settings.emplace_back(optimizer);
    return test::only(run_experiment(plan_with(settings), options("run.h5")).store);
  };
  try {
    run("optimizer={ learning_rate = 0.1 }");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("lower the learning rate"), std::string::npos) << error.what();
  }
  const Store store = run("optimizer={}");
  EXPECT_EQ(store.numbers("/metrics/epoch/dead_units").back(), 0.0);
  EXPECT_EQ(store.numbers("/metrics/epoch/learning_rate").back(), 0.002);
  EXPECT_NE(Store::load(options("run.h5").file).text("/experiment/resolved").find("learning_rate = 0.002"),
            std::string::npos);
  EXPECT_THROW(plan_with({"optimizer={}"}), Error);  // bits need one
}

TEST_F(Experiment, ALikelihoodOfMeansIsRefusedWithTheKeyThatMendsIt) {
  const std::string grey = "data={ name = \"strokes\", train = 100, test = 50, scale = \"unit\" }";
  EXPECT_THROW(plan_with({grey, "evaluate.scale=unit"}), Error);
  // Bits are drawn where nothing is said.
  EXPECT_NO_THROW(
      run_experiment(plan_with({grey, "train.epochs=1", "evaluate.ais.temperatures=10"}), options("run.h5")));
}

TEST_F(Experiment, LearnsFromAFileThatIsReadBatchByBatch) {
  std::vector<float> numbers;
  for (int n = 0; n < 200; ++n) {
    for (int i = 0; i < 6; ++i) numbers.push_back(i % 3 == n % 3 ? 1.0f : 0.0f);
  }
  Store samples;
  samples.put("/samples", Tensor::from(std::span<const float>(numbers), {200, 6}));
  const std::string file = options("own.h5").file;
  samples.save(file);
  replace_ = true;
  const auto likelihood = [&](const char* memory, const char* epochs) {
    const Plan plan = plan_with({"data={ name = \"file\", path = \"" + file +
                                     "\", columns = { x = \"samples\" }, memory = " + memory + " }",
                                 "model.visible=gaussian", "model.hidden=4", "train.objective=cd",
                                 "optimizer.learning_rate=0.02", epochs, "evaluate.log_likelihood=exact"});
    return test::number(run_experiment(plan, options("run.h5")).store, "exact/test_log_likelihood");
  };
  const double start = likelihood("9", "train.epochs=1"), held = likelihood("9", "train.epochs=30"),
               read = likelihood("0", "train.epochs=30");
  EXPECT_GT(held, start + 0.3);
  EXPECT_NEAR(read, held, 0.3);  // another order of the samples
}

TEST_F(Experiment, MeasuresAgainOnlyOnTheDataThatItWasTrainedOn) {
  const auto write = [&](const char* name, float on) {
    std::vector<float> numbers;
    for (int i = 0; i < 200 * 6; ++i) numbers.push_back(i % 3 == 0 ? on : 0.0f);
    Store samples;
    samples.put("/samples", Tensor::from(std::span<const float>(numbers), {200, 6}));
    samples.save(file(name));
    return "data={ name = \"file\", path = \"" + file(name) + "\", columns = { x = \"samples\" } }";
  };
  const std::vector<std::string> model = {"model.visible=gaussian", "model.hidden=4", "train.objective=cd",
                                          "train.epochs=1", "evaluate.log_likelihood=exact"};
  std::vector<std::string> settings = model;
  settings.push_back(write("own.h5", 1.0f));
  const Plan plan = plan_with(settings);
  const Store store = run_experiment(plan, options("run.h5")).store;
  const char* measure = "exact/test_log_likelihood";
  EXPECT_EQ(test::number(test::evaluated(store, plan), measure), test::number(store, measure));
  write("own.h5", 0.5f);
  try {
    test::evaluated(store, plan);
    FAIL();
  } catch (const Error& error) {
    for (const char* part : {"[results]", "data set file", "SHA-256", "received"})
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
  settings = model;
  settings.push_back(write("other.h5", 0.5f));  // asked for by name
  EXPECT_NE(test::number(test::evaluated(store, plan_with(settings)), measure), test::number(store, measure));
}

TEST_F(Experiment, StoppedAndResumedEqualsUnbroken) {
  const Plan plan = plan_with({"evaluate.ais.temperatures=20"});
  const RunResult unbroken = run_experiment(plan, options("unbroken.h5"));
  RunOptions again = options("stopped.h5");
  RunHooks hooks;
  for (const Index stop : {1, 17, 35, 36}) {
    hooks.step = [stop](const FitReport& report) { return report.step < stop; };
    EXPECT_FALSE(run_experiment(plan, again, hooks).complete);
    again.resume = true;
  }
  const RunResult resumed = run_experiment(plan, again);
  EXPECT_TRUE(resumed.complete);
  EXPECT_EQ(differences(Store::load(options("unbroken.h5").file), Store::load(again.file)),
            std::vector<std::string>{});
  EXPECT_TRUE(run_experiment(plan, again).was_complete);
}

TEST_F(Experiment, AnotherSeedDiffers) {
  const RunResult one = run_experiment(plan_with({"evaluate.log_likelihood=none"}), options("one.h5"));
  const RunResult two =
      run_experiment(plan_with({"evaluate.log_likelihood=none", "seed=5"}), options("two.h5"));
  EXPECT_FALSE(differences(one.store, two.store).empty());
}

TEST_F(Experiment, NeverReplacesWhatIsNotTheSameExperiment) {
  const Plan plan = plan_with({"evaluate.log_likelihood=none"});
  const RunOptions file = options("kept.h5");
  run_experiment(plan, file);
  EXPECT_NO_THROW(run_experiment(plan, file));
  const Plan other = plan_with({"evaluate.log_likelihood=none", "train.epochs=3"});
  EXPECT_THROW(run_experiment(other, file), Error);
  RunOptions resume = file;
  resume.resume = true;
  EXPECT_THROW(run_experiment(other, resume), Error);
  EXPECT_EQ(test::only(Store::load(file.file)).integers("/checkpoint/epoch").at(0), 12);
  RunOptions force = file;
  force.replace = true;
  EXPECT_NO_THROW(run_experiment(other, force));
  EXPECT_EQ(test::only(Store::load(file.file)).integers("/checkpoint/epoch").at(0), 3);

  const RunOptions notes = options("notes.txt");
  std::ofstream(notes.file) << "not HDF5";
  EXPECT_THROW(run_experiment(plan, notes), Error);
  EXPECT_EQ(fs::file_size(notes.file), 8u);
}

TEST_F(Experiment, BlowUpKeepsTheLastGoodCheckpoint) {
  // A rate that grows from step to step until f32 overflows.
  const Plan plan = plan_with({"evaluate.log_likelihood=none", "optimizer.schedule=geometric",
                               "optimizer.final_learning_rate=1e60", "results.checkpoint_seconds=0"});
  const RunOptions file = options("blown.h5");
  try {
    run_experiment(plan, file);
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const char* part : {"not finite", "stage pcd", "parameter", "is kept in", "blown.h5"}) {
      EXPECT_NE(text.find(part), std::string::npos) << text;
    }
  }
  const Store kept = Store::load(file.file);
  EXPECT_EQ(kept.text("/experiment/status"), "training");
  for (const std::string& path : kept.list("/stages/main/parameters")) {
    for (const double value : kept.tensor(path).values()) {
      ASSERT_TRUE(std::isfinite(value)) << path;
    }
  }
}

TEST_F(Experiment, RefusesAFolderItCannotWriteIn) {
  RunOptions bad = options("x.h5");
  bad.file = "/proc/no/such/x.h5";
  EXPECT_THROW(run_experiment(plan_with(), bad), Error);
  bad.file = folder_.string();
  EXPECT_THROW(run_experiment(plan_with(), bad), Error);
}

TEST_F(Experiment, DrawsPicturesBesideTheFile) {
  const Plan plan =
      plan_with({"evaluate.log_likelihood=none", "results.plots=[\"basis\", \"samples\", \"curves\"]",
                 "results.sample_steps=5"});
  const RunResult result = run_experiment(plan, options("drawn.h5"));
  ASSERT_EQ(result.pictures.size(), 3u);
  for (const std::string& picture : result.pictures) {
    EXPECT_GT(fs::file_size(picture), 100u) << picture;
  }
  EXPECT_EQ(picture_path("a/b.h5", "basis", "png"), "a/b_basis.png");
}

TEST_F(Experiment, EveryKindOfUnitAndObjectiveRuns) {
  for (const std::vector<std::string>& settings : std::vector<std::vector<std::string>>{
           {"model.visible=gaussian", "data.scale=unit", "train.objective=cd",
            "optimizer.learning_rate=0.001"},
           {"model.visible=relu", "data.scale=unit", "train.objective=cd", "optimizer.learning_rate=0.001"},
           {"model.hidden_units=softmax"},
           {"model.hidden_units=gaussian", "optimizer.learning_rate=0.001"},
           {"model.hidden_units=relu", "optimizer.learning_rate=0.001"},
           {"train.objective=fpcd", "train.fast_rate=0.01"},
           {"train.objective=tempering", "train.temperatures=3", "train.steps=2"},
           {"train.objective=tempering", "model.visible=gaussian", "data.scale=unit",
            "optimizer.learning_rate=0.001"},
           {"train.objective=exact", "train.centring=0"},
           {"train.fuse=off"},
           {"train.dtype=f64"},
           {"data.scale=stochastic"}}) {
    std::vector<std::string> all = {"train.epochs=2", "evaluate.ais.chains=5", "evaluate.ais.temperatures=5",
                                    "evaluate.ais.burn_in=2"};
    all.insert(all.end(), settings.begin(), settings.end());
    RunOptions file = options("any.h5");
    file.replace = true;
    EXPECT_NO_THROW(EXPECT_TRUE(run_experiment(plan_with(all), file).complete)) << settings.front();
  }
}

}  // namespace
}  // namespace basin
