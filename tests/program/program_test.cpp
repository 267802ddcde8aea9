// The program through its command line: what it prints, writes and returns when all goes well.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

#include "program/page.h"
#include "program/program_fixture.h"
#include "support/contains.h"

namespace basin::test {
namespace {

TEST_F(Program, RunsAnExperimentAndSaysWhereEverythingIs) {
  write("small.toml", small_experiment());
  const Outcome run = basin({"run", "small.toml", "--set",
                             "results.plots=[\"basis\", \"samples\", \"curves\"]", "results.sample_steps=5"});
  ASSERT_EQ(run.code, 0) << run.err;
  for (const char* part : {"forward AIS", "reverse AIS", "out.h5", "out_basis.png", "out_samples.png",
                           "out_curves.png", "samples/s"}) {
    EXPECT_TRUE(contains(run.out, part)) << part << " in " << run.out;
  }
  EXPECT_EQ(files(), (std::vector<std::string>{"out.h5", "out_basis.png", "out_curves.png", "out_samples.png",
                                               "small.toml"}));

  const Outcome info = basin({"info", "out.h5"});
  ASSERT_EQ(info.code, 0) << info.err;
  for (const char* part : {"complete", "30 of 30 epochs", "pcd-1", "bipartite", "v.h.weight",
                           "seed         4", "test_log_likelihood"}) {
    EXPECT_TRUE(contains(info.out, part)) << part << " in " << info.out;
  }
}

TEST_F(Program, TheResolvedExperimentRepeatsTheRun) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  write("again.toml", basin({"info", "out.h5", "--toml"}).out);
  ASSERT_EQ(basin({"run", "again.toml", "--quiet", "--out", "again.h5"}).code, 0);
  const Outcome same = basin({"verify", "out.h5", "--against", "again.h5"});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
}

TEST_F(Program, VerifyRepeatsARunAndNoticesAChange) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  const Outcome same = basin({"verify", "out.h5", "--quiet"});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  EXPECT_TRUE(contains(same.out, "bit for bit"));
  ASSERT_EQ(basin({"run", "small.toml", "--quiet", "--seed", "5", "--out", "other.h5"}).code, 0);
  const Outcome other = basin({"verify", "out.h5", "--against", "other.h5"});
  EXPECT_EQ(other.code, 1);
  EXPECT_TRUE(contains(other.out, "/average/v.h.weight")) << other.out;
}

TEST_F(Program, GuardDeviceEqualsTheProcessor) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet", "--out", "cpu.h5"}).code, 0);
  const Outcome guard = basin({"run", "small.toml", "--quiet", "--out", "guard.h5", "--device", "guard"});
  ASSERT_EQ(guard.code, 0) << guard.err;
  EXPECT_EQ(basin({"verify", "cpu.h5", "--against", "guard.h5"}).code, 0);
}

TEST_F(Program, SettingsMayStandBeforeOrAfterTheFile) {
  write("small.toml", small_experiment());
  ASSERT_EQ(
      basin({"run", "--set", "train.epochs=2", "evaluate.log_likelihood=none", "small.toml", "--quiet"}).code,
      0);
  const Outcome info = basin({"info", "out.h5"});
  EXPECT_TRUE(contains(info.out, "2 of 2 epochs")) << info.out;
}

TEST_F(Program, PlotsAndEvaluatesAFile) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  EXPECT_EQ(basin({"plot", "out.h5", "basis", "--sort-by-norm", "--scale", "global"}).code, 0);
  EXPECT_EQ(basin({"plot", "out.h5", "samples", "--chains", "9", "--steps", "3", "-o", "s.png"}).code, 0);
  EXPECT_EQ(basin({"plot", "out.h5", "curves", "-o", "c.svg"}).code, 0);
  EXPECT_EQ(bytes("c.svg").substr(0, 5), "<?xml");
  EXPECT_EQ(bytes("s.png").substr(1, 3), "PNG");
  const Outcome exact = basin({"eval", "out.h5", "--exact"});
  EXPECT_EQ(exact.code, 0) << exact.err;
  EXPECT_TRUE(contains(exact.out, "-3.4012")) << exact.out;  // -log 30
  const Outcome ais =
      basin({"eval", "out.h5", "--ais", "--chains", "10", "--temperatures", "10", "--no-reverse"});
  EXPECT_EQ(ais.code, 0) << ais.err;
  EXPECT_TRUE(contains(ais.out, "forward AIS") && !contains(ais.out, "reverse AIS")) << ais.out;
}

TEST_F(Program, EveryCommandHasHelpWithExamples) {
  for (const char* command : {"run", "info", "plot", "eval", "verify", "data"}) {
    const Outcome help = basin({command, "--help"});
    EXPECT_EQ(help.code, 0) << command;
    EXPECT_TRUE(contains(help.out, "Examples:") && contains(help.out, std::string("basin ") + command))
        << help.out;
  }
  EXPECT_EQ(basin({"--help"}).code, 0);
}

TEST_F(Program, ListsAndDescribesData) {
  const Outcome list = basin({"data", "list"});
  EXPECT_EQ(list.code, 0);
  for (const char* name : {"strokes", "mnist", "bars_and_stripes", "shifter"}) {
    EXPECT_TRUE(contains(list.out, name)) << list.out;
  }
  const Outcome info = basin({"data", "info", "bars_and_stripes"});
  EXPECT_EQ(info.code, 0);
  EXPECT_TRUE(contains(info.out, "30 samples of [4, 4]")) << info.out;
}

TEST_F(Program, EveryExperimentFileRuns) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(BASIN_EXPERIMENTS)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::string not_run;
  const std::vector<std::string> layout = layout_paths();
  ASSERT_GT(layout.size(), 40u);
  EXPECT_FALSE(is_laid_out("/experiment/colour", layout) || is_laid_out("/stages/main", layout));
  for (const std::filesystem::path& file : files) {
    SCOPED_TRACE(file.filename().string());
    const Outcome run = basin({"run", file.string(), "--single", "--smoke", "--quiet", "--out",
                               "results/" + file.stem().string() + ".h5"});
    if (run.code != 0 && std::getenv("BASIN_DATA") == nullptr) {
      // Where the data are not here, it says what to do.
      EXPECT_TRUE(contains(run.err, "set BASIN_DATA to the folder that holds it")) << run.err;
      not_run += " " + file.filename().string();
      continue;
    }
    EXPECT_EQ(run.code, 0) << run.err;
    const std::string results = "results/" + file.stem().string() + ".h5";
    EXPECT_EQ(basin({"info", results}).code, 0);
    std::istringstream datasets(basin({"info", results, "--datasets"}).out);
    for (std::string line; std::getline(datasets, line);) {
      std::istringstream words(line);
      std::string path;
      words >> path;
      EXPECT_TRUE(is_laid_out(path, layout)) << path << " is not in LAYOUT.md";
    }
  }
  if (!not_run.empty())
    GTEST_SKIP() << "BASIN_DATA is not set: without data sets these were not run:" << not_run;
}

}  // namespace
}  // namespace basin::test
