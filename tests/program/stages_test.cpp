// Experiments of several stages through the command line: kills in every stage, processes beside each other,
// and files of an older and of a newer basin.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "program/program_fixture.h"
#include "results/hdf5/store.h"
#include "support/contains.h"
#include "tensor/key.h"

namespace basin::test {
namespace {

namespace fs = std::filesystem;
using Stages = Program;

constexpr const char* kStack = R"(seed = 11
protocol = "layerwise_fine_tune"
head = { kind = "softmax" }
data = { name = "strokes", scale = "stochastic", train = 600, test = 100 }
fine_tune = { epochs = 12, batch = 20, optimizer = { kind = "adam", learning_rate = 0.003, rates = { first = 0.5 } } }
results = { file = "out.h5", checkpoint_seconds = 0.02 }

[[stages]]
name = "first"
model = { hidden = 32 }
train = { objective = "pcd", epochs = 12, batch = 20 }
optimizer = { learning_rate = 0.05, momentum = 0.5, average = { from = 0.3 } }
evaluate = { log_likelihood = "none" }

[[stages]]
name = "second"
model = { hidden = 32 }
train = { objective = "cd", epochs = 12, batch = 20 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }
)";

TEST_F(Stages, KilledInEveryStageAndResumedEqualsTheUnbrokenRun) {
  write("run.toml", kStack);
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(basin({"run", "run.toml", "--quiet", "--no-cache", "--out", "unbroken.h5"}).code, 0);
  const auto whole =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
  constexpr int kLeast = 12, kMost = 80;  // kills: until every stage was hit
  std::set<std::string> begun;            // the last stage in the file, after a kill
  for (int i = 0; i < kMost && (i < kLeast || begun.size() < 3); ++i) {
    const auto draw = static_cast<std::int64_t>(Key(21).fold(static_cast<std::uint64_t>(i)).bits() >> 11);
    const auto moment = static_cast<int>(draw % std::max<std::int64_t>(whole * 3 / 4, 1));
    const bool cached = i % 2 == 0;  // what is in the cache, whole or not, must not show
    std::vector<std::string> words = {"run", "run.toml", "--quiet", "--resume"};
    if (!cached) words.push_back("--no-cache");
    const Outcome outcome = basin(words, {.signal_after_ms = moment, .signal = SIGKILL});
    ASSERT_TRUE(outcome.signal == SIGKILL || outcome.code == 0) << outcome.err;
    if (!fs::exists(path("out.h5"))) continue;
    const Outcome info = basin({"info", "out.h5"});
    ASSERT_EQ(info.code, 0) << info.err;  // readable at any moment
    for (const char* stage : {"head", "second", "first"}) {
      if (!contains(info.out, std::string("stage ") + stage)) continue;
      if (outcome.signal == SIGKILL) begun.emplace(stage);
      break;
    }
    if (contains(info.out, "out.h5: complete")) {
      const Outcome same = basin({"verify", "unbroken.h5", "--against", "out.h5"});
      ASSERT_EQ(same.code, 0) << same.out << same.err;
      fs::remove(path("out.h5"));
      fs::remove_all(path("results"));
    }
  }
  ASSERT_EQ(basin({"run", "run.toml", "--quiet", "--resume"}).code, 0);
  const Outcome same = basin({"verify", "unbroken.h5", "--against", "out.h5"});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  for (const char* stage : {"first", "second", "head"}) {
    EXPECT_TRUE(begun.contains(stage)) << "no kill in " << stage;
  }
}

TEST_F(Stages, TwoProcessesTrainAStageOnce) {
  write("run.toml", kStack);
  Outcome one, two;
  std::thread other([&] { two = basin({"run", "run.toml", "--out", "two.h5"}); });
  one = basin({"run", "run.toml", "--out", "one.h5"});
  other.join();
  ASSERT_EQ(one.code, 0) << one.err;
  ASSERT_EQ(two.code, 0) << two.err;
  EXPECT_EQ(basin({"verify", "one.h5", "--against", "two.h5"}).code, 0);
  EXPECT_TRUE(contains(one.err + two.err, "taken from the cache")) << one.err << two.err;
  const auto is_left = [](const std::string& name) {
    return contains(name, ".lock") || contains(name, ".tmp");
  };
  const std::vector<std::string> all = files();
  EXPECT_TRUE(std::none_of(all.begin(), all.end(), is_left));
}

TEST_F(Stages, AFullDiskStopsTheCacheAndNotTheRun) {
  write("run.toml", kStack);
  // Features of 20,000 x 32 numbers are larger than the results file.
  const Outcome run = basin({"run", "run.toml", "--out", "a.h5", "--set", "data.train=20000",
                             "stages.0.train.epochs=1", "stages.1.train.epochs=1", "fine_tune.epochs=1"},
                            {.largest_file = 1200000});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(contains(run.err, "the run goes on without it")) << run.err;
  EXPECT_EQ(basin({"run", "run.toml", "--quiet", "--out", "b.h5", "--no-cache", "--set", "data.train=20000",
                   "stages.0.train.epochs=1", "stages.1.train.epochs=1", "fine_tune.epochs=1"})
                .code,
            0);
  EXPECT_EQ(basin({"verify", "a.h5", "--against", "b.h5"}).code, 0);
}

TEST_F(Stages, EachHasItsPicturesAndMeasures) {
  write("run.toml", kStack);
  ASSERT_EQ(basin({"run", "run.toml", "--quiet", "--set", "stages.first.results.plots=[\"basis\"]"}).code, 0);
  EXPECT_TRUE(fs::exists(path("out_first_basis.png")));
  EXPECT_EQ(basin({"plot", "out.h5", "curves"}).code, 0);  // of the head, the last
  EXPECT_EQ(basin({"plot", "out.h5", "samples", "--stage", "second", "--steps", "3", "--chains", "4"}).code,
            0);
  EXPECT_TRUE(fs::exists(path("out_curves.png")) && fs::exists(path("out_second_samples.png")));
  const Outcome head = basin({"eval", "out.h5"});
  EXPECT_TRUE(head.code == 0 && contains(head.out, "% wrong")) << head.out << head.err;
  const Outcome likelihood =
      basin({"eval", "out.h5", "--stage", "first", "--ais", "--chains", "5", "--temperatures", "5"});
  EXPECT_TRUE(likelihood.code == 0 && contains(likelihood.out, "forward AIS"))
      << likelihood.out << likelihood.err;
  expect_refusal({"plot", "out.h5", "basis", "--stage", "third"}, "first, second, head");
}

TEST_F(Stages, FilesOfVersionOneOpenForInfoAndPlot) {
  fs::copy_file(fs::path(BASIN_EXPERIMENTS) / "../tests/program/data/version_1.h5", path("old.h5"));
  const std::string before = bytes("old.h5");
  const Outcome info = basin({"info", "old.h5"});
  ASSERT_EQ(info.code, 0) << info.err;
  for (const char* part : {"complete", "2 of 2 epochs", "v.h.weight", "exact", "test_log_likelihood"}) {
    EXPECT_TRUE(contains(info.out, part)) << part << " in " << info.out;
  }
  EXPECT_EQ(basin({"plot", "old.h5", "basis"}).code, 0);
  EXPECT_EQ(basin({"plot", "old.h5", "curves"}).code, 0);
  write("old.toml", basin({"info", "old.h5", "--toml"}).out);
  expect_refusal({"run", "old.toml", "--out", "old.h5", "--resume"}, "old");
  EXPECT_EQ(bytes("old.h5"), before);
}

TEST_F(Stages, FilesOfANewerVersionAreRefused) {
  Store newer = Store::load((fs::path(BASIN_EXPERIMENTS) / "../tests/program/data/version_1.h5").string());
  newer.attribute("", "format_version", std::int64_t{3});
  newer.save(path("new.h5").string());
  expect_refusal({"info", "new.h5"}, "newer basin");
  expect_refusal({"plot", "new.h5", "basis"}, "newer basin");
}

}  // namespace
}  // namespace basin::test
