// Every write, fsync and rename of a run fails once, or is where the power is cut: what stands under the name
// of the results is the old file or the new one, whole, and people are told in one line.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "program/program_fixture.h"
#include "results/hdf5/store.h"

namespace basin::test {
namespace {

constexpr int kMost = 200;  // calls of one function in a run here

class FaultsOfFiles : public Program {
 protected:
  Outcome with_fault(const std::string& fault, const std::vector<std::string>& words) const {
    return basin(words,
                 {.environment = {"LD_PRELOAD=" BASIN_FAULTY, "ASAN_OPTIONS=verify_asan_link_order=0",
                                  "BASIN_FAULT=" + fault, "BASIN_FAULT_MARK=" + path("met").string()}});
  }

  /// The run again and again, each with a fault in a later call, until none is met. Returns how many there
  /// were.
  int with_a_fault_in_each(const std::string& function, const std::string& how,
                           const std::vector<std::string>& words) const {
    const std::string old = bytes("out.h5");
    for (int n = 1; n < kMost; ++n) {
      SCOPED_TRACE(function + " " + std::to_string(n) + " " + how);
      std::filesystem::remove_all(path("results"));
      write("out.h5", old);
      const Outcome run = with_fault(function + " " + std::to_string(n) + " " + how, words);
      if (!std::filesystem::remove(path("met"))) {
        EXPECT_EQ(run.code, 0) << run.err;
        return n - 1;
      }
      how == "kill" ? expect_killed(run) : expect_said(run);
      expect_old_or_new(old);
      if (HasFailure()) return n;
    }
    ADD_FAILURE() << "more calls than expected";
    return kMost;
  }

  static void expect_killed(const Outcome& run) { EXPECT_EQ(run.signal, SIGKILL); }

  /// One line and a failure, or, where the run can do without that file, none.
  void expect_said(const Outcome& run) const {
    EXPECT_EQ(run.signal, 0);
    if (run.code != 0) {
      EXPECT_EQ(run.code, 1);
      EXPECT_TRUE(run.err.starts_with("basin: ")) << run.err;
      EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
    }
    for (const std::string& name : files()) {
      EXPECT_FALSE(name.ends_with(".tmp") || name.ends_with(".lock")) << name;
    }
  }

  void expect_old_or_new(const std::string& old) const {
    if (bytes("out.h5") == old) return;
    Store store;
    ASSERT_NO_THROW(store = Store::load(path("out.h5").string()));
    EXPECT_EQ(store.integer("/experiment/seed"), 5);
  }
};

TEST_F(FaultsOfFiles, ASignalWhileTheProgramStartsIsAnsweredInWords) {
  write("small.toml", small_experiment());
  const Outcome run = with_fault("load 1", {"run", "small.toml", "--quiet"});
  EXPECT_EQ(run.code, 130) << run.signal;
  // It is seen at once or, where the run had begun by then, after a step.
  EXPECT_TRUE(run.err.starts_with("basin: interrupted")) << run.err;
}

TEST_F(FaultsOfFiles, LeaveTheOldFileOrTheNewOneOfOneStage) {
  write("run.toml", small_experiment());
  const std::vector<std::string> settings = {
      "--set", "train.epochs=3", "results.plots=[\"basis\", \"curves\"]", "results.checkpoint_seconds=0.001"};
  std::vector<std::string> first = {"run", "run.toml", "--quiet"},
                           again = {"run", "run.toml", "--quiet", "--force", "--seed", "5"};
  first.insert(first.end(), settings.begin(), settings.end());
  again.insert(again.end(), settings.begin(), settings.end());
  ASSERT_EQ(basin(first).code, 0);
  for (const char* function : {"write", "fsync", "rename"}) {
    for (const char* how : {"fail", "kill"})
      EXPECT_GE(with_a_fault_in_each(function, how, again), 4) << function;
  }
}

TEST_F(FaultsOfFiles, NoMemoryLeavesTheOldFileOrTheNewOne) {
  write("run.toml", small_experiment());
  ASSERT_EQ(basin({"run", "run.toml", "--quiet"}).code, 0);
  const std::string old = bytes("out.h5");
  // Before them the libraries start, which nobody survives; after them come as many as the run is long.
  constexpr int kFirst = 5000, kLast = 40000;
  for (int n = kFirst; n < kLast; n = n * 9 / 8) {
    SCOPED_TRACE(n);
    write("out.h5", old);
    const Outcome run =
        with_fault("new " + std::to_string(n), {"run", "run.toml", "--quiet", "--force", "--seed", "5"});
    EXPECT_TRUE(std::filesystem::remove(path("met")));
    EXPECT_EQ(run.code, 1);
    EXPECT_TRUE(run.err.starts_with("basin: [basin] out of memory")) << run.err;
    expect_said(run);
    expect_old_or_new(old);
  }
}

TEST_F(FaultsOfFiles, LeaveTheOldFileOrTheNewOneOfAPipeline) {
  write("run.toml", R"(seed = 4
head = { kind = "softmax" }
data = { name = "strokes", train = 60, test = 20 }
fine_tune = { epochs = 1, batch = 20, optimizer = { learning_rate = 0.1 } }
results = { file = "out.h5" }

[[stages]]
name = "first"
model = { kind = "autoencoder", codes = 8, units = "sigmoid" }
train = { epochs = 1, batch = 20 }
optimizer = { learning_rate = 0.1 }

[[stages]]
name = "second"
model = { hidden = 6 }
train = { epochs = 1, batch = 20 }
optimizer = { learning_rate = 0.1 }
evaluate = { log_likelihood = "none" }
)");
  ASSERT_EQ(basin({"run", "run.toml", "--quiet"}).code, 0);
  const std::vector<std::string> again = {"run", "run.toml", "--quiet", "--force", "--seed", "5"};
  for (const char* function : {"write", "fsync", "rename"}) {
    EXPECT_GE(with_a_fault_in_each(function, "fail", again), 6) << function;
  }
}

}  // namespace
}  // namespace basin::test
