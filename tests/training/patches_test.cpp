// Stages that learn from patches and are used at every place: six phases of learning, and what they refuse.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <span>

#include "autograd/ops.h"
#include "results/compare.h"
#include "support/contains.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/everywhere.h"
#include "training/experiment/cut_patches.h"
#include "training/experiment/encode.h"
#include "training/experiment/stack.h"
#include "training/experiment_fixture.h"
#include "training/walk.h"

namespace basin {
namespace {

using test::plan_of_text;

/// The six phases: codes of patches, rectified and pooled, codes of patches of these, the same, a classifier,
/// and all of it by the labels.
const std::string kPhases = R"(
seed = 3
protocol = "layerwise_fine_tune"
head = { kind = "softmax" }
data = { name = "strokes", train = 60, test = 30 }
fine_tune = { epochs = 2, batch = 20, optimizer = { learning_rate = 0.1 } }

[[stages]]
name = "first"
patches = { size = 5, stride = 2, count = 200 }
model = { kind = "psd", atoms = 6, lambda = 0.1, encoder = "tanh", start = "data" }
train = { epochs = 2, batch = 50 }
optimizer = { learning_rate = 0.01 }

[[stages]]
name = "pooled"
model = { kind = "network", layers = ["abs", "local_contrast 3", "pool average 2"] }

[[stages]]
name = "second"
patches = { size = 3, count = 100 }
model = { kind = "psd", atoms = 8, lambda = 0.1, encoder = "tanh" }
train = { epochs = 2, batch = 50 }
optimizer = { learning_rate = 0.01 }

[[stages]]
name = "features"
model = { kind = "network", layers = ["abs", "pool average 2"] }
)";

class Patches : public test::ExperimentFolder {
 protected:
  Patches() { replace_ = true; }

  RunResult run(const Plan& plan, const std::string& name, const FitObserver& step = {},
                bool resume = false) {
    RunOptions how = options(name);
    how.pictures = false;
    how.resume = resume;
    how.replace = !resume;
    how.revision = "0123456789ab";
    how.cache = cache_.empty() ? "" : file(cache_);
    said_.clear();
    return run_experiment(plan, how,
                          {.step = step, .say = [this](const std::string& line) { said_ += line + "\n"; }});
  }
  bool said(const std::string& part) const { return test::contains(said_, part); }
  static void expect_same(const Store& a, const Store& b) {
    const std::vector<std::string> lines = differences(a, b, {"/time", "/experiment/given"});
    EXPECT_TRUE(lines.empty()) << lines.front() << " and " << lines.size() - 1 << " more";
  }

  std::string said_, cache_;
};

std::vector<double> numbers(const Tensor& all, Index row) { return all.rows(row, row + 1).values(); }

/// How many of the patches are no square of any of the maps [N, C, H, W].
Index strangers(const Tensor& patches, const Value& maps, Index size) {
  std::set<std::vector<double>> squares;
  for (Index i = 0; i + size <= maps.dim(-2); ++i) {
    for (Index j = 0; j + size <= maps.dim(-1); ++j) {
      const Value cut = slice(slice(maps, -2, i, i + size), -1, j, j + size);
      for (Index n = 0; n < maps.dim(0); ++n) squares.insert(numbers(cut.tensor(), n));
    }
  }
  Index count = 0;
  for (Index p = 0; p < patches.dim(0); ++p) count += squares.contains(numbers(patches, p)) ? 0 : 1;
  return count;
}

TEST_F(Patches, TheSecondStageLearnsFromSquaresOfTheMapsOfTheFirst) {
  const Plan plan = plan_of_text(kPhases);
  const Dataset data = load_data(plan);
  const std::vector<Stage> stages = make_stages(plan, data.train.shape(), test::device());
  const auto all = std::span<const Stage>(stages);
  EXPECT_EQ(stages[0].inputs[0].variable.shape, (Shape{5, 5}));
  EXPECT_EQ(stages[1].inputs[0].variable.shape, (Shape{6, 12, 12}));
  EXPECT_EQ(stages[2].inputs[0].variable.shape, (Shape{6, 3, 3}));
  EXPECT_EQ(stages[3].inputs[0].variable.shape, (Shape{8, 4, 4}));

  const Dataset first = cut_patches(all.first(1), data), second = cut_patches(all.first(3), data);
  EXPECT_EQ(first.train.count, 200);
  EXPECT_EQ(first.test.count, 20);
  EXPECT_EQ(second.train.values().shape(), (Shape{100, 6, 3, 3}));
  EXPECT_EQ(second.test.count, 10);
  Cache none("");
  const Dataset maps = encoded(all.first(2), data, none);
  const State images = samples_between(whole_means(stages[0], data.train), 0, 60, Key(0));
  EXPECT_EQ(strangers(first.train.values(), images[whole_variable(stages[0])], 5), 0);
  EXPECT_EQ(strangers(second.train.values(), maps.train.values(), 3), 0);
  EXPECT_EQ(strangers(second.test.values(), maps.test.values(), 3), 0);
  EXPECT_GT(strangers(second.train.values(), maps.test.values(), 3), 50);  // which are other ones
  // Sample i of a part is a function of the key and i: fewer are the first of more.
  const Plan fewer = plan_of_text(kPhases, {"stages.second.patches.count=7", "stages.second.train.batch=5"});
  const std::vector<Stage> others = make_stages(fewer, data.train.shape(), test::device());
  for (std::size_t i = 0; i < 2; ++i) {
    const auto from = stored_parameters(stages[i]), to = stored_parameters(others[i]);
    for (std::size_t k = 0; k < from.size(); ++k) to[k].tensor().copy_from(from[k].tensor());
  }
  const Tensor few = cut_patches(std::span<const Stage>(others).first(3), data).train.values();
  EXPECT_EQ(few.values(), second.train.values().rows(0, 7).values());
}

TEST_F(Patches, EveryKindGivesMapsOfWhatItGivesOfPatches) {
  const std::string tables = "data={ name = \"strokes\" }\npatches={ size = 4, stride = 3 }\n",
                    trained = "train={ epochs = 1 }\noptimizer={ learning_rate = 0.1 }\n";
  for (const std::string model :
       {R"({ kind = "psd", atoms = 5, lambda = 0.1 })", R"({ kind = "autoencoder", codes = 5 })",
        R"({ kind = "rbm", hidden = 5 })", R"({ kind = "kmeans", clusters = 5 })",
        R"({ kind = "kmeans", clusters = 5, codes = "triangle" })", R"({ kind = "pca", dimensions = 5 })",
        R"({ kind = "network", layers = ["dense 5", "tanh"] })", R"({ kind = "contrast" })",
        R"({ kind = "sparse_coding", atoms = 5, lambda = 0.1 })"}) {
    const bool is_fixed = test::contains("pca network contrast", model.substr(10, model.find('"', 10) - 10));
    const Plan plan = plan_of_text(tables + (is_fixed ? "" : trained) + "model=" + model);
    const Stage stage = make_stages(plan, {2, 9, 10}, test::device()).front();
    for (const Parameter& own : stored_parameters(stage))
      own.tensor().copy_from(
          (Value(normal(Key(1).fold(own.name()), own.tensor().shape(), test::f32())) * 0.3).tensor());
    const Value images = normal(Key(2), {3, 2, 9, 10}, test::f32());
    const Value maps = passed_on(stage)->forward(images);
    EXPECT_EQ(code_shape(stage, {2, 9, 10}), (Shape{maps.dim(1), 2, 3})) << model;
    for (Index i = 0; i < 2; ++i) {
      for (Index j = 0; j < 3; ++j) {
        const Value patch = slice(slice(images, 2, 3 * i, 3 * i + 4), 3, 3 * j, 3 * j + 4);
        const Value there = flatten(slice(slice(maps, 2, i, i + 1), 3, j, j + 1));
        EXPECT_LT(max(flatten(abs(there - flatten(stage.encoder->forward(patch)))), 1).tensor().values()[0],
                  1e-5)
            << model;
      }
    }
  }
}

TEST_F(Patches, AConvolutionIsUsedOnWholeImagesAsItIs) {
  const Plan plan = plan_of_text(R"(
data = { name = "strokes" }
patches = { size = 8, count = 20 }
model = { kind = "conv_psd", filters = 3, filter_size = 3, lambda = 0.1 }
train = { epochs = 1, batch = 10 }
optimizer = { learning_rate = 0.1 }
)");
  const Stage stage = make_stages(plan, {28, 28}, test::device()).front();
  EXPECT_EQ(stage.inputs[0].variable.shape, (Shape{1, 8, 8}));
  EXPECT_EQ(passed_on(stage), stage.encoder);
  EXPECT_EQ(code_shape(stage, {28, 28}), (Shape{3, 30, 30}));
  EXPECT_THROW(
      make_stages(
          plan_of_text("data={ name = \"strokes\" }\npatches={ size = 8, stride = 2 }\ntrain={ epochs = "
                       "1 }\noptimizer={ learning_rate = 0.1 }\nmodel={ kind = \"conv_psd\", filters = "
                       "3, lambda = 0.1, filter_size = 3 }"),
          {28, 28}, test::device()),
      Error);
}

TEST_F(Patches, RunsOfAllProtocolsGoOnAndAreMeasuredAgain) {
  const RunResult whole = run(plan_of_text(kPhases), "whole.h5");
  ASSERT_TRUE(whole.complete);
  EXPECT_EQ(whole.store.integers("/stages/first/sample_shape"), (std::vector<std::int64_t>{28, 28}));
  EXPECT_EQ(whole.store.integers("/stages/second/sample_shape"), (std::vector<std::int64_t>{6, 6, 6}));
  EXPECT_EQ(whole.store.texts("/stages/head/rules"), (Rules{"patches"}));
  // All of it learns from the labels.
  for (const char* name : {"first", "second"}) {
    const std::string group = fmt::format("/stages/{}/parameters/y.z.weight", name),
                      tuned = fmt::format("/stages/head/parameters/{}.weight", name);
    EXPECT_NE(whole.store.tensor(group).values(), whole.store.tensor(tuned).values()) << name;
  }
  const Plan plan = plan_of(whole.store);
  for (const char* name : {"first", "second", "head"}) {
    RestoredStage stage(whole.store, plan, name, test::device());
    Store measured;
    evaluate_measures(stage.view(), measured);
    const char* metric = std::string(name) == "head" ? "test_error" : "reconstruction_error";
    EXPECT_EQ(measured.numbers(fmt::format("/evaluation/{}", metric)),
              whole.store.group(stage_group(name)).numbers(fmt::format("/evaluation/{}", metric)));
  }
  // Stopped in the second stage, it ends at the same numbers.
  int steps = 0;
  const auto stop = [&](const FitReport&) { return ++steps < 10; };
  EXPECT_FALSE(run(plan_of_text(kPhases), "part.h5", stop).complete);
  const RunResult rest = run(plan_of_text(kPhases), "part.h5", {}, true);
  ASSERT_TRUE(rest.complete);
  expect_same(rest.store, whole.store);
  const RunResult frozen = run(plan_of_text(kPhases, {"protocol=layerwise_frozen"}), "frozen.h5");
  for (const char* name : {"first", "second"}) {
    EXPECT_EQ(frozen.store.tensor(fmt::format("/stages/{}/parameters/y.z.weight", name)).values(),
              frozen.store.tensor(fmt::format("/stages/head/parameters/{}.weight", name)).values());
  }
  EXPECT_TRUE(run(plan_of_text(kPhases, {"protocol=supervised"}), "supervised.h5").complete);
}

TEST_F(Patches, StagesInTheCacheKnowTheirPatches) {
  cache_ = "cache";
  const RunResult miss = run(plan_of_text(kPhases), "a.h5");
  EXPECT_FALSE(said("taken from the cache"));
  const RunResult hit = run(plan_of_text(kPhases), "b.h5");
  EXPECT_TRUE(said("stage first: taken from the cache") && said("stage second: taken from the cache"))
      << said_;
  expect_same(miss.store, hit.store);
  // What lies between stages of patches is kept nowhere.
  for (const auto& entry : std::filesystem::directory_iterator(file("cache")))
    EXPECT_FALSE(entry.path().string().ends_with(".train.h5")) << entry.path();
  run(plan_of_text(kPhases, {"stages.first.patches.stride=1"}), "c.h5");
  EXPECT_FALSE(said("stage first: taken from the cache"));
  run(plan_of_text(kPhases, {"stages.second.patches.count=101"}), "d.h5");
  EXPECT_TRUE(said("stage first: taken from the cache"));
  EXPECT_FALSE(said("stage second: taken from the cache"));
}

TEST_F(Patches, ABatchIsOfNoMorePatchesThanThereAre) {
  try {
    run(plan_of_text(kPhases, {"stages.second.patches.count=49"}), "a.h5");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    for (const char* part : {"patches.count = 49", "received 50"})
      EXPECT_TRUE(test::contains(error.what(), part)) << error.what();
  }
}

/// What making the stages, and the head, of a plan for samples of a shape complains of.
std::string complaint(const std::vector<std::string>& settings, const Shape& sample = {28, 28}) {
  try {
    const Plan plan = plan_of_text(kPhases, settings);
    const auto samples = [&] { return load_data(plan).train; };
    const std::vector<Stage> stages = make_stages(plan, sample, test::device(), samples);
    make_head(plan, stages, sample, {"label", 10}, test::device());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(Patches, RefusesWhatHasNoPatchesOrTakesNone) {
  EXPECT_EQ(complaint({}), "");
  const std::string large = complaint({"stages.second.patches.size=7"});
  for (const char* part : {"stage second (psd)", "[6, 6, 6]", "stage pooled gives", "7 x 7"})
    EXPECT_TRUE(test::contains(large, part)) << large;
  EXPECT_TRUE(test::contains(complaint({}, {784}), "[784]"));
  EXPECT_TRUE(test::contains(complaint({"stages.first.patches.size=0"}), "patches"));
  EXPECT_TRUE(test::contains(complaint({"stages.first.patches.sizes=4"}), "size"));
  const std::string labels = complaint({"stages.second.model={ kind = \"label_rbm\", hidden = 3 }"});
  EXPECT_TRUE(test::contains(labels, "[patches]") && test::contains(labels, "label_rbm")) << labels;
  EXPECT_TRUE(test::contains(complaint({"head={ kind = \"reconstruction\" }"}), "first (psd)"));
}

}  // namespace
}  // namespace basin
