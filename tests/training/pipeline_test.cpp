// Stages on stages, a head on them, and what survives between runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "autograd/ops.h"
#include "results/compare.h"
#include "results/results_file.h"
#include "tensor/error.h"
#include "tensor/threads.h"
#include "training/experiment/checkpoint.h"
#include "training/experiment/encode.h"
#include "training/experiment/restored.h"
#include "training/experiment/stage_run.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

namespace fs = std::filesystem;
using test::plan_of_text;

const std::string kStack = R"(
seed = 4
data = { name = "bars_and_stripes", scale = "threshold" }

[[stages]]
name = "first"
model = { kind = "rbm", hidden = 12, weight_scale = 0.1 }
train = { objective = "pcd", epochs = 6, batch = 10 }
optimizer = { learning_rate = 0.05, momentum = 0.5, average = { from = 0.5 } }
evaluate = { ais = { chains = 10, temperatures = 10, burn_in = 5 } }

[[stages]]
name = "second"
model = { kind = "rbm", hidden = 6, weight_scale = 0.1 }
train = { objective = "cd", epochs = 6, batch = 10 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }
)";

const std::string kHeadTables = R"(
head = { kind = "softmax" }
fine_tune = { epochs = 4, batch = 20, optimizer = { learning_rate = 0.1 } }
)";

const std::string kClassifier = R"(
seed = 4
protocol = "layerwise_fine_tune"
head = { kind = "softmax" }
data = { name = "strokes", train = 300, test = 100 }
fine_tune = { epochs = 15, batch = 20, optimizer = { kind = "adam", learning_rate = 0.03 } }

[[stages]]
name = "first"
model = { kind = "rbm", hidden = 32 }
train = { epochs = 10, batch = 50 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }

[[stages]]
name = "second"
model = { kind = "autoencoder", codes = 32 }
train = { epochs = 20, batch = 50 }
optimizer = { kind = "adam", learning_rate = 0.01 }
)";

class Pipeline : public test::ExperimentFolder {
 protected:
  Pipeline() { replace_ = true; }

  RunResult run(const Plan& plan, const std::string& name, const std::string& cache = "",
                const FitObserver& step = {}) {
    RunOptions how = options(name);
    how.pictures = false;
    how.resume = resume_;
    how.replace = !resume_;
    how.revision = revision_;
    how.threads = threads_;
    if (!cache.empty()) how.cache = file(cache);
    said_.clear();
    return run_experiment(plan, how,
                          {.step = step, .say = [this](const std::string& line) { said_ += line + "\n"; }});
  }
  bool said(const std::string& part) const { return said_.find(part) != std::string::npos; }
  static void expect_same(const Store& a, const Store& b, const std::string& group = "") {
    const std::vector<std::string> lines =
        differences(a.group(group), b.group(group), {"/time", "/experiment/given"});
    EXPECT_TRUE(lines.empty()) << lines.front() << " and " << lines.size() - 1 << " more";
  }
  std::vector<fs::path> cached(const std::string& folder, const std::string& end) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(file(folder))) {
      if (entry.path().string().ends_with(end)) found.push_back(entry.path());
    }
    return found;
  }

  std::string said_, revision_ = "0123456789ab";
  int threads_ = 0;
  bool resume_ = false;
};

TEST_F(Pipeline, TheSecondStageLearnsFromTheMeansOfTheFirst) {
  const Plan plan = plan_of_text(kStack);
  const RunResult result = run(plan, "a.h5");
  ASSERT_TRUE(result.complete);
  EXPECT_EQ(stage_names(result.store), (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(result.store.text("/experiment/status"), "complete");
  EXPECT_EQ(result.store.integers("/stages/second/sample_shape"), (std::vector<std::int64_t>{12}));
  EXPECT_EQ(result.store.shape("/stages/second/parameters/v.h.weight"), (Shape{12, 6}));
  EXPECT_TRUE(result.store.has("/stages/first/evaluation/forward/test_log_likelihood"));

  // sigma(v W + c) with the averages of the first stage, drawn as bits for training.
  RestoredStage second(result.store, plan, "second", test::device());
  const Dataset data = load_data(plan);
  const Dataset codes = second.view().data();
  const Store first = result.store.group("/stages/first");
  const Stage below = RestoredStage(result.store, plan, "first").stage();
  const Value v = flatten(
      stage_source(below, data.test).batch(std::vector<Index>{0, 1, 2}, Key(1))[below.inputs[0].variable]);
  const Value expected =
      sigmoid(matmul(v, Value(first.tensor("/average/v.h.weight"))) + Value(first.tensor("/average/h.bias")));
  const std::vector<double> wanted = expected.tensor().values(),
                            found = codes.test.values().rows(0, 3).values();
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], wanted[i], 1e-5);
  const Stage& stage = second.stage();
  const std::vector<double> bits = stage_source(stage, codes.train)
                                       .batch(std::vector<Index>{3, 1, 2}, Key(7))[stage.inputs[0].variable]
                                       .tensor()
                                       .values();
  EXPECT_TRUE(std::all_of(bits.begin(), bits.end(), [](double bit) { return bit == 0.0 || bit == 1.0; }));
}

TEST_F(Pipeline, BitsHaveTheMeansAndMeansAreTakenWhereAsked) {
  const Plan plan = plan_of_text(kStack, {"stages.second.input=means"});
  const RunResult result = run(plan, "a.h5");
  RestoredStage means(result.store, plan, "second");
  RestoredStage bits(result.store, plan_of_text(kStack), "second");
  const Samples& codes = means.view().data().train;
  EXPECT_EQ(bits.view().data().train.count, codes.count);  // a plan may go once its stage is there
  const std::vector<Index> rows{0};
  const auto row = [&](const RestoredStage& of, Key key) {
    const Stage& stage = of.stage();
    return stage_source(stage, codes).batch(rows, key)[stage.inputs[0].variable].tensor().values();
  };
  const std::vector<double> mean = row(means, Key(1));
  std::vector<double> counts(mean.size(), 0.0);
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const std::vector<double> drawn = row(bits, Key(2).fold(static_cast<std::uint64_t>(i)));
    for (std::size_t j = 0; j < drawn.size(); ++j) counts[j] += drawn[j] / kDraws;
  }
  for (std::size_t j = 0; j < mean.size(); ++j)
    EXPECT_NEAR(counts[j], mean[j], 4.5 * 0.5 / std::sqrt(kDraws));
}

TEST_F(Pipeline, LikelihoodsOfMeansAreRefused) {
  try {
    plan_of_text(kStack, {"stages.second.evaluate.log_likelihood=ais", "stages.second.evaluate.scale=unit"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("stochastic"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(run(plan_of_text(kStack, {"stages.second.evaluate.log_likelihood=exact"}), "a.h5").complete);
}

TEST_F(Pipeline, StoppedInAnyStageAndResumedEqualsTheUnbrokenRun) {
  const Plan plan =
      plan_of_text(kHeadTables + kStack, {"data.name=strokes", "data.train=60", "data.test=20"});
  const RunResult whole = run(plan, "whole.h5");
  ASSERT_TRUE(whole.complete);
  Index steps = 0;
  run(plan, "count.h5", "", [&](const FitReport&) { return ++steps, true; });
  for (const std::string cache : {"", "cache"}) {
    for (Index stop = 1; stop < steps; stop += 7) {
      Index step = 0;
      resume_ = false;
      const RunResult part = run(plan, "part.h5", cache, [&](const FitReport&) { return ++step < stop; });
      resume_ = true;
      const RunResult rest = run(plan, "part.h5", cache);
      ASSERT_TRUE(rest.complete && (rest.was_complete || part.complete == rest.was_complete));
      expect_same(whole.store, Store::load(file("part.h5")));
    }
  }
}

TEST_F(Pipeline, CacheHitsAreSaidAndChangeNothing) {
  const Plan plan = plan_of_text(kStack);
  const RunResult miss = run(plan, "miss.h5", "cache");
  EXPECT_FALSE(said("taken from the cache"));
  EXPECT_EQ(cached("cache", ".train.h5").size(), 1u);
  EXPECT_TRUE(cached("cache", ".lock").empty());
  const RunResult hit = run(plan, "hit.h5", "cache");
  EXPECT_TRUE(said("stage first: taken from the cache") && said("stage second: taken from the cache"))
      << said_;
  EXPECT_EQ(hit.train_samples, 0);
  expect_same(miss.store, hit.store);
  expect_same(miss.store, Store::load(file("hit.h5")));
  run(plan_of_text(kStack, {"stages.second.results.plots=[\"curves\"]"}), "plots.h5", "cache");
  EXPECT_TRUE(said("stage second: taken from the cache"));
}

TEST_F(Pipeline, AChangedSecondStageLeavesTheFirst) {
  const RunResult before = run(plan_of_text(kStack), "a.h5", "cache");
  const RunResult after =
      run(plan_of_text(kStack, {"stages.second.optimizer.learning_rate=0.01"}), "b.h5", "cache");
  EXPECT_TRUE(said("stage first: taken from the cache"));
  EXPECT_FALSE(said("stage second: taken from the cache"));
  expect_same(before.store, after.store, "/stages/first");
  EXPECT_FALSE(
      differences(before.store.group("/stages/second"), after.store.group("/stages/second")).empty());
  for (const char* setting : {"seed=5", "stages.first.train.epochs=5", "data.scale=stochastic"}) {
    run(plan_of_text(kStack, {setting}), "c.h5", "cache");
    EXPECT_FALSE(said("taken from the cache")) << setting;
  }
}

TEST_F(Pipeline, TheCacheKnowsWhichSamplesAreLabelled) {
  const auto codes = [](const std::string& setting) {
    return plan_of_text(kClassifier, {"protocol=layerwise_frozen", "head.kind=label_rbm", "head.hidden=8",
                                      "data.labels=60", "fine_tune.epochs=2", setting});
  };
  run(codes("data.labels_seed=1"), "a.h5", "cache");
  for (const char* other : {"data.labels_seed=2", "data.labels=40"}) {
    const Store cached = run(codes(other), "b.h5", "cache").store;
    EXPECT_TRUE(said("stage second: taken from the cache")) << said_;  // it learns without labels
    expect_same(run(codes(other), "c.h5").store, cached);
  }

  const auto labels = [](const std::string& setting) {
    return plan_of_text(R"(
seed = 4
protocol = "layerwise_frozen"
head = { kind = "softmax" }
data = { name = "strokes", train = 40, test = 20 }
fine_tune = { epochs = 1, batch = 10, optimizer = { learning_rate = 0.1 } }

[[stages]]
name = "first"
model = { kind = "recurrent", cell = "elman", hidden = 4, predict = "label" }
train = { epochs = 1, batch = 10 }
optimizer = { learning_rate = 0.1 }
)",
                        {"data.labels=20", setting});
  };
  run(labels("data.labels_seed=1"), "d.h5", "cache");
  run(labels("data.labels_seed=2"), "e.h5", "cache");
  EXPECT_FALSE(said("taken from the cache")) << said_;
  run(labels("data.labels_seed=2"), "f.h5", "cache");
  EXPECT_TRUE(said("stage first: taken from the cache")) << said_;
}

TEST_F(Pipeline, WhatWasBegunByAnotherProgramIsNotCached) {
  const Plan plan = plan_of_text(kStack);
  const auto stop = [](const FitReport& report) { return report.step < 7; };
  const auto entries = [&] {
    return fs::exists(file("cache")) ? cached("cache", ".h5").size() : std::size_t{0};
  };
  run(plan, "a.h5", "cache", stop);
  resume_ = true;
  revision_ = "abcdef012345";
  run(plan, "a.h5", "cache", [](const FitReport& report) { return report.step < 9; });
  EXPECT_TRUE(said("0123456789ab") && said("goes on without the cache")) << said_;
  run(plan, "a.h5", "cache", stop);  // the file still knows who made its first steps
  EXPECT_TRUE(said("goes on without the cache")) << said_;
  EXPECT_TRUE(run(plan, "a.h5", "cache").complete);
  EXPECT_EQ(entries(), 0u);

  resume_ = false;
  run(plan, "b.h5", "cache", stop);
  resume_ = true;
  threads_ = thread_count() + 1;
  EXPECT_TRUE(run(plan, "b.h5", "cache").complete);
  EXPECT_TRUE(said("threads")) << said_;
  EXPECT_EQ(entries(), 0u);
  set_thread_count(threads_ - 1);
}

TEST_F(Pipeline, ADamagedCacheEntryIsMadeAgain) {
  const RunResult first = run(plan_of_text(kStack), "a.h5", "cache");
  for (const std::string end : {".h5"}) {
    for (const fs::path& path : cached("cache", end)) {
      std::fstream damaged(path, std::ios::in | std::ios::out | std::ios::binary);
      damaged.seekp(static_cast<std::streamoff>(fs::file_size(path) / 2));
      damaged.write("\x55\xaa\x55\xaa", 4);
    }
  }
  const RunResult again = run(plan_of_text(kStack), "b.h5", "cache");
  EXPECT_TRUE(said("is damaged: it is made again"));
  EXPECT_FALSE(said("taken from the cache"));
  expect_same(first.store, again.store);
  run(plan_of_text(kStack), "c.h5", "cache");
  EXPECT_TRUE(said("taken from the cache"));
}

TEST_F(Pipeline, ARunGoesOnWithoutACacheThatCannotBeWritten) {
  std::ofstream(file("cache")) << "a file where the folder should be";
  const RunResult without = run(plan_of_text(kStack), "a.h5", "cache");
  EXPECT_TRUE(without.complete && said("the run goes on without it"));
  expect_same(without.store, run(plan_of_text(kStack), "b.h5").store);
}

TEST_F(Pipeline, ProtocolsTrainWhatTheySay) {
  const auto protocol = [](const std::string& name) {
    return plan_of_text(kClassifier, {"protocol=" + name});
  };
  const Store frozen = run(protocol("layerwise_frozen"), "frozen.h5", "cache").store;
  const Store tuned = run(protocol("layerwise_fine_tune"), "tuned.h5", "cache").store;
  EXPECT_TRUE(said("stage second: taken from the cache"));  // protocol and head do not count
  const Store supervised = run(protocol("supervised"), "supervised.h5", "cache").store;
  expect_same(frozen, tuned, "/stages/second");
  EXPECT_EQ(stage_names(supervised), std::vector<std::string>{kHead});
  const auto first = [](const Store& store, const char* group) {
    return store.tensor(std::string("/stages/") + group).values();
  };
  EXPECT_EQ(first(frozen, "head/parameters/first.v.h.weight"), first(frozen, "first/parameters/v.h.weight"));
  EXPECT_NE(first(tuned, "head/parameters/first.v.h.weight"), first(tuned, "first/parameters/v.h.weight"));
  EXPECT_FALSE(frozen.has("/stages/head/optimizer/mean.first.v.h.weight"));
  EXPECT_TRUE(tuned.has("/stages/head/optimizer/mean.first.v.h.weight"));
  for (const Store& store : {frozen, tuned, supervised}) {
    const double error = store.numbers("/stages/head/evaluation/test_error").at(0);
    EXPECT_LT(error, 0.85);
    EXPECT_TRUE(store.has("/stages/head/metrics/epoch/test_error"));
  }
}

TEST_F(Pipeline, AHeadKeepsWhatStagesBelowItFoundInTheData) {
  const Plan plan = plan_of_text(R"(
seed = 4
protocol = "supervised"
head = { kind = "softmax" }
data = { name = "strokes", train = 300, test = 100 }
fine_tune = { epochs = 3, batch = 20, optimizer = { learning_rate = 0.1 } }

[[stages]]
name = "scaled"
model = { kind = "scale" }
)");
  const Store store = run(plan, "a.h5").store;
  EXPECT_GT(store.tensor("/stages/head/parameters/scaled.factor").item(), 1.5);
  const Store again = test::evaluated(store, plan);
  EXPECT_EQ(again.numbers("/evaluation/test_error"), store.numbers("/stages/head/evaluation/test_error"));
  const RestoredStage head(store, plan);
  EXPECT_EQ(head.stage().buffers.at(0).tensor().item(),
            store.tensor("/stages/head/parameters/scaled.factor").item());
}

TEST_F(Pipeline, GroupsOfAHeadHaveRatesOfTheirOwn) {
  const Store half =
      run(plan_of_text(kClassifier, {"fine_tune.optimizer.rates={ first = 0.0 }"}), "a.h5").store;
  const auto numbers = [&](const char* path) { return half.tensor(std::string("/stages/") + path).values(); };
  EXPECT_EQ(numbers("head/parameters/first.v.h.weight"), numbers("first/parameters/v.h.weight"));
  EXPECT_NE(numbers("head/parameters/second.1.weight").size(), 0u);
  EXPECT_THROW(run(plan_of_text(kClassifier, {"fine_tune.optimizer.rates={ frist = 0.0 }"}), "b.h5"), Error);
}

TEST_F(Pipeline, AHeadAloneIsSoftmaxRegression) {
  const Plan plan = plan_of_text(R"(
seed = 4
head = { kind = "softmax" }
data = { name = "strokes", train = 300, test = 100 }
fine_tune = { epochs = 20, batch = 20, optimizer = { learning_rate = 0.1, weight_decay = 0.01 } }
)");
  const RunResult result = run(plan, "a.h5");
  EXPECT_EQ(result.store.list("/stages/head/parameters").size(), 2u);
  EXPECT_LT(result.store.numbers("/stages/head/evaluation/test_error").at(0), 0.5);
}

TEST_F(Pipeline, FineTuningThroughAMinimumAsksForAnEncoder) {
  const std::vector<std::string> codes = {
      "stages.first.model={ kind = \"sparse_coding\", atoms = 10, lambda = 0.5 }",
      "stages.first.train.batch=50",
      "stages.first.train.epochs=1",
      "stages.first.optimizer={ kind = \"none\" }",
      "stages.first.evaluate={ samples = 10 }",
      "stages.second.model.reconstruction=linear"};
  const auto with = [&](const std::string& protocol) {
    std::vector<std::string> settings = codes;
    settings.push_back("protocol=" + protocol);
    return plan_of_text(kClassifier, settings);
  };
  try {
    run(with("layerwise_fine_tune"), "a.h5");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("encoder"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(run(with("layerwise_frozen"), "b.h5").complete);
}

TEST_F(Pipeline, FixedStagesStandBetweenOthers) {
  const Plan plan = plan_of_text(R"(
seed = 4
data = { name = "leaves", train = 300, test = 60, patches = { size = 6, whiten = "pca" } }

[[stages]]
name = "first"
model = { kind = "psd", atoms = 20, lambda = 0.5 }
train = { epochs = 2, batch = 50 }
optimizer = { kind = "adam", learning_rate = 0.01, average = { from = 0.8 } }

[[stages]]
name = "rectified"
model = { kind = "abs" }

[[stages]]
name = "scaled"
model = { kind = "scale" }

[[stages]]
name = "second"
model = { kind = "psd", atoms = 12, lambda = 0.5 }
train = { epochs = 1, batch = 50 }
optimizer = { kind = "adam", learning_rate = 0.01 }
)");
  const RunResult result = run(plan, "a.h5", "cache");
  ASSERT_TRUE(result.complete);
  RestoredStage second(result.store, plan);
  const Dataset features = second.view().data();
  double squares = 0.0;
  for (const double number : features.train.values().values()) {
    EXPECT_GE(number, 0.0);
    squares += number * number;
  }
  EXPECT_NEAR(squares / (300.0 * 20.0), 1.0, 1e-4);
  // The third feature alone looks like the third atom of the first stage.
  std::vector<double> third(20, 0.0);
  third[2] = 1.0;
  const Tensor atom = result.store.tensor("/stages/first/average/z.y.weight").rows(2, 3);
  const Tensor factor = result.store.tensor("/stages/scaled/parameters/factor");
  const Dataset patches = load_data(plan);
  const Tensor seen = patches_of_atoms(features.preprocessing, Tensor::from(third, {1, 20}));
  const Tensor wanted = patches_of_atoms(patches.preprocessing, atom);
  for (std::size_t i = 0; i < seen.values().size(); ++i) {
    EXPECT_NEAR(seen.values()[i] * factor.item(), wanted.values()[i], 1e-4);
  }
  EXPECT_LT(result.store.numbers("/stages/second/evaluation/reconstruction_error").at(0), 1.0);
  run(plan, "b.h5", "cache");
  EXPECT_TRUE(said("stage scaled: taken from the cache"));
}

TEST_F(Pipeline, StagesThatMakeNoSenseAreRefused) {
  const auto refused = [](const std::string& toml, const std::vector<std::string>& settings = {}) {
    try {
      plan_of_text(toml, settings);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refused(kStack, {"stages.second.name=first"}).find("twice"), std::string::npos);
  EXPECT_NE(refused(kStack, {"stages.second.name=head"}).find("head"), std::string::npos);
  EXPECT_NE(refused(kStack, {"stages.second.train.epoch=3"}).find("epochs"), std::string::npos);
  EXPECT_NE(refused(kStack, {"model.hidden=3"}).find("model"), std::string::npos);
  EXPECT_NE(refused(kClassifier, {"protocol=layerwise"}).find("layerwise_frozen"), std::string::npos);
  EXPECT_NE(refused(kStack, {"protocol=supervised"}).find("protocol"), std::string::npos);
}

}  // namespace
}  // namespace basin
