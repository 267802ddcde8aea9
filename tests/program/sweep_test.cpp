// Many runs through the command line: kills, failures, selection and comparison.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "program/program_fixture.h"
#include "results/files/file_lock.h"
#include "results/hdf5/store.h"
#include "support/contains.h"
#include "tensor/key.h"

namespace basin::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kClassifier = R"(seed = 1
head = { kind = "softmax" }
data = { name = "strokes", train = 400, test = 100, validation = 60 }
results = { checkpoint_seconds = 0.02 }
[fine_tune]
epochs = 40
batch = 20
optimizer = { learning_rate = 0.1 }
)";

class Sweeps : public Program {
 protected:
  /// Names of the results files in a folder, sorted.
  std::vector<std::string> results(const std::string& folder) const {
    std::vector<std::string> names;
    if (!fs::exists(path(folder))) return names;
    for (const auto& entry : fs::directory_iterator(path(folder))) {
      if (entry.path().extension() == ".h5") names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::size_t complete(const std::string& folder) const {
    std::size_t count = 0;
    for (const std::string& name : results(folder))
      count += Store::load((path(folder) / name).string()).text("/experiment/status") == "complete";
    return count;
  }
  void expect_same(const std::string& a, const std::string& b) const {
    ASSERT_EQ(results(a), results(b));
    for (const std::string& name : results(a)) {
      const Outcome same = basin({"verify", a + "/" + name, "--against", b + "/" + name});
      EXPECT_EQ(same.code, 0) << same.out << same.err;
    }
  }
};

TEST_F(Sweeps, EveryChoiceIsRunOnceIntoAFileOfItsOwnAndIntoTheTable) {
  write("e.toml", std::string(kClassifier) + "[sweep]\nseed = [1, 2]\n\"fine_tune.epochs\" = [1, 2]\n");
  const Outcome first = basin({"sweep", "e.toml", "--jobs", "2"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(complete("results/e_sweep"), 4u);
  EXPECT_TRUE(contains(first.err, "4 of 4  seed-")) << first.err;
  const std::string table = bytes("results/e_sweep/sweep.csv");
  EXPECT_EQ(table.find("seed,fine_tune.epochs,status,test_error,file\n1,1,complete,0."), 0u) << table;
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 5);
  // Again: nothing is run.
  const std::string one = "results/e_sweep/" + results("results/e_sweep").front();
  const auto before = fs::last_write_time(path(one));
  const Outcome again = basin({"sweep", "e.toml", "--jobs", "2"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(contains(again.err, "4 of 4 runs are complete already")) << again.err;
  EXPECT_EQ(fs::last_write_time(path(one)), before);
  EXPECT_EQ(bytes("results/e_sweep/sweep.csv"), table);
  // One of them by hand is the same.
  ASSERT_EQ(basin({"run", "e.toml", "--single", "--quiet", "--set", "seed=2", "fine_tune.epochs=2", "--out",
                   "hand.h5"})
                .code,
            0);
  std::string twin;
  for (const std::string& name : results("results/e_sweep")) {
    if (name.starts_with("seed-2_epochs-2-")) twin = "results/e_sweep/" + name;
  }
  EXPECT_EQ(basin({"verify", "hand.h5", "--against", twin}).code, 0);
  std::vector<std::string> all = {"e.toml", "hand.h5", "results/e_sweep/sweep.csv"};
  for (const std::string& name : results("results/e_sweep")) all.push_back("results/e_sweep/" + name);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(files(), all);
}

TEST_F(Sweeps, KilledAtAnyMomentItGoesOnToTheSameFiles) {
  write("e.toml", std::string(kClassifier) + R"([sweep]
seed = [1, 2]
"fine_tune.optimizer.learning_rate" = [0.05, 0.1]
[select]
metric = "validation_error"
seeds = [1, 2]
)");
  const auto sweep = [&](const std::string& out, ProcessOptions options = {}) {
    return basin({"sweep", "e.toml", "--jobs", "2", "--threads", "2", "--quiet", "--out", out}, options);
  };
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(sweep("whole").code, 0);
  const auto whole =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
  int killed = 0;
  for (int i = 0; i < 12; ++i) {
    const auto draw = static_cast<std::int64_t>(Key(22).fold(static_cast<std::uint64_t>(i)).bits() >> 11);
    const int signals[] = {SIGKILL, SIGTERM, SIGINT};
    const Outcome part =
        sweep("part", {.signal_after_ms = static_cast<int>(draw % std::max<std::int64_t>(whole / 2, 1)),
                       .signal = signals[i % 3]});
    // A signal that comes before the program watches for it ends it like SIGKILL.
    ASSERT_TRUE(part.signal == signals[i % 3] || part.code == 0 || part.code == 130) << part.code << part.err;
    killed += part.code != 0;
    if (part.code != 0) continue;
    expect_same("whole", "part");
    fs::remove_all(path("part"));
  }
  EXPECT_GE(killed, 4);
  const Outcome last = sweep("part");
  ASSERT_EQ(last.code, 0) << last.err;
  expect_same("whole", "part");
  EXPECT_EQ(complete("part"), 6u);
  EXPECT_EQ(bytes("part/selected.csv").find("seed,status,test_error,file\n1,complete,0."), 0u);
  for (const std::string& name : files()) EXPECT_FALSE(name.ends_with(".tmp")) << name;
}

TEST_F(Sweeps, ARunThatFailsLeavesItsReasonAndTheOthersGoOn) {
  write("e.toml", std::string(kClassifier) + "[sweep]\n\"data.labels\" = [100, 5000, 200]\n");
  const Outcome outcome = basin({"sweep", "e.toml", "--quiet", "--out", "out"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(contains(outcome.err, "1 of 3 runs failed")) << outcome.err;
  EXPECT_EQ(complete("out"), 2u);
  const std::string table = bytes("out/sweep.csv");
  EXPECT_TRUE(contains(table, "5000,\"failed: [labels] expected 1 to 340 labels, received 5000\",-,"))
      << table;
}

TEST_F(Sweeps, TheBestByValidationIsRetrainedAndAloneSeesTheTestSamples) {
  write("e.toml", std::string(kClassifier) + R"(stop = { metric = "validation_error", patience = 2 }
[sweep]
seed = [1, 2]
"fine_tune.optimizer.weight_decay" = [0.001, 10]
[select]
metric = "validation_error"
seeds = [7, 8, 9]
)");
  const Outcome outcome = basin({"sweep", "e.toml", "--jobs", "2", "--quiet", "--out", "out"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "chosen       fine_tune.optimizer.weight_decay=0.001")) << outcome.out;
  std::size_t finals = 0;
  double epochs = 0.0;
  for (const std::string& name : results("out")) {
    const Store store = Store::load((path("out") / name).string());
    const bool is_final = name.starts_with("selected_seed-");
    finals += is_final;
    EXPECT_EQ(store.has("/select"), is_final) << name;
    EXPECT_EQ(store.has("/experiment/test_data"), is_final);
    for (const std::string& dataset : store.list("/stages/head/metrics"))
      EXPECT_FALSE(contains(dataset, "test")) << dataset;
    for (const std::string& dataset : store.list("/stages/head/evaluation"))
      EXPECT_EQ(contains(dataset, "validation"), !is_final && !contains(dataset, "train")) << dataset;
    if (!is_final) {
      if (contains(store.text("/experiment/resolved"), "weight_decay = 0.001"))
        epochs += static_cast<double>(store.integer("/stages/head/checkpoint/chosen_epoch")) / 2.0;
      continue;
    }
    EXPECT_TRUE(contains(store.text("/experiment/resolved"), "validation = 0"));
    EXPECT_EQ(store.texts("/select/settings"),
              (std::vector<std::string>{"fine_tune.optimizer.weight_decay=0.001",
                                        "fine_tune.optimizer.weight_decay=10"}));
    EXPECT_EQ(store.integer("/select/chosen"), 0);
    EXPECT_GT(store.number("/time/select_seconds"), 0.0);
    EXPECT_LT(store.numbers("/select/mean").at(0), store.numbers("/select/mean").at(1));
    const Outcome again = basin({"verify", "out/" + name, "--quiet"});
    EXPECT_EQ(again.code, 0) << again.out << again.err;
  }
  EXPECT_EQ(finals, 3u);
  for (const std::string& name : results("out")) {
    if (!name.starts_with("selected")) continue;
    const Store store = Store::load((path("out") / name).string());
    EXPECT_NEAR(static_cast<double>(store.integer("/stages/head/checkpoint/epoch")), epochs, 0.5 + 1e-9);
  }
  std::vector<std::string> selected = {"compare", "--csv", "t.csv"};
  for (const std::string& name : results("out")) {
    if (name.starts_with("selected")) selected.push_back("out/" + name);
  }
  ASSERT_EQ(basin(selected).code, 0);
  EXPECT_TRUE(contains(bytes("t.csv"), "pairs,trials,trial_seconds,seconds,updates\n")) << bytes("t.csv");
  EXPECT_TRUE(contains(bytes("t.csv"), ",3,-,-,-,2,")) << bytes("t.csv");  // of two trials
  // The selected runs against themselves and the trials.
  const Outcome refused = basin({"compare", "out"});
  EXPECT_EQ(refused.code, 1);
}

TEST_F(Sweeps, ForEachValueOfAKeyTheBestIsRetrained) {
  write("e.toml", std::string(kClassifier) + R"([sweep]
"data.labels" = [100, 300]
"fine_tune.optimizer.weight_decay" = [0.001, 10]
[select]
metric = "validation_error"
each = ["data.labels"]
seeds = [7, 8]
)");
  const Outcome outcome =
      basin({"sweep", "e.toml", "--jobs", "2", "--quiet", "--out", "out", "--set", "fine_tune.epochs=5"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const char* labels : {"100", "300"}) {
    const std::string setting = std::string("data.labels=") + labels;
    EXPECT_TRUE(contains(outcome.out, "chosen       " + setting + " fine_tune.optimizer.weight_decay=0.001"))
        << outcome.out;
    EXPECT_TRUE(contains(outcome.out, setting + " test_error 0.")) << outcome.out;
  }
  std::size_t finals = 0;
  for (const std::string& name : results("out")) {
    if (!name.starts_with("selected_labels-")) continue;
    ++finals;
    const Store store = Store::load((path("out") / name).string());
    const std::string labels = name.substr(16, 3);
    EXPECT_EQ(store.texts("/select/settings"),
              (std::vector<std::string>{"data.labels=" + labels + " fine_tune.optimizer.weight_decay=0.001",
                                        "data.labels=" + labels + " fine_tune.optimizer.weight_decay=10"}));
    EXPECT_TRUE(contains(store.text("/experiment/resolved"), "labels = " + labels)) << name;
  }
  EXPECT_EQ(finals, 4u);
  const std::string table = bytes("out/selected.csv");
  EXPECT_EQ(table.find("data.labels,seed,status,test_error,file\n100,7,complete,0."), 0u) << table;
  EXPECT_EQ(basin({"sweep", "e.toml", "--quiet", "--out", "out", "--set", "fine_tune.epochs=5"}).out,
            outcome.out);
}

TEST_F(Sweeps, ADamagedTrialIsMovedOutOfTheWayAndRunAgain) {
  write("e.toml", std::string(kClassifier) + R"([sweep]
"fine_tune.optimizer.learning_rate" = [0.05, 0.1]
[select]
metric = "validation_error"
)");
  const auto sweep = [&](const std::string& out) {
    return basin({"sweep", "e.toml", "--quiet", "--out", out, "--set", "fine_tune.epochs=3"});
  };
  ASSERT_EQ(sweep("whole").code, 0);
  fs::copy(path("whole"), path("part"));
  const std::vector<std::string> names = results("part");
  ASSERT_EQ(names.size(), 3u);
  // Cut short, one bit of it another, and no HDF5 at all: trials and the selected run alike.
  std::vector<std::string> broken;
  for (const std::string& name : names) broken.push_back(bytes("part/" + name));
  broken[0].resize(broken[0].size() / 2);
  broken[1][broken[1].size() / 2] = static_cast<char>(broken[1][broken[1].size() / 2] ^ 1);
  broken[2] = "nothing";
  for (std::size_t i = 0; i < 3; ++i) write("part/" + names[i], broken[i]);
  write("part/" + names[0] + ".damaged", "of an earlier time");
  const Outcome again = sweep("part");
  ASSERT_EQ(again.code, 0) << again.err;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string aside = names[i] + (i == 0 ? ".damaged.2" : ".damaged");
    EXPECT_TRUE(contains(again.err, names[i] + " is damaged: moved to part/" + aside)) << again.err;
    EXPECT_EQ(bytes("part/" + aside), broken[i]);
  }
  EXPECT_EQ(bytes("part/" + names[0] + ".damaged"), "of an earlier time");
  expect_same("whole", "part");
  EXPECT_EQ(sweep("part").err, "");  // once is enough
}

TEST_F(Sweeps, TheTableOfAFolderAndOfTwoRuns) {
  write("e.toml", std::string(kClassifier) + "[sweep]\nseed = [1, 2, 3]\n\"fine_tune.epochs\" = [1, 20]\n");
  ASSERT_EQ(basin({"sweep", "e.toml", "--jobs", "2", "--quiet", "--out", "out"}).code, 0);
  const Outcome table = basin({"compare", "out", "--by", "fine_tune.epochs", "--csv", "table.csv"});
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_TRUE(contains(table.out, "test_error of 6 runs")) << table.out;
  const std::string csv = bytes("table.csv");
  EXPECT_EQ(csv.find("fine_tune.epochs,mean,deviation,n,difference,standard_error,pairs,seconds,updates\n"),
            0u)
      << csv;
  EXPECT_TRUE(contains(csv, ",3,-,-,-,")) << csv;
  EXPECT_TRUE(contains(csv, ",17\n") && contains(csv, ",340\n")) << csv;
  const std::vector<std::string> all = results("out");
  const Outcome page =
      basin({"report", "out", "--by", "fine_tune.epochs", "--pictures", "1", "-o", "page.html"});
  EXPECT_EQ(page.code, 0) << page.err;
  EXPECT_TRUE(contains(bytes("page.html"), "Pictures are of the first 1 of")) << page.out;
  const Outcome two = basin({"compare", "out/" + all.at(0), "out/" + all.at(1)});
  EXPECT_EQ(two.code, 0) << two.err;
  EXPECT_TRUE(contains(two.out, "McNemar")) << two.out;
  ASSERT_EQ(
      basin({"run", "e.toml", "--single", "--quiet", "--set", "data.test=50", "--out", "other.h5"}).code, 0);
  expect_refusal({"compare", "out/" + all.at(0), "other.h5"}, "data.test is 100 and 50");
  expect_refusal({"compare", "out", "--by", "fine_tune.epoch"}, "did you mean 'fine_tune.epochs'");
  expect_refusal({"compare", "out", "--metric", "loss"}, "it holds");
}

TEST_F(Sweeps, TheTestThatTheFileChoseIsDoneAndDrawn) {
  write("e.toml", std::string(kClassifier) + R"([sweep]
seed = [1, 2, 3]
"data.labels" = [50, 200]
"fine_tune.epochs" = [1, 10]
[compare]
test = "bootstrap"
by = "fine_tune.epochs"
over = "data.labels"
reference = "10"
)");
  ASSERT_EQ(basin({"sweep", "e.toml", "--jobs", "2", "--quiet", "--out", "out"}).code, 0);
  const Outcome table = basin({"compare", "out", "--curve", "c.png", "--csv", "table.csv"});
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_TRUE(contains(table.out, "note         test bootstrap, as the experiments said before they ran"))
      << table.out;
  EXPECT_TRUE(contains(bytes("table.csv"), "pairs,low,high,p,p_holm,seconds,updates\n10,50,")) << table.out;
  EXPECT_TRUE(contains(bytes("c.csv"), "low (95 % interval by bootstrap)")) << bytes("c.csv");
  EXPECT_TRUE(fs::exists(path("c.png")));
  const Outcome other = basin({"compare", "out", "--test", "paired_t"});
  EXPECT_TRUE(contains(other.out, "chosen afterwards: test = paired_t (the files say bootstrap)"))
      << other.out;
  EXPECT_EQ(basin({"compare", "out", "--test", "t"}).code, 2);
  write("e.toml", std::string(kClassifier) +
                      "[sweep]\nseed = [1]\n[compare]\ntest = \"paired_t\"\nby = \"protocol\"\n");
  expect_refusal({"sweep", "e.toml"}, "[compare] by: expected a key of [sweep], received 'protocol'");
}

TEST_F(Sweeps, WhatMakesNoSenseIsSaidBeforeTheFirstRun) {
  write("plain.toml", kClassifier);
  expect_refusal({"sweep", "plain.toml"}, "use basin run");
  write("e.toml", std::string(kClassifier) + "[sweep]\n\"fine_tune.epoch\" = [1]\n");
  expect_refusal({"run", "e.toml"}, "use basin sweep");
  expect_refusal({"sweep", "e.toml"}, "e.toml:10:1: [fine_tune] unknown key 'epoch'");
  write("metric.toml",
        std::string(kClassifier) + "[sweep]\nseed = [1, 2]\n[select]\nmetric = \"validation_eror\"\n");
  const Outcome metric = basin({"sweep", "metric.toml", "--quiet", "--set", "fine_tune.epochs=1"});
  EXPECT_EQ(metric.code, 1);
  EXPECT_TRUE(contains(metric.err, "validation_error")) << metric.err;
  EXPECT_EQ(results("results/metric_sweep").size(), 1u);  // known by the first
}

TEST_F(Sweeps, TwoSweepsDoNotShareAFolder) {
  write("e.toml", std::string(kClassifier) + "[sweep]\nseed = [1, 2]\n");
  fs::create_directories(path("out"));
  const auto held = FileLock::take((path("out") / "sweep.csv.lock").string(), [] { return false; });
  ASSERT_NE(held, nullptr);
  expect_refusal({"sweep", "e.toml", "--out", "out"}, "is being written by another");
}

TEST_F(Sweeps, AFileThatAnotherProcessWritesIsWaitedFor) {
  write("e.toml", std::string(kClassifier) + "[sweep]\nseed = [1]\n\"fine_tune.epochs\" = [1]\n");
  ASSERT_EQ(basin({"sweep", "e.toml", "--quiet", "--out", "first"}).code, 0);
  const std::string name = results("first").front();
  fs::create_directories(path("out"));
  auto held = FileLock::take((path("out") / (name + ".lock")).string(), [] { return false; });
  std::thread release([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    held.reset();
  });
  const Outcome outcome = basin({"sweep", "e.toml", "--quiet", "--out", "out"});
  release.join();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  expect_same("first", "out");
}

TEST_F(Sweeps, TheCommittedSweepRuns) {
  const Outcome outcome = basin({"sweep", BASIN_EXPERIMENTS "/strokes_select.toml", "--smoke", "--quiet",
                                 "--set", "sweep.seed=[1]", "select.seeds=[2]"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "chosen       fine_tune.optimizer.weight_decay=")) << outcome.out;
  EXPECT_TRUE(fs::exists(path("results/strokes_select_sweep_smoke/selected.csv")));
}

}  // namespace
}  // namespace basin::test
