#include "training/sweep/sweep.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <set>

#include "results/folder.h"
#include "tensor/error.h"
#include "training/sweep/result.h"

namespace basin {
namespace {

/// The settings of each run of a table [sweep], as text.
std::vector<std::string> settings_of(const std::string& sweep) {
  std::vector<std::string> texts;
  for (const Settings& settings : read_sweep(*parse_toml("[sweep]\n" + sweep, "s.toml").find("sweep")))
    texts.push_back(text_of(settings));
  return texts;
}

using Texts = std::vector<std::string>;

TEST(Sweep, AGridIsEveryCombinationTheLastKeyFastest) {
  EXPECT_EQ(settings_of("protocol = [\"supervised\", \"frozen\"]\n\"data.labels\" = [10, 100]"),
            (Texts{"protocol=\"supervised\" data.labels=10", "protocol=\"supervised\" data.labels=100",
                   "protocol=\"frozen\" data.labels=10", "protocol=\"frozen\" data.labels=100"}));
  EXPECT_EQ(settings_of("data.labels = [10]\ndata.scale = [\"unit\"]"),
            (Texts{"data.labels=10 data.scale=\"unit\""}));
}

TEST(Sweep, KeysThatGoTogetherTakeTheValuesOfOneList) {
  EXPECT_EQ(
      settings_of("\"data.labels, seed , rates\" = [[10, 1, { a = 0.5 }], [20, 2, {}]]\nb = [3, 4]"),
      (Texts{"data.labels=10 seed=1 rates={ a = 0.5 } b=3", "data.labels=10 seed=1 rates={ a = 0.5 } b=4",
             "data.labels=20 seed=2 rates={} b=3", "data.labels=20 seed=2 rates={} b=4"}));
  const Texts drawn = settings_of("\"a, b\" = [[1, 10], [2, 20]]\ndraw = \"random\"\ntrials = 30");
  EXPECT_EQ(std::set<std::string>(drawn.begin(), drawn.end()),
            (std::set<std::string>{"a=1 b=10", "a=2 b=20"}));
  const Texts seeds = settings_of("\"seed, a\" = [[1, 5], [2, 6]]\nc = [7]\ndraw = \"random\"\ntrials = 3");
  EXPECT_EQ(seeds, (Texts{"c=7 seed=1 a=5", "c=7 seed=2 a=6"}));
}

TEST(Sweep, RangesMeetBothEnds) {
  EXPECT_EQ(settings_of("\"train.epochs\" = { from = 1, to = 9, steps = 3 }"),
            (Texts{"train.epochs=1", "train.epochs=5", "train.epochs=9"}));
  EXPECT_EQ(settings_of("a = { from = 1.0, to = 0.0, steps = 3 }"), (Texts{"a=1.0", "a=0.5", "a=0.0"}));
  EXPECT_EQ(settings_of("a = { from = 1, to = 1000, steps = 4, scale = \"log\" }"),
            (Texts{"a=1", "a=10", "a=100", "a=1000"}));
  EXPECT_EQ(settings_of("a = { from = 1e-4, to = 0.1, steps = 4, scale = \"log\" }"),
            (Texts{"a=1e-04", "a=0.001", "a=0.01", "a=0.1"}));
}

TEST(Sweep, RandomDrawsAreAFunctionOfTheirSeedAndFillTheRange) {
  const std::string range = "a = { from = 0.01, to = 1.0, scale = \"log\" }\nb = [1, 2, 3]\n";
  const auto drawn = [&](const std::string& seed) {
    return settings_of(range + "draw = \"random\"\ntrials = 300\ndraw_seed = " + seed);
  };
  const Texts first = drawn("1");
  EXPECT_EQ(first, drawn("1"));
  EXPECT_NE(first, drawn("2"));
  ASSERT_EQ(first.size(), 300u);
  int below = 0;
  std::set<std::string> b;
  for (const std::string& text : first) {
    const double a = std::stod(text.substr(2));
    EXPECT_TRUE(a >= 0.01 && a <= 1.0) << text;
    below += a < 0.1;
    b.insert(text.substr(text.find("b=")));
  }
  EXPECT_NEAR(below, 150, 4.5 * std::sqrt(75.0));  // half of them on a log scale
  EXPECT_EQ(b.size(), 3u);
}

TEST(Sweep, SeedsAreNeverDrawnAndEqualDrawsAreOne) {
  const Texts all = settings_of("seed = [1, 2]\na = [5, 6]\ndraw = \"random\"\ntrials = 50");
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()),
            (std::set<std::string>{"a=5 seed=1", "a=5 seed=2", "a=6 seed=1", "a=6 seed=2"}));
  EXPECT_EQ(all.size(), 4u);
}

TEST(Sweep, WhatMakesNoSenseIsRefusedWhereItStands) {
  const auto expect = [](const std::string& sweep, const std::string& part) {
    try {
      settings_of(sweep);
      ADD_FAILURE() << sweep;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find("s.toml:"), 0u) << error.what();
    }
  };
  expect("", "expected keys of the experiment");
  expect("a = []", "s.toml:2:5: [sweep] a: expected at least one value");
  expect("a = 3", "expected a list of values or a range");
  expect("a = [1, 1]", "received 1 twice");
  expect("a = { from = 1 }", "none of 'to'");
  expect("a = { from = 1, to = 2 }", "expected a range with steps");
  expect("a = { from = 1, to = 2, steps = 1 }", "expected 2 to 10000 steps");
  expect("a = { from = 1, to = 2, steps = 5 }", "received 1 twice");
  expect("a = { from = 1, to = 1, steps = 5 }", "two ends that differ");
  expect("a = { from = 0, to = 2, steps = 2, scale = \"log\" }", "above 0");
  expect("a = { from = 1, to = 2, steps = 2, scale = \"logg\" }", "\"linear\" or \"log\"");
  expect("a = { from = 1, too = 2, steps = 2 }", "did you mean 'to'");
  expect("a = { from = \"x\", to = 2, steps = 2 }", "expected a range");
  expect("a = { from = 0, to = 9223372036854775807, steps = 2 }", "2^53");
  expect("a = { from = nan, to = 2.0, steps = 2 }", "finite");
  expect("a = [1]\ndraw = \"rndom\"", "\"grid\" or \"random\"");
  expect("a = [1]\ndraw = \"random\"", "add trials");
  expect("a = [1]\ntrials = 3", "has no use without draw");
  expect("a = [1]\ndraw = \"random\"\ntrials = 0", "whole number from 1");
  expect("\"a.b\" = [1]\na.b = [2]", "each key once");
  expect("\"a, b\" = [1, 2]", "expected a list of lists of 2 values, one for each key, received [1, 2]");
  expect("\"a, b\" = [[1, 2], [3]]", "of 2 values");
  expect("\"a, b\" = { from = 1, to = 2, steps = 2 }", "of 2 values");
  expect("\"a,\" = [[1, 2]]", "expected a key between commas");
  expect("\"a, a\" = [[1, 2]]", "expected each key once, received a twice");
  expect("a = [1]\n\"b, a\" = [[1, 2]]", "expected each key once, received a twice");
  expect("\"a, select.metric\" = [[1, 2]]", "received select.metric, which is of the sweep itself");
  expect("c.\"a, b\" = [[1, 2]]", "by their whole names");
  expect("select.metric = [\"loss\"]", "received select, which is of the sweep itself");
  std::string many;
  for (int i = 0; i < 4; ++i) many += "k" + std::to_string(i) + " = { from = 1, to = 100, steps = 100 }\n";
  expect(many, "at most 100000 runs");
}

constexpr const char* kExperiment = R"(seed = 3
head = { kind = "softmax" }
data = { name = "strokes", train = 300, test = 100, validation = 60 }
fine_tune = { epochs = 3, batch = 20, optimizer = { learning_rate = 0.1 } }
)";

class SweepFiles : public testing::Test {
 protected:
  SweepFile file(const std::string& tables, const std::vector<std::string>& settings = {}) const {
    folder_.write("e.toml", kExperiment + tables);
    return SweepFile(folder_ / "e.toml", settings);
  }
  void expect_error(const std::string& tables, const std::string& part) const {
    try {
      file(tables);
      ADD_FAILURE() << tables;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("e.toml:"), std::string::npos) << error.what();
    }
  }
  test::Folder folder_;
};

TEST_F(SweepFiles, RunsAreNamedByWhatVariesAndByTheHashOfAllSettings) {
  const std::string sweep = "[sweep]\nseed = [1, 2]\n\"fine_tune.optimizer.learning_rate\" = [0.1, 0.2]\n";
  const SweepFile all = file(sweep);
  ASSERT_EQ(all.runs().size(), 4u);
  EXPECT_EQ(all.varied(), (Texts{"seed", "fine_tune.optimizer.learning_rate"}));
  EXPECT_EQ(all.runs()[3].name.substr(0, 24), "seed-2_learning_rate-0.2");
  EXPECT_EQ(all.runs()[3].name.size(), 24u + 1 + 12);
  EXPECT_NE(all.runs()[3].resolved.find("learning_rate = 0.2"), std::string::npos);
  EXPECT_NE(all.runs()[0].name, file(sweep, {"fine_tune.epochs=4"}).runs()[0].name);
  EXPECT_EQ(all.runs()[0].name, file("# of no weight\n" + sweep).runs()[0].name);
}

TEST_F(SweepFiles, KeysThatGoTogetherAreNamedByTheFirstAndTheSeed) {
  const std::string keys = "\"fine_tune.epochs, seed, fine_tune.optimizer.learning_rate, expect.test_error\"";
  const SweepFile all = file("[sweep]\n" + keys + " = [[1, 5, 0.1, [0, 0.5]], [2, 6, 0.2, [0, 0.4]]]\n");
  ASSERT_EQ(all.runs().size(), 2u);
  EXPECT_EQ(all.varied(), (Texts{"fine_tune.epochs", "seed"}));
  EXPECT_EQ(all.runs()[1].name.substr(0, 16), "epochs-2_seed-6-");
  for (const char* part : {"learning_rate = 0.2", "epochs = 2", "seed = 6", "test_error = [0.0, 0.4]"})
    EXPECT_NE(all.runs()[1].resolved.find(part), std::string::npos) << all.runs()[1].resolved;
  expect_error("[sweep]\n" + keys + " = [[1, 5, 0.1, [0, 1]]]\n[select]\nmetric = \"validation_error\"\n",
               "expected seed by itself");
}

TEST_F(SweepFiles, ListsOfStagesAreNamedByThem) {
  const SweepFile all = file(
      "[sweep]\nstages = [[], [{ name = \"a\", model = { kind = \"abs\" } }, { name = \"b\", model = { kind "
      "= \"abs\" } }]]\n");
  ASSERT_EQ(all.runs().size(), 2u);
  EXPECT_EQ(all.runs()[0].name.substr(0, 12), "stages-none-");
  EXPECT_EQ(all.runs()[1].name.substr(0, 11), "stages-a+b-");
}

TEST_F(SweepFiles, WhatIsComparedMustVary) {
  const std::string sweep = "[sweep]\nseed = [1, 2]\n\"fine_tune.epochs\" = [1, 2]\n[compare]\n";
  const SweepFile all = file(sweep + "test = \"paired_t\"\nby = \"fine_tune.epochs\"\n");
  EXPECT_NE(all.runs()[0].resolved.find("test = \"paired_t\""), std::string::npos);
  expect_error(sweep + "test = \"paired_t\"\nby = \"fine_tune.epoch\"\n", "did you mean 'fine_tune.epochs'");
  expect_error(sweep + "test = \"paired_t\"\nover = \"protocol\"\n", "expected a key of [sweep]");
  expect_error(sweep + "test = \"paired\"\n", "paired_t");
}

TEST_F(SweepFiles, WhatARunWouldRefuseIsRefusedBeforeAnyRunsWithItsPlace) {
  expect_error("[sweep]\n\"fine_tune.epoch\" = [1, 2]\n", "e.toml:6:1: [fine_tune] unknown key 'epoch'");
  expect_error("[sweep]\n\"fine_tune.epoch\" = [1, 2]\n", "epochs");
  expect_error("[sweep]\n\"fine_tune.epochs\" = [1, 2.5]\n",
               "e.toml:6:26: [fine_tune] epochs: expected an integer");
  expect_error("[sweep]\nprotocol = [\"supervized\"]\n", "supervised");
  expect_error("", "expected a table of keys");
  expect_error("[sweep]\nseed = [1]\n[select]\n", "'metric'");
  expect_error("[sweep]\nseed = [1]\n[select]\nmetric = \"test_error\"\n", "the test samples choose nothing");
  expect_error("[sweep]\nseed = [1]\n[select]\nmetric = \"train_error\"\n",
               "the train samples choose nothing");
  expect_error("[sweep]\nseed = [1]\n[select]\nmetric = \"validation_error\"\nretrian = 1\n",
               "did you mean 'retrain'");
  expect_error("[sweep]\nseed = [1]\n[select]\nmetric = \"validation_error\"\nseeds = [1, 1]\n",
               "none twice");
  expect_error("[sweep]\nseed = [1]\n\"data.validation\" = [0]\n[select]\nmetric = \"validation_error\"\n",
               "set data.validation");
}

TEST_F(SweepFiles, ASelectionForEachValueNamesKeysOfTheSweep) {
  const std::string sweep =
      "[sweep]\nseed = [1]\n\"data.labels\" = [50, 100]\n[select]\nmetric = \"validation_error\"\n";
  EXPECT_EQ(file(sweep + "each = [\"data.labels\"]\n").selection()->each, Texts{"data.labels"});
  expect_error(sweep + "each = [\"data.label\"]\n", "did you mean 'data.labels'");
  expect_error(sweep + "each = [\"seed\"]\n", "other than seed");
}

TEST_F(SweepFiles, TrialsOfASelectionMayNotSeeTheTestSamples) {
  const SweepFile all = file("[sweep]\nseed = [1, 2]\n[select]\nmetric = \"validation_error\"\n");
  for (const SweepRun& run : all.runs())
    EXPECT_NE(run.resolved.find("test_use = \"never\""), std::string::npos) << run.resolved;
  EXPECT_EQ(all.selection()->seeds, std::vector<std::int64_t>{1});
}

TEST_F(SweepFiles, AnExperimentOfManyRunsIsNotOneRun) {
  Config config = Config::parse(std::string(kExperiment) + "[sweep]\nseed = [1]\n", "e.toml");
  try {
    read_plan(config);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("use basin sweep"), std::string::npos) << error.what();
  }
  leave_sweep_aside(config);
  EXPECT_EQ(read_plan(config).seed, 3u);
}

/// A complete run with a validation error, and an epoch chosen by early stopping.
Store run_with(std::int64_t seed, double error, std::int64_t epoch) {
  Store store;
  store.put_texts("/experiment/stages", {"head"});
  store.put_integer("/experiment/seed", seed);
  put_result(store, {"validation_error", "1", Better::Down}, error);
  put_result(store, {"accuracy", "1", Better::Up}, 1.0 - error);
  put_result(store, {"neither"}, 3.0);
  store.put_group("/stages/head/evaluation", store.group("/evaluation"));
  store.remove("/evaluation");
  store.put_integer("/stages/head/checkpoint/chosen_epoch", epoch);
  return store;
}

std::vector<Trial> three_trials(const Selection& selection) {
  std::vector<Trial> trials(3);
  const double errors[3][2] = {{0.3, 0.2}, {0.1, 0.2}, {0.0, 0.0}};
  for (std::size_t i = 0; i < 3; ++i) {
    trials[i].settings = {{"a", Node::of(static_cast<std::int64_t>(i))}};
    for (std::int64_t seed = 0; seed < 2; ++seed)
      trials[i].add(run_with(seed, errors[i][seed], 4 + 3 * seed), selection);
  }
  trials[2].failure = "out of memory";
  return trials;
}

TEST(Select, TheBestMeanOverSeedsOfWhatIsCompleteIsChosen) {
  for (const char* metric : {"validation_error", "accuracy"}) {
    const Selection selection{.metric = metric};
    const std::vector<Trial> trials = three_trials(selection);
    EXPECT_EQ(best_trial(trials, selection), 1u);
    EXPECT_EQ(text_of(chosen_epochs(trials[1])), "fine_tune.stop={ after = 6 } fine_tune.keep=\"last\"");
  }
  const Selection selection{.metric = "validation_error", .place = "e.toml:1:1"};
  std::vector<Trial> trials = three_trials(selection);
  for (Trial& trial : trials) trial.failure = "killed";
  EXPECT_THROW(best_trial(trials, selection), Error);
}

TEST(Select, ForEachValueOfAKeyOneIsChosen) {
  Selection selection{.metric = "validation_error", .each = {"data"}};
  std::vector<Trial> trials;
  for (const std::int64_t data : {1, 2}) {
    for (const std::int64_t rate : {1, 2}) {
      Trial trial;
      trial.settings = {{"data", Node::of(data)}, {"rate", Node::of(rate)}};
      trial.add(run_with(0, data == rate ? 0.1 : 0.2, 3), selection);
      trials.push_back(std::move(trial));
    }
  }
  const auto choices = choices_of(trials, selection);
  ASSERT_EQ(choices.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(text_of(choices[i][best_trial(choices[i], selection)].settings),
              i == 0 ? "data=1 rate=1" : "data=2 rate=2");
    EXPECT_EQ(text_of(settings_of_each(choices[i], selection)), i == 0 ? "data=1" : "data=2");
  }
  selection.each = {};
  EXPECT_EQ(choices_of(trials, selection).size(), 1u);
  EXPECT_TRUE(settings_of_each(trials, selection).empty());
}

TEST(Select, AMetricWithoutBetterOrWorseChoosesNothing) {
  for (const char* metric : {"neither", "absent"}) {
    try {
      Trial().add(run_with(1, 0.5, 3), {.metric = metric});
      FAIL() << metric;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("accuracy, validation_error"), std::string::npos)
          << error.what();
    }
  }
}

TEST(Select, WhatWasTriedIsRecorded) {
  const Selection selection{.metric = "validation_error"};
  Store store;
  write_selection(store, selection, three_trials(selection), 1);
  EXPECT_EQ(store.text("/select/metric"), "validation_error");
  EXPECT_EQ(store.texts("/select/settings"), (Texts{"a=0", "a=1", "a=2"}));
  EXPECT_EQ(store.texts("/select/failure"), (Texts{"", "", "out of memory"}));
  EXPECT_EQ(store.integers("/select/seeds"), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(store.integer("/select/chosen"), 1);
  EXPECT_NEAR(store.numbers("/select/mean").at(0), 0.25, 1e-15);
  EXPECT_NEAR(store.numbers("/select/deviation").at(0), 0.1 / std::sqrt(2.0), 1e-15);
  EXPECT_TRUE(std::isnan(store.numbers("/select/mean").at(2)));
}

TEST(Results, TheMostTellingIsOfTestSamples) {
  Store store = run_with(1, 0.5, 3);
  EXPECT_EQ(telling_result(store), "validation_error");
  EXPECT_EQ(result_names(store), (Texts{"accuracy", "validation_error"}));
  store.put_number("/stages/head/evaluation/exact/test_log_likelihood", -3.0);
  EXPECT_EQ(find_result(store, "exact/test_log_likelihood")->value, -3.0);
  store.attribute("/stages/head/evaluation/exact/test_log_likelihood", "better", std::string("up"));
  EXPECT_EQ(find_result(store, "exact/test_log_likelihood")->better, Better::Up);
  EXPECT_EQ(telling_result(store), "validation_error");
  store.remove("/stages/head/evaluation/validation_error");
  EXPECT_EQ(telling_result(store), "exact/test_log_likelihood");
  EXPECT_FALSE(find_result(store, "nothing"));
}

}  // namespace
}  // namespace basin
