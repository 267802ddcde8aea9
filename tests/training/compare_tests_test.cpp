// What a comparison tests, who chose it, what it has cost, and its curves.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "results/files/atomic_file.h"
#include "results/paired_tests.h"
#include "support/contains.h"
#include "support/error_of.h"
#include "tensor/error.h"
#include "training/sweep/compare_curve.h"

namespace basin {
namespace {

using test::error_of;

using test::contains;

ComparedRun run_of(const std::string& protocol, const std::string& labels, int seed, double error) {
  return {.file = protocol + labels + std::to_string(seed) + ".h5",
          .settings = {{"protocol", protocol}, {"data.labels", labels}, {"seed", std::to_string(seed)}},
          .results = {{"test_error", error}},
          .telling = "test_error",
          .digests = {{"test", "t"}}};
}

/// Seven seeds of two protocols at two numbers of labels.
std::vector<ComparedRun> runs() {
  const std::vector<double> a = {0.120, 0.131, 0.118, 0.125, 0.140, 0.122, 0.129},
                            b = {0.110, 0.133, 0.101, 0.120, 0.118, 0.119, 0.1205};
  std::vector<ComparedRun> all;
  for (const char* labels : {"1000", "100"}) {
    for (int seed = 0; seed < 7; ++seed) {
      const double more = labels == std::string("100") ? 0.05 : 0.0;
      all.push_back(run_of("supervised", labels, seed, a[static_cast<std::size_t>(seed)] + more));
      all.push_back(run_of("frozen", labels, seed, b[static_cast<std::size_t>(seed)] + 2.0 * more));
    }
  }
  return all;
}

/// Runs with predictions of four samples, of two seeds.
std::vector<ComparedRun> predicting() {
  std::vector<ComparedRun> all;
  for (const char* protocol : {"a", "b"}) {
    for (int seed = 0; seed < 2; ++seed) {
      all.push_back(run_of(protocol, "1", seed, protocol == std::string("a") ? 0.5 : 0.25));
      all.back().labels = {0, 1, 2, 3};
      all.back().predictions = protocol == std::string("a") ? std::vector<std::int64_t>{0, 1, 0, 0}
                                                            : std::vector<std::int64_t>{0, 1, 2, 0};
    }
  }
  return all;
}

std::string all_notes(const Comparison& found) {
  std::string text;
  for (const std::string& note : found.notes) text += note + "\n";
  return text;
}

TEST(CompareTests, EachValueOfOverHasAReferenceOfItsOwn) {
  const Comparison found =
      compare_runs(runs(), {.by = "protocol", .test = "paired_t", .over = "data.labels"});
  EXPECT_EQ(found.keys, (std::vector<std::string>{"protocol", "data.labels"}));
  ASSERT_EQ(found.groups.size(), 4u);
  EXPECT_EQ(found.groups[0].settings, (std::vector<std::string>{"supervised", "100"}));  // labels rising
  EXPECT_EQ(found.groups[3].settings, (std::vector<std::string>{"frozen", "1000"}));
  EXPECT_TRUE(found.groups[0].is_reference && found.groups[1].is_reference);
  EXPECT_EQ(found.groups[3].difference.pairs, 7);
  EXPECT_NEAR(found.groups[2].difference.mean, found.groups[3].difference.mean + 0.05, 1e-12);
  const std::vector<double> a = {0.120, 0.131, 0.118, 0.125, 0.140, 0.122, 0.129},
                            b = {0.110, 0.133, 0.101, 0.120, 0.118, 0.119, 0.1205};
  const double p = paired_t(a, b).p;
  EXPECT_NEAR(found.groups[3].p, p, 1e-12);
  EXPECT_NEAR(found.groups[3].corrected_p, p, 1e-12);  // the larger of two
  EXPECT_NEAR(found.groups[2].corrected_p, 2.0 * found.groups[2].p, 1e-15);
  EXPECT_TRUE(std::isnan(found.groups[0].p));
  EXPECT_TRUE(contains(found.table().csv(), "pairs,p,p_holm\nsupervised,100,")) << found.table().csv();
}

TEST(CompareTests, NoOtherGroupTakesThePlaceOfAReferenceThatLacks) {
  std::vector<ComparedRun> some = runs();
  std::erase_if(some, [](const ComparedRun& run) {
    return run.settings.at("protocol") == "supervised" && run.settings.at("data.labels") == "100";
  });
  const Comparison found = compare_runs(some, {.by = "protocol", .test = "paired_t", .over = "data.labels"});
  ASSERT_EQ(found.groups.size(), 3u);
  const Comparison::Group& alone = found.groups[1];
  EXPECT_EQ(alone.settings, (std::vector<std::string>{"frozen", "100"}));
  EXPECT_FALSE(alone.is_reference);
  EXPECT_EQ(alone.difference.pairs, 0);
  EXPECT_TRUE(std::isnan(alone.p));
  EXPECT_TRUE(contains(all_notes(found), "frozen 100: no run of the reference")) << all_notes(found);
}

TEST(CompareTests, WhatFollowsOverMakesNoGroups) {
  std::vector<ComparedRun> all = runs();
  for (ComparedRun& run : all)
    run.settings["fine_tune.epochs"] = run.settings["data.labels"] == "100" ? "200" : "30";
  const Comparison found = compare_runs(all, {.over = "data.labels"});
  EXPECT_EQ(found.keys, (std::vector<std::string>{"protocol", "data.labels"}));
  EXPECT_EQ(found.groups.size(), 4u);
}

TEST(CompareTests, TheReferenceIsNamed) {
  const Comparison found =
      compare_runs(runs(), {.by = "protocol", .over = "data.labels", .reference = "frozen"});
  EXPECT_EQ(found.groups[0].settings.front(), "frozen");
  EXPECT_GT(found.groups[3].difference.mean, 0.0);
  EXPECT_TRUE(contains(error_of([] { compare_runs(runs(), {.by = "protocol", .reference = "frosen"}); }),
                       "did you mean 'frozen'"));
  EXPECT_TRUE(contains(error_of([] { compare_runs(runs(), {.reference = "frozen"}); }), "add --by"));
}

TEST(CompareTests, NamesOfStagesStandForAllOfThem) {
  std::vector<ComparedRun> all = predicting();
  for (ComparedRun& run : all) {
    const std::string name = run.settings["protocol"] == "a" ? "first" : "second";
    run.settings["stages." + name + ".name"] = name;
    run.settings["stages." + name + ".model.hidden"] = name == "first" ? "3" : "4";
    run.settings.erase("protocol");
  }
  all.push_back(run_of("", "1", 0, 0.75));
  all.back().settings["stages"] = "[]";
  all.back().settings.erase("protocol");
  const Comparison found = compare_runs(all, {.by = "stages"});
  ASSERT_EQ(found.groups.size(), 3u);
  EXPECT_EQ(found.groups[0].settings, std::vector<std::string>{"first"});
  EXPECT_EQ(found.groups[1].difference.pairs, 2);
  EXPECT_EQ(found.groups[2].settings, std::vector<std::string>{"none"});
  EXPECT_EQ(found.groups[2].difference.pairs, 1);
}

TEST(CompareTests, WhatTheFilesSayIsDoneAndADepartureSaid) {
  std::vector<ComparedRun> all = runs();
  const CompareOptions plan{.by = "protocol", .test = "paired_t", .over = "data.labels"};
  for (ComparedRun& run : all) run.planned = plan;
  const Comparison asked = compare_runs(all, {});
  EXPECT_EQ(asked.keys.front(), "protocol");
  EXPECT_TRUE(contains(all_notes(asked), "test paired_t, as the experiments said before they ran"));
  const Comparison same = compare_runs(all, {.test = "paired_t"});
  EXPECT_EQ(all_notes(same), all_notes(asked));
  const Comparison other = compare_runs(all, {.test = "wilcoxon", .reference = "frozen"});
  EXPECT_TRUE(contains(all_notes(other),
                       "chosen afterwards: test = wilcoxon (the files say paired_t), reference = frozen (the "
                       "files say nothing)"))
      << all_notes(other);
  // Where the files do not agree, nothing was chosen.
  all.back().planned->test = "bootstrap";
  EXPECT_TRUE(
      contains(all_notes(compare_runs(all, {.by = "protocol", .test = "paired_t", .over = "data.labels"})),
               "none counts"));
  EXPECT_TRUE(
      contains(all_notes(compare_runs(runs(), {.by = "protocol", .test = "wilcoxon", .over = "data.labels"})),
               "chosen afterwards: test = wilcoxon (the files say nothing)"));
  EXPECT_TRUE(compare_runs(runs(), {.by = "protocol", .over = "data.labels"}).notes.empty());
}

TEST(CompareTests, SignedRanksSayWhatTheyLeftOutAndWhyTheyRefuse) {
  std::vector<ComparedRun> all = runs();
  std::erase_if(all, [](const ComparedRun& run) { return run.settings.at("data.labels") != "1000"; });
  all[1].results["test_error"] = all[0].results["test_error"];  // a pair without a difference
  const Comparison found = compare_runs(all, {.by = "protocol", .test = "wilcoxon"});
  EXPECT_FALSE(std::isnan(found.groups[1].p));
  EXPECT_TRUE(
      contains(all_notes(found), "frozen: 1 of 7 pairs without a difference left out, 0 share a rank"))
      << all_notes(found);
  all.resize(10);
  const Comparison few = compare_runs(all, {.by = "protocol", .test = "wilcoxon"});
  EXPECT_TRUE(std::isnan(few.groups[1].p));
  EXPECT_TRUE(contains(all_notes(few), "frozen: [wilcoxon] expected 6 to 1000 pairs, received 5"));
}

TEST(CompareTests, ABootstrapDrawsRunsAndTestSamples) {
  const Comparison found = compare_runs(predicting(), {.by = "protocol", .test = "bootstrap"});
  ASSERT_TRUE(found.groups[1].drawn_difference && found.groups[0].mean);
  EXPECT_DOUBLE_EQ(found.groups[0].mean->mean, 0.5);
  EXPECT_DOUBLE_EQ(found.groups[1].drawn_difference->mean, -0.25);
  const std::vector<std::vector<double>> differences(2, {0, 0, -1, 0});
  EXPECT_EQ(found.groups[1].drawn_difference->low, bootstrap_mean(differences).low);
  EXPECT_EQ(found.groups[1].p, bootstrap_mean(differences).p);
  EXPECT_TRUE(contains(found.table().csv(), "pairs,low,high,p,p_holm\n"));
  std::vector<ComparedRun> without = predicting();
  without[2].predictions.clear();
  EXPECT_TRUE(contains(error_of([&] { compare_runs(without, {.by = "protocol", .test = "bootstrap"}); }),
                       "received b10.h5 without"));
  for (ComparedRun& run : without) run.results["loss"] = 1.0;
  EXPECT_TRUE(contains(
      error_of([&] { compare_runs(without, {.by = "protocol", .metric = "loss", .test = "bootstrap"}); }),
      "for a bootstrap, received loss"));
}

TEST(CompareTests, ABootstrapOfMusicDrawsSequences) {
  std::vector<ComparedRun> all = predicting();
  for (ComparedRun& run : all) {
    run.results = {{"step_nats_test", 8.0}};
    run.telling = "step_nats_test";
    run.sequence_steps = {10, 30, 20};
    run.sequence_nats = {80, 210, run.settings["protocol"] == "a" ? 190.0 : 130.0};
  }
  const Comparison found = compare_runs(all, {.by = "protocol", .test = "bootstrap"});
  EXPECT_DOUBLE_EQ(found.groups[0].mean->mean, 8.0);
  EXPECT_DOUBLE_EQ(found.groups[1].drawn_difference->mean, -1.0);  // 60 nats over 60 steps
  all[0].sequence_nats.clear();
  EXPECT_TRUE(contains(error_of([&] { compare_runs(all, {.by = "protocol", .test = "bootstrap"}); }),
                       "expected nats of each test sequence on record"));
}

TEST(CompareTests, WhatItHasCostStandsBeside) {
  std::vector<ComparedRun> all = predicting();
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i].budget = {.seconds = static_cast<double>(i), .updates = 100.0};
  all[2].budget.trials = all[3].budget.trials = 8;
  all[2].budget.trial_seconds = all[3].budget.trial_seconds = 70.0;
  EXPECT_EQ(compare_runs(all, {.by = "protocol"}).table().csv(),
            "protocol,mean,deviation,n,difference,standard_error,pairs,trials,trial_seconds,seconds,updates\n"
            "a,0.5,0,2,-,-,-,-,-,0.5,100\n"
            "b,0.25,0,2,-0.25,0,2,8,70,2.5,100\n");
}

TEST(CompareTests, CurvesAgainstANumberInABand) {
  const Comparison found = compare_runs(runs(), {.by = "protocol", .over = "data.labels"});
  const ComparisonCurves curves = curves_of(found);
  ASSERT_EQ(curves.curves.size(), 2u);
  EXPECT_EQ(curves.curves[1].label, "frozen");
  EXPECT_EQ(curves.curves[1].x, (std::vector<double>{100.0, 1000.0}));
  EXPECT_EQ(curves.band, "standard deviation of the runs");
  const Comparison::Group& group = found.groups[2];
  EXPECT_DOUBLE_EQ(curves.curves[1].y[0], mean_of(group.values));
  EXPECT_DOUBLE_EQ(curves.bands[1].high[0], mean_of(group.values) + deviation_of(group.values));
  const std::string csv = table_of_curves(found).csv();
  EXPECT_EQ(csv.find("protocol,data.labels,mean test_error,low (standard deviation of the runs),high,n\n"
                     "supervised,100,0.176429,"),
            0u)
      << csv;
  const auto folder = std::filesystem::temp_directory_path() / "basin-compare-curve-test";
  std::filesystem::create_directories(folder);
  EXPECT_EQ(save_curves(found, (folder / "alone.csv").string()).size(), 1u);
  EXPECT_EQ(read_whole((folder / "alone.csv").string()), csv);
  EXPECT_EQ(save_curves(found, (folder / "curve.svg").string()).size(), 2u);
  EXPECT_EQ(read_whole((folder / "curve.csv").string()), csv);
  const std::string svg = read_whole((folder / "curve.svg").string());
  EXPECT_TRUE(contains(svg, "fill-opacity:0.18") || contains(svg, "fill-opacity=\"0.18"));
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(contains(error_of([&] { save_curves(found, "curve.pdf"); }), "ends in .svg or .png"));
  EXPECT_TRUE(contains(error_of([] { curves_of(compare_runs(predicting(), {})); }), "add --over"));
  EXPECT_TRUE(contains(error_of([] { compare_runs(runs(), {.over = "protocol"}); }), "expected numbers"));
  // By a bootstrap the band is its interval.
  std::vector<ComparedRun> all = predicting();
  for (ComparedRun& run : all) run.settings["data.labels"] = run.settings["protocol"] == "a" ? "1" : "2";
  const Comparison drawn = compare_runs(all, {.by = "protocol", .test = "bootstrap", .over = "data.labels"});
  EXPECT_EQ(curves_of(drawn).bands[0].low[0], drawn.groups[0].mean->low);
  EXPECT_EQ(curves_of(drawn).band, "95 % interval by bootstrap");
}

TEST(CompareTests, TheTableOfAnExperimentIsRead) {
  const auto read = [](const std::string& text) {
    return read_compare_options(Config::parse(text, "e.toml").table("compare"));
  };
  EXPECT_EQ(read("compare = { test = \"wilcoxon\", by = \"protocol\", metric = \"test_error\" }"),
            (CompareOptions{.by = "protocol", .metric = "test_error", .test = "wilcoxon"}));
  EXPECT_TRUE(contains(error_of([&] { read("compare = { test = \"t\" }"); }), "paired_t"));
  EXPECT_TRUE(contains(error_of([&] { read("compare = { by = \"protocol\" }"); }), "test"));
  EXPECT_TRUE(
      contains(error_of([&] { read("compare = { test = \"paired_t\", reference = \"a\" }"); }), "add by"));
}

}  // namespace
}  // namespace basin
