// Bad input and faults through the command line: one clear line, a non-zero exit, nothing half-written.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <limits>
#include <thread>

#include "program/program_fixture.h"
#include "results/hdf5/store.h"

namespace basin::test {
namespace {

using Faults = Program;

TEST_F(Faults, WrongCommandLinesExitWithTwo) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"rum"},
                                             {"run"},
                                             {"run", "a.toml", "b.toml"},
                                             {"run", "a.toml", "--sed", "3"},
                                             {"run", "--ou", "x", "a.toml"},
                                             {"plot", "x.h5", "pie"},
                                             {"eval", "x.h5", "--ais", "--exact"},
                                             {"data", "fetch"}}) {
    const Outcome outcome = basin(words);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("basin: ")) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
  write("small.toml", small_experiment());
  EXPECT_EQ(basin({"run", "small.toml", "--seed", "x"}).code, 2);
  EXPECT_EQ(basin({"run", "small.toml", "--threads", "0"}).code, 2);
}

TEST_F(Faults, ExperimentFilesThatMakeNoSense) {
  expect_refusal({"run", "absent.toml"}, "absent.toml");
  write("broken.toml", "seed = 1\ndata = { name = \n");
  expect_refusal({"run", "broken.toml"}, "broken.toml:2:");
  write("binary.toml", std::string("\x89HDF\r\n\x1a\n\0\0\0", 11));
  expect_refusal({"run", "binary.toml"}, "binary.toml:1:");
  write("small.toml", small_experiment());
  expect_refusal({"run", "small.toml", "--set", "train.epoch=3"}, "epochs");
  expect_refusal({"run", "small.toml", "--set", "train.epochs=\"many\""}, "epochs");
  expect_refusal({"run", "small.toml", "--set", "data.name=mnits"}, "mnist");
  expect_refusal({"run", "small.toml", "--set", "optimizer.learning_rate=-1"}, "learning_rate");
  expect_refusal({"run", "small.toml", "--set", "train.batch=1000"}, "batch");
  expect_refusal({"run", "small.toml", "--set", "model.hidden=1000000000000"}, "");
  expect_refusal({"run", "small.toml", "--device", "abacus"}, "abacus");
  expect_refusal({"run", "small.toml", "--out", "/proc/no/such/x.h5"}, "/proc/no");
  std::string few = small_experiment();
  few.replace(few.find(", batch = 10"), std::string(", batch = 10").size(), "");
  write("few.toml", few);  // whose batch nobody wrote: the message says what to write
  expect_refusal({"run", "few.toml"}, "expected the 100 samples of a batch");
  write("typo.toml", "sed = 3\n" + small_experiment());
  expect_refusal({"run", "typo.toml"}, "seed");
}

TEST_F(Faults, TablesThatAreTooDeepAreRefused) {
  std::string deep = "a";
  for (int i = 0; i < 10000; ++i) deep += ".a";
  write("deep.toml", small_experiment() + deep + " = 1\n");
  expect_refusal({"run", "deep.toml"}, "deep.toml:8:");
  write("small.toml", small_experiment());
  expect_refusal({"run", "small.toml", "--set", deep + "=1"}, "64 deep");
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  Store store = Store::load(path("out.h5").string());
  store.put_text("/experiment/resolved", deep + " = 1\n");
  store.save(path("out.h5").string());
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"info", "out.h5"}, {"plot", "out.h5", "basis"}, {"eval", "out.h5"}, {"verify", "out.h5"}}) {
    expect_refusal(words, "64 deep");
  }
}

TEST_F(Faults, ReportsOfWhatCannotBeReadOrWritten) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  EXPECT_EQ(basin({"report"}).code, 2);
  expect_refusal({"report", "out.h5", "-o", "nowhere/page.html"}, "nowhere/page.html");
  std::filesystem::create_directories(path("empty"));
  expect_refusal({"report", "empty"}, "expected results files in empty");
  Store store = Store::load(path("out.h5").string());
  store.put_text("/experiment/status", "training");
  store.save(path("part.h5").string());
  expect_refusal({"report", "out.h5", "part.h5"}, "received part.h5, which is not (training)");
  store.attribute("", "format_version", std::int64_t{99});
  store.save(path("newer.h5").string());
  expect_refusal({"report", "newer.h5"}, "received 99; a newer basin wrote it");
  expect_refusal({"report", "out.h5", "out.h5", "--metric", "colour"}, "received 'colour'");
  // A page that could not be written leaves the earlier one.
  ASSERT_EQ(basin({"report", "out.h5", "-o", "page.html"}).code, 0);
  const std::string before = bytes("page.html");
  EXPECT_EQ(basin({"report", "out.h5", "-o", "page.html"}, {.largest_file = 4096}).code, 1);
  EXPECT_EQ(bytes("page.html"), before);
}

TEST_F(Faults, NumbersBeyondAllMeasureAreRefused) {
  write("small.toml", small_experiment());
  for (const std::string key : {"train.epochs", "train.batch", "model.hidden"}) {
    expect_refusal({"run", "small.toml", "--set", key + "=9223372036854775807"},
                   "at most 1000000000, received 9223");
  }
  expect_refusal({"run", "small.toml", "--set", "data.name=strokes", "data.train=9223372036854775807"},
                 "at most 1000000000, received 9223");
  expect_refusal({"run", "small.toml", "--set", "data.validation=9223372036854775807"},
                 "between 0 and 1000000000");
  for (const char* key : {"train.chains", "evaluate.ais.chains", "results.sample_chains", "model.hidden"}) {
    expect_refusal({"run", "small.toml", "--set", "data.name=strokes", std::string(key) + "=1000000000"},
                   std::string("[rbm] ") + key + " = 1000000000: expected what fits into half");
  }
  expect_refusal({"run", "small.toml", "--threads", "1025"}, "expected 1 to 1024 threads, received ");
  const Outcome wrapped = basin({"run", "small.toml", "--threads", "4294967297"});  // 1 in 32 bits
  EXPECT_EQ(wrapped.code, 2);
  EXPECT_NE(wrapped.err.find("at most 1000000000, received '4294967297'"), std::string::npos) << wrapped.err;
}

TEST_F(Faults, ThreadsAreRecordedAndTooManyOfThemSaid) {
  write("small.toml", small_experiment());
  const Outcome many = basin({"run", "small.toml", "--threads", "64", "--set", "train.epochs=1", "--quiet"});
  EXPECT_EQ(many.code, 0) << many.err;
  EXPECT_TRUE(many.err.starts_with("warning: 64 threads on ")) << many.err;
  EXPECT_EQ(Store::load(path("out.h5").string()).integer("/environment/threads"), 64);
}

TEST_F(Faults, DebugSaysMore) {
  const Outcome outcome = basin({"run", "absent.toml", "--debug"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("basin::Error"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("run absent.toml --debug"), std::string::npos) << outcome.err;
}

TEST_F(Faults, DataFilesThatLie) {
  std::filesystem::create_directories(path("mnist"));
  const std::string magic("\0\0\x08\x03", 4);
  const std::string lying = magic + std::string("\x7f\xff\xff\xff\x7f\xff\xff\xff\0\0\0\x1c", 12);
  write("mnist/train-images-idx3-ubyte", lying);
  write("mnist/train-labels-idx1-ubyte", lying);
  write("mnist/t10k-images-idx3-ubyte", lying);
  write("mnist/t10k-labels-idx1-ubyte", lying);
  write("small.toml", small_experiment());
  const ProcessOptions here{.environment = {"BASIN_DATA=."}};
  expect_refusal({"run", "small.toml", "--set", "data.name=mnist"}, "idx", here);
  expect_refusal({"run", "small.toml", "--set", "data.name=mnist"}, "basin data fetch mnist",
                 {.environment = {"BASIN_DATA=/nowhere"}});
}

TEST_F(Faults, ResultsFilesThatAreNoneOrCutShort) {
  write("small.toml", small_experiment());
  write("notes.h5", "these are notes\n");
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  const std::string whole = bytes("out.h5");
  write("cut.h5", whole.substr(0, whole.size() / 2));
  write("empty.h5", "");
  for (const std::string file : {"notes.h5", "cut.h5", "empty.h5", "absent.h5"}) {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"info", file},
                                               {"plot", file, "basis"},
                                               {"eval", file, "--ais"},
                                               {"verify", file},
                                               {"report", file}}) {
      expect_refusal(words, file);
    }
  }
  // Whatever stands under the name of the results stays as it is.
  for (const std::string file : {"notes.h5", "cut.h5", "empty.h5"}) {
    const std::string before = bytes(file);
    expect_refusal({"run", "small.toml", "--out", file}, file);
    expect_refusal({"run", "small.toml", "--out", file, "--resume"}, file);
    EXPECT_EQ(bytes(file), before);
  }
}

TEST_F(Faults, ResumeRefusesAnotherExperimentAndLeavesACompleteFileAlone) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  const std::string before = bytes("out.h5");
  expect_refusal({"run", "small.toml", "--resume", "--seed", "5"}, "seed");
  expect_refusal({"run", "small.toml", "--resume", "--set", "train.epochs=20"}, "epochs");
  const Outcome again = basin({"run", "small.toml", "--resume"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.out.find("complete already"), std::string::npos) << again.out;
  EXPECT_EQ(bytes("out.h5"), before);
}

/// What a run that was stopped in the middle leaves in out.h5.
class StoppedRun : public Program {
 protected:
  StoppedRun() {
    write("long.toml", small_experiment());
    const Outcome stopped = basin(command_, {.signal_after_ms = 700, .signal = SIGINT});
    EXPECT_EQ(stopped.code, 130) << stopped.err;
    resume_.push_back("--resume");
  }
  /// Expects that a file with one dataset changed is not resumed.
  void expect_refused(const std::string& dataset, std::vector<std::int64_t> values, const std::string& part) {
    Store store = Store::load(path("out.h5").string());
    const Shape shape = store.shape(dataset);
    store.put(dataset, std::move(values), shape);
    const std::string whole = bytes("out.h5");
    store.save(path("out.h5").string());
    expect_refusal(resume_, part);
    write("out.h5", whole);
  }

  std::vector<std::string> command_ = {"run",   "long.toml",           "--quiet",
                                       "--set", "train.epochs=100000", "evaluate.log_likelihood=none"};
  std::vector<std::string> resume_ = command_;
};

TEST_F(StoppedRun, IsNotResumedFromDamagedNumbers) {
  const std::string whole = bytes("out.h5");
  const Store store = Store::load(path("out.h5").string());
  const Tensor particles = store.tensor("/stages/main/carry/particles.v");
  const std::string numbers(static_cast<const char*>(particles.data()), 16);
  ASSERT_NE(whole.find(numbers), std::string::npos);
  std::string bad = whole;
  bad[whole.find(numbers) + 2] = static_cast<char>(bad[whole.find(numbers) + 2] ^ 64);
  write("out.h5", bad);
  expect_refusal(resume_, "the file is damaged");
  expect_refusal({"info", "out.h5"}, "the file is damaged");
  EXPECT_EQ(bytes("out.h5"), bad);
}

TEST_F(StoppedRun, TensorsThatAreNotFiniteAreNamedWithTheirFile) {
  const std::string whole = bytes("out.h5");
  for (const std::string tensor :
       {"parameters/v.h.weight", "carry/particles.v", "average/h.bias", "optimizer/velocity.v.bias"}) {
    write("out.h5", whole);
    Store store = Store::load(path("out.h5").string());
    const std::string at = "/stages/main/" + tensor;
    if (tensor.starts_with("average")) store.put(at, store.tensor("/stages/main/parameters/h.bias"));
    ASSERT_TRUE(store.has(at)) << at;
    const Tensor bad = store.tensor(at);
    bad.rows(1, 2).fill(std::numeric_limits<double>::quiet_NaN());
    store.put(at, bad);
    store.save(path("out.h5").string());
    const std::string said = "out.h5: /" + tensor + " holds a number that is not finite";
    expect_refusal(resume_, said);
    if (tensor.starts_with("carry") || tensor.starts_with("parameters"))
      expect_refusal({"plot", "out.h5", "samples"}, said);
  }
}

TEST_F(StoppedRun, SaysAndRecordsThatItGoesOnWithOtherThreads) {
  std::vector<std::string> other = resume_;
  other.insert(other.begin() + 2, {"--threads", "2"});
  const Outcome resumed = basin(other, {.signal_after_ms = 700, .signal = SIGINT});
  EXPECT_EQ(resumed.code, 130) << resumed.err;
  EXPECT_NE(resumed.err.find("has steps by 1 threads and goes on with 2"), std::string::npos) << resumed.err;
  const Store store = Store::load(path("out.h5").string());
  EXPECT_EQ(store.integer("/environment/threads"), 2);
  EXPECT_NE(store.texts("/environment/earlier").at(0).find("threads 1"), std::string::npos);
}

TEST_F(StoppedRun, IsNotResumedWithStepsThatCannotBe) {
  const std::string at = "/stages/main/checkpoint/";
  const Index step = Store::load(path("out.h5").string()).integer(at + "step");
  expect_refused(at + "step", {-5}, "step -5");
  expect_refused(at + "step", {std::int64_t{1} << 40}, "of 100000 epochs of 3 steps");
  expect_refused(at + "step", {step + 300}, "of 100000 epochs of 3 steps");
  expect_refused(at + "step", {0}, "before the first step");
  expect_refused(at + "epoch", {step}, "epochs");
  Store store = Store::load(path("out.h5").string());
  const std::string metrics = "/stages/main/metrics/step/step";
  std::vector<std::int64_t> moments = store.integers(metrics);
  moments.back() = step + 1;
  expect_refused(metrics, moments, "metrics of step");
}

TEST_F(Faults, ALinkToNothingIsNotReplaced) {
  write("small.toml", small_experiment());
  std::filesystem::create_symlink("elsewhere.h5", path("out.h5"));
  const Outcome run = basin({"run", "small.toml", "--quiet"});
  EXPECT_EQ(run.code, 1);
  EXPECT_EQ(run.err,
            "basin: [write] expected the name of a file, received 'out.h5', a link to what is not there; "
            "make its target, or remove the link\n");
  EXPECT_TRUE(std::filesystem::is_symlink(path("out.h5")));
}

TEST_F(Faults, TwoRunsDoNotWriteToOneFile) {
  write("long.toml", small_experiment());
  const std::vector<std::string> command = {"run",   "long.toml",           "--quiet",
                                            "--set", "train.epochs=100000", "evaluate.log_likelihood=none"};
  Outcome first;
  std::thread other([&] { first = basin(command, {.signal_after_ms = 2500, .signal = SIGINT}); });
  for (int i = 0; i < 100 && !std::filesystem::exists(path("out.h5.lock")); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  for (const char* option : {"--quiet", "--force", "--resume"}) {
    expect_refusal({"run", "long.toml", "--seed", "5", option}, "out.h5 is being written by another run");
  }
  other.join();
  EXPECT_EQ(first.code, 130) << first.err;
  EXPECT_EQ(Store::load(path("out.h5").string()).integer("/experiment/seed"), 4);
  EXPECT_EQ(files(), (std::vector<std::string>{"long.toml", "out.h5"}));
}

TEST_F(Faults, ARunNeedsNobodyToListen) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet", "--out", "heard.h5"}).code, 0);
  for (const char* err : {"/dev/full", "-"}) {
    EXPECT_EQ(basin({"run", "small.toml", "--force"}, {.err = err}).code, 0) << err;
    EXPECT_EQ(basin({"verify", "heard.h5", "--against", "out.h5"}).code, 0) << err;
  }
  // A reader that is gone.
  const std::string command = "{ " BASIN_PROGRAM " run small.toml --force 2>&1; echo $? > code; } | true";
  run_process({"/bin/sh", "-c", "sleep 0.1; " + command}, {.folder = path("")});
  EXPECT_EQ(basin({"verify", "heard.h5", "--against", "out.h5"}).code, 0);
  EXPECT_TRUE(bytes("code") == "0\n" || bytes("code") == "1\n") << "no signal: " << bytes("code");
}

TEST_F(Faults, WhatStdoutDoesNotTakeIsAFailure) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet", "--out", "heard.h5"}).code, 0);
  for (const char* out : {"/dev/full", "-"}) {
    const Outcome run = basin({"run", "small.toml", "--force", "--quiet"}, {.out = out});
    EXPECT_EQ(run.code, 1) << out;
    EXPECT_TRUE(run.err.starts_with("basin: [basin] cannot write to stdout: ")) << run.err;
    EXPECT_EQ(basin({"verify", "heard.h5", "--against", "out.h5"}).code, 0) << "the results are there";
    EXPECT_EQ(basin({"info", "out.h5"}, {.out = out}).code, 1) << out;
    EXPECT_EQ(basin({"--help"}, {.out = out}).code, 1) << out;
  }
}

TEST_F(Faults, AFullDiskLeavesThePreviousFile) {
  write("small.toml", small_experiment());
  const ProcessOptions full{.largest_file = 4096};
  expect_refusal({"run", "small.toml", "--quiet"}, "out.h5", full);
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  const std::string before = bytes("out.h5");
  expect_refusal({"run", "small.toml", "--quiet"}, "out.h5", full);
  EXPECT_EQ(bytes("out.h5"), before);
}

TEST_F(Faults, ALearningRateThatBlowsUpStopsTheRun) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  const std::string before = bytes("out.h5");
  expect_refusal({"run", "small.toml", "--quiet", "--set", "optimizer.learning_rate=1e38", "--force"},
                 "not finite");
  EXPECT_EQ(bytes("out.h5"), before);
}

TEST_F(Faults, WhatBlowsUpLateKeepsTheLastGoodCheckpoint) {
  write("small.toml", small_experiment());
  const Outcome run = basin({"run", "small.toml", "--quiet", "--set", "results.checkpoint_seconds=0",
                             "optimizer.schedule=geometric", "optimizer.final_learning_rate=1e38"});
  EXPECT_EQ(run.code, 1);
  EXPECT_NE(run.err.find("not finite"), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("the last checkpoint is kept in out.h5"), std::string::npos) << run.err;
  const Store store = Store::load(path("out.h5").string());
  EXPECT_GT(store.integer("/stages/main/checkpoint/step"), 10);
  for (const std::string& name : store.list("/stages/main")) {
    const auto* tensor = std::get_if<Tensor>(&store.entry(name).content);
    if (tensor == nullptr || name.find("/metrics/") != std::string::npos) continue;
    for (const double x : tensor->values()) ASSERT_TRUE(std::isfinite(x)) << name;
  }
}

TEST_F(Faults, AnInterruptWritesACheckpointThatResumes) {
  write("long.toml", small_experiment());
  const std::vector<std::string> command = {"run",
                                            "long.toml",
                                            "--quiet",
                                            "--force",
                                            "--set",
                                            "train.epochs=100000",
                                            "evaluate.log_likelihood=none"};
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const Outcome stopped = basin(command, {.signal_after_ms = 700, .signal = signal});
    EXPECT_EQ(stopped.code, 130) << signal << stopped.err;
    EXPECT_NE(stopped.err.find("the checkpoint is in out.h5"), std::string::npos) << stopped.err;
    EXPECT_LT(stopped.seconds_after_signal, 2.0);
    const Outcome info = basin({"info", "out.h5"});
    EXPECT_NE(info.out.find("training"), std::string::npos) << info.out << info.err;
    std::filesystem::remove(path("out.h5"));
  }
}

/// Whatever takes long ends soon after a signal, and leaves no file that was not there.
TEST_F(Faults, ASignalEndsWhateverTakesLong) {
  write("small.toml", small_experiment());
  write("data.toml",
        "seed = 1\n[data]\nname = \"strokes\"\ntrain = 500000\n[model]\nhidden = 5\n[train]\n"
        "epochs = 1\n[optimizer]\nlearning_rate = 0.1\n");
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  std::filesystem::copy_file(path("out.h5"), path("long.h5"));
  const std::string long_annealing = "evaluate.ais.temperatures=10000000";
  const std::vector<std::string> before = files();
  for (const auto& [signal, words] : std::vector<std::pair<int, std::vector<std::string>>>{
           {SIGHUP, {"run", "data.toml", "--quiet"}},
           {SIGINT, {"run", "small.toml", "--quiet", "--force", "--set", long_annealing}},
           {SIGTERM, {"eval", "long.h5", "--ais", "--temperatures", "10000000"}},
           {SIGHUP, {"plot", "long.h5", "samples", "--steps", "1000000000"}}}) {
    const Outcome stopped = basin(words, {.signal_after_ms = 700, .signal = signal});
    EXPECT_EQ(stopped.code, 130) << words[0] << stopped.err;
    EXPECT_TRUE(stopped.err.starts_with("basin: interrupted")) << stopped.err;
    EXPECT_LT(stopped.seconds_after_signal, 2.0) << words[0];
    EXPECT_EQ(files(), before) << words[0];
  }
  const Outcome twice = basin({"run", "small.toml", "--quiet", "--force", "--set", long_annealing},
                              {.signal_after_ms = 700, .signal = SIGINT, .again_after_ms = 100});
  EXPECT_EQ(twice.code, 130) << twice.err;
  EXPECT_LT(twice.seconds_after_signal, 1.0);
}

}  // namespace
}  // namespace basin::test
