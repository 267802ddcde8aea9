#include "training/sweep/compare_runs.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tensor/error.h"

namespace basin {
namespace {

ComparedRun run_of(const std::string& protocol, int seed, double error, const std::string& test = "t") {
  return {.file = protocol + std::to_string(seed) + ".h5",
          .settings = {{"protocol", protocol}, {"seed", std::to_string(seed)}, {"data.test", test}},
          .results = {{"test_error", error}},
          .telling = "test_error",
          .digests = {{"test", test}}};
}

std::string error_of(const std::vector<ComparedRun>& runs, const CompareOptions& options = {}) {
  try {
    compare_runs(runs, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void expect_part(const std::string& error, const std::string& part) {
  EXPECT_NE(error.find(part), std::string::npos) << error;
}

const std::vector<ComparedRun> kRuns = {run_of("frozen", 1, 0.30), run_of("frozen", 2, 0.20),
                                        run_of("frozen", 3, 0.25), run_of("tuned", 3, 0.15),
                                        run_of("tuned", 1, 0.10),  run_of("tuned", 4, 0.50)};

TEST(CompareRuns, GroupsAreComparedInPairsOfOneSeed) {
  const Comparison found = compare_runs(kRuns, {});
  EXPECT_EQ(found.keys, std::vector<std::string>{"protocol"});
  ASSERT_EQ(found.groups.size(), 2u);
  EXPECT_EQ(found.groups[0].settings, std::vector<std::string>{"frozen"});
  EXPECT_EQ(found.groups[1].values.size(), 3u);
  EXPECT_EQ(found.groups[1].difference.pairs, 2);  // seeds 1 and 3
  EXPECT_NEAR(found.groups[1].difference.mean, -0.15, 1e-15);
  EXPECT_NEAR(found.groups[1].difference.standard_error, 0.05, 1e-15);
  EXPECT_FALSE(found.mcnemar);
  EXPECT_EQ(found.table().csv(),
            "protocol,mean,deviation,n,difference,standard_error,pairs\n"
            "frozen,0.25,0.05,3,-,-,-\n"
            "tuned,0.25,0.217945,3,-0.15,0.05,2\n");
}

TEST(CompareRuns, AKeyMakesTheGroupsAndTheOthersThePairs) {
  const Comparison found = compare_runs(kRuns, {.by = "seed"});
  EXPECT_EQ(found.keys, std::vector<std::string>{"seed"});
  ASSERT_EQ(found.groups.size(), 4u);
  EXPECT_EQ(found.groups[2].difference.pairs, 2);  // both protocols have seeds 1 and 3
  EXPECT_EQ(found.groups[1].difference.pairs, 1);
  expect_part(error_of(kRuns, {.by = "protocl"}), "did you mean 'protocol'");
}

TEST(CompareRuns, KeysThatGoWithWhatIsComparedTellNoPairsApart) {
  std::vector<ComparedRun> runs = kRuns;
  for (ComparedRun& run : runs) {
    if (run.settings["protocol"] == "tuned") run.settings["rates"] = "0.1";
  }
  EXPECT_EQ(compare_runs(runs, {.by = "protocol"}).groups[1].difference.pairs, 2);
  // One of another table does: it may be what made the difference.
  std::vector<ComparedRun> others = kRuns;
  for (ComparedRun& run : others) {
    if (run.settings["protocol"] == "tuned") run.settings["head.loss"] = "hinge";
  }
  EXPECT_EQ(compare_runs(others, {.by = "protocol"}).groups[1].difference.pairs, 0);
  // Where it varies within a protocol, it does.
  runs.back().settings["rates"] = "0.2";
  EXPECT_EQ(compare_runs(runs, {.by = "protocol"}).groups[1].difference.pairs, 0);
}

TEST(CompareRuns, TwoRunsWithPredictionsAreComparedSampleBySample) {
  std::vector<ComparedRun> two = {run_of("a", 1, 0.5), run_of("b", 1, 0.25)};
  two[0].labels = two[1].labels = {0, 1, 2, 0, 1};
  two[0].predictions = {0, 0, 0, 0, 1};
  two[1].predictions = {0, 1, 2, 0, 0};
  const Comparison found = compare_runs(two, {});
  ASSERT_TRUE(found.mcnemar);
  EXPECT_EQ(found.mcnemar->first_only, 1);
  EXPECT_EQ(found.mcnemar->second_only, 2);
  EXPECT_EQ(found.mcnemar->p, 1.0);
}

TEST(CompareRuns, OtherTestSamplesAreRefusedWithTheKeyThatDiffers) {
  expect_part(error_of({run_of("a", 1, 0.5, "100"), run_of("b", 1, 0.5, "200")}),
              "received another in b1.h5 than in a1.h5: data.test is 100 and 200");
  std::vector<ComparedRun> changed = {run_of("a", 1, 0.5), run_of("b", 1, 0.5)};
  changed[1].digests["test"] = "other";
  expect_part(error_of(changed), "the files behind [data] have changed");
  changed[1].digests.clear();
  expect_part(error_of(changed), "received b1.h5 without any on record");
}

TEST(CompareRuns, WhatCannotBeComparedIsSaid) {
  expect_part(error_of({kRuns[0]}), "at least two");
  expect_part(error_of({kRuns[0], kRuns[0]}), "with the settings of another");
  expect_part(error_of(kRuns, {.metric = "loss"}), "it holds test_error");
  Store store;
  store.put_text("/experiment/status", "training");
  EXPECT_THROW(ComparedRun::of(store, "a.h5"), Error);
}

TEST(CompareRuns, SettingsOfStagesAreNamedAsTheyAreSet) {
  Store store;
  store.put_text("/experiment/status", "complete");
  store.put_texts("/experiment/stages", {"head"});
  store.put_text(
      "/experiment/resolved",
      "seed = 1\n[results]\nfile = \"a.h5\"\n[[stages]]\nname = \"first\"\n[stages.train]\nepochs = 5\n");
  const ComparedRun run = ComparedRun::of(store, "a.h5");
  EXPECT_EQ(run.settings,
            (std::map<std::string, std::string>{
                {"seed", "1"}, {"stages.first.name", "first"}, {"stages.first.train.epochs", "5"}}));
}

}  // namespace
}  // namespace basin
