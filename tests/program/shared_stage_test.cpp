// A stage that several runs begin with is trained by one of them, whatever becomes of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "program/program_fixture.h"
#include "results/compare.h"
#include "results/files/file_lock.h"
#include "results/hdf5/store.h"
#include "support/contains.h"

namespace basin::test {
namespace {

namespace fs = std::filesystem;
using Milliseconds = std::chrono::milliseconds;

constexpr const char* kStack = R"(seed = 3
head = { kind = "softmax" }
data = { name = "strokes", train = 400, test = 100 }
fine_tune = { epochs = 2, batch = 20, optimizer = { learning_rate = 0.1 } }
results = { checkpoint_seconds = 0.02 }
[[stages]]
name = "first"
model = { hidden = 32 }
train = { objective = "cd", epochs = 4, batch = 20 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }
)";

class SharedStages : public Program {
 protected:
  std::vector<fs::path> ending(const std::string& folder, const std::string& end) const {
    std::vector<fs::path> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(path(folder), none)) {
      if (entry.path().filename().string().ends_with(end)) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  /// The number of the process that has the lock of a stage, when it is another than `before`; 0 after 20 s.
  std::int64_t holder(std::int64_t before = 0) const {
    for (int i = 0; i < 4000; ++i) {
      for (const fs::path& lock : ending("results/cache", ".lock")) {
        if (const std::int64_t now = FileLock::holder(lock.string()); now > 0 && now != before) return now;
      }
      std::this_thread::sleep_for(Milliseconds(5));
    }
    return 0;
  }
  std::size_t trained_stages() const {
    const auto all = ending("results/cache", ".h5");
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const fs::path& file) {
      return file.stem().string().find('.') == std::string::npos;  // and not KEY.train.h5
    }));
  }
};

TEST_F(SharedStages, OneThatIsKilledFreesTheStageForTheOneThatWaits) {
  write("run.toml", kStack);
  const auto run = [&](const std::string& out) {  // longer than any test
    return basin({"run", "run.toml", "--out", out + ".h5", "--set", "stages.first.train.epochs=1000000"},
                 {.err = path(out + ".txt").string()});
  };
  Outcome first, second;
  std::thread one([&] { first = run("one"); });
  const std::int64_t its = holder();
  std::thread two([&] { second = run("two"); });
  const std::string waits = "waiting for process " + std::to_string(its) + " that makes stage first";
  for (int i = 0; i < 4000 && !contains(bytes("two.txt"), waits); ++i)
    std::this_thread::sleep_for(Milliseconds(5));
  if (its > 0) kill(static_cast<pid_t>(its), SIGKILL);
  const std::int64_t next = holder(its);
  if (next > 0) kill(static_cast<pid_t>(next), SIGKILL);
  one.join();
  two.join();
  EXPECT_EQ(first.signal, SIGKILL);
  EXPECT_EQ(second.signal, SIGKILL);
  const std::string said = bytes("two.txt");
  EXPECT_TRUE(contains(said, waits)) << said;
  EXPECT_EQ(said.find("waiting for"), said.rfind("waiting for")) << said;
}

TEST_F(SharedStages, ACacheThatCannotBeWrittenStopsNoRun) {
  write("run.toml", kStack);
  fs::create_directories(path("results"));
  fs::create_directory_symlink("/proc", path("results/cache"));  // where nobody makes files
  const Outcome run = basin({"run", "run.toml", "--out", "a.h5"});
  ASSERT_EQ(run.code, 0) << run.err;
  const std::string said = "the run goes on without it";
  EXPECT_TRUE(contains(run.err, said) && run.err.find(said) == run.err.rfind(said)) << run.err;
}

TEST_F(SharedStages, RunsOfOtherLabelsShareTheStageAndNotTheCodesOfTheirLabels) {
  write("run.toml", kStack);
  const auto run = [&](const std::string& out, const std::string& labels_seed, bool cached) {
    std::vector<std::string> words = {"run",
                                      "run.toml",
                                      "--quiet",
                                      "--out",
                                      out,
                                      "--set",
                                      "protocol=layerwise_frozen",
                                      "head={ kind = \"label_rbm\", hidden = 20 }",
                                      "data.labels=60",
                                      "data.labels_seed=" + labels_seed};
    if (!cached) words.insert(words.begin() + 2, "--no-cache");
    return basin(words);
  };
  ASSERT_EQ(run("one.h5", "1", true).code, 0);
  const Outcome two = run("two.h5", "2", true);
  ASSERT_EQ(two.code, 0) << two.err;
  ASSERT_EQ(run("alone.h5", "2", false).code, 0);
  EXPECT_EQ(trained_stages(), 1u);
  const Outcome same = basin({"verify", "two.h5", "--against", "alone.h5"});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
}

TEST_F(SharedStages, WhatItTookIsOnRecordOfThoseThatHadItFromTheCache) {
  write("run.toml", kStack);
  ASSERT_EQ(basin({"run", "run.toml", "--quiet", "--out", "a.h5"}).code, 0);
  ASSERT_EQ(basin({"run", "run.toml", "--quiet", "--out", "b.h5", "--set", "fine_tune.epochs=3"}).code, 0);
  const Store a = Store::load(path("a.h5").string()), b = Store::load(path("b.h5").string());
  const char* first = "/time/stages/first/train_seconds";
  EXPECT_GT(a.number(first), 0.0);
  EXPECT_EQ(a.number(first), b.number(first));
  EXPECT_NEAR(a.number("/time/train_seconds"), a.number(first) + a.number("/time/stages/head/train_seconds"),
              1e-9);
  EXPECT_NEAR(b.number("/time/train_seconds"), b.number("/time/stages/head/train_seconds"), 1e-9);
  EXPECT_FALSE(b.has("/stages/first/train_seconds"));
  const Outcome table = basin({"compare", "a.h5", "b.h5", "--csv", "t.csv"});
  EXPECT_TRUE(contains(bytes("t.csv"), ",120\n") && contains(bytes("t.csv"), ",140\n")) << bytes("t.csv");
}

// The row "sweep" of what must be shown.
TEST_F(SharedStages, ASweepOfTwentyFourRunsKilledTwiceEqualsTheUndisturbedOne) {
  write("e.toml", std::string(kStack) + R"([sweep]
seed = [1, 2]
"data.labels" = [50, 100, 200]
protocol = ["layerwise_frozen", "layerwise_fine_tune"]
"fine_tune.optimizer.learning_rate" = [0.05, 0.1]
)");
  const auto sweep = [&](const std::string& out, ProcessOptions options = {}) {
    return basin({"sweep", "e.toml", "--jobs", "2", "--threads", "2", "--quiet", "--out", out}, options);
  };
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(sweep("whole").code, 0);
  const auto whole = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(ending("whole", ".h5").size(), 24u);
  EXPECT_EQ(trained_stages(), 2u);  // a stage a seed
  fs::remove_all(path("results/cache"));
  // Early enough on a machine that has become several times as fast.
  const int sixth = static_cast<int>(std::chrono::duration_cast<Milliseconds>(whole).count() / 6);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(sweep("part", {.signal_after_ms = sixth, .signal = SIGKILL}).signal, SIGKILL);
  ASSERT_EQ(sweep("part").code, 0);
  EXPECT_EQ(trained_stages(), 2u);
  const auto all = ending("whole", ".h5");
  ASSERT_EQ(ending("part", ".h5").size(), 24u);
  for (const fs::path& file : all) {
    const Store again = Store::load((path("part") / file.filename()).string());
    EXPECT_EQ(differences(Store::load(file.string()), again), std::vector<std::string>{}) << file;
  }
}

}  // namespace
}  // namespace basin::test
