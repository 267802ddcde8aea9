// What people ask of runs beside training: expected numbers, curves that grow, other runs, what models make
// up.
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "data/readers/npy.h"
#include "program/program_fixture.h"
#include "results/hdf5/store.h"
#include "support/contains.h"

namespace basin::test {
namespace {

class Runs : public Program {
 protected:
  void run_small(const std::vector<std::string>& more = {}) const {
    write("small.toml", small_experiment());
    std::vector<std::string> words = {"run", "small.toml", "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome run = basin(words);
    ASSERT_EQ(run.code, 0) << run.err;
  }

  std::vector<std::string> lines_of(const std::string& name) const {
    std::istringstream in(bytes(name));
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
};

TEST_F(Runs, ANumberThatIsNotWhereItIsExpectedIsExitCodeThree) {
  write("small.toml", small_experiment() + "[expect]\n\"forward/test_log_likelihood\" = [-12.0, 0.0]\n");
  const Outcome met = basin({"run", "small.toml", "--quiet"});
  EXPECT_EQ(met.code, 0) << met.err;
  EXPECT_TRUE(contains(met.out, "expected     forward/test_log_likelihood")) << met.out;
  const Outcome missed = basin({"run", "small.toml", "--quiet", "--resume", "--set",
                                "expect={ \"forward/test_log_likelihood\" = [0.0, 1.0] }"});
  EXPECT_EQ(missed.code, 3) << missed.out << missed.err;
  EXPECT_TRUE(contains(missed.err, "basin: [expect] forward/test_log_likelihood: not where")) << missed.err;
  const std::string info = basin({"info", "out.h5"}).out;
  EXPECT_TRUE(contains(info, "MISSED       forward/test_log_likelihood -")) << info;
  EXPECT_TRUE(contains(info, "expected in [0, 1]")) << info;
  EXPECT_EQ(Store::load(path("out.h5").string()).text("/experiment/status"), "complete");
  expect_refusal({"run", "small.toml", "--set", "expect={ forward/x = [0, 1] }", "--out", "no.h5"}, "expect");
  expect_refusal({"run", "small.toml", "--set", "expect={ test_log_likelihood = [0, 1] }", "--out", "no.h5"},
                 "an rbm is measured by");
}

TEST_F(Runs, CurvesGrowLineByLineAndHoldEachEpochOnce) {
  write("small.toml", small_experiment());
  const std::vector<std::string> words = {"run",
                                          "small.toml",
                                          "--quiet",
                                          "--log-csv",
                                          "curves.csv",
                                          "--set",
                                          "train.epochs=3000",
                                          "results.checkpoint_seconds=0.05",
                                          "evaluate.log_likelihood=none"};
  const Outcome stopped = basin(words, {.signal_after_ms = 600, .signal = 9});
  ASSERT_EQ(stopped.signal, 9) << stopped.err;
  std::vector<std::string> again = words;
  again.emplace_back("--resume");
  const Outcome resumed = basin(again);
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  const std::vector<std::string> lines = lines_of("curves.csv");
  ASSERT_EQ(lines.size(), 3001u);
  EXPECT_TRUE(lines[0].starts_with("epoch,") && contains(lines[0], ",pseudo_likelihood_test,")) << lines[0];
  for (std::size_t i = 1; i < lines.size(); ++i) {
    ASSERT_TRUE(lines[i].starts_with(std::to_string(i) + ",")) << lines[i];
    ASSERT_EQ(std::ranges::count(lines[i], ','), std::ranges::count(lines[0], ','));
  }
  const Outcome nowhere = basin({"run", "small.toml", "--force", "--log-csv", "no/such/folder.csv"});
  EXPECT_EQ(nowhere.code, 0);
  EXPECT_TRUE(contains(nowhere.err, "warning: cannot write no/such/folder.csv")) << nowhere.err;
  // Opening a pipe that nobody reads would wait for ever.
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const Outcome pipe = basin({"run", "small.toml", "--force", "--log-csv", "pipe"});
  EXPECT_EQ(pipe.code, 0);
  EXPECT_TRUE(contains(pipe.err, "warning: pipe is no ordinary file")) << pipe.err;
}

TEST_F(Runs, StartFromAnotherRunAndGoOnForLonger) {
  run_small();
  const Outcome from = basin({"run", "small.toml", "--init-from", "out.h5", "--out", "next.h5"});
  EXPECT_EQ(from.code, 0) << from.err;
  EXPECT_TRUE(contains(from.err, "starts from the parameters in out.h5")) << from.err;
  EXPECT_EQ(basin({"verify", "next.h5", "--quiet"}).code, 0);
  // What it would start from would be gone, by whatever name the file is called.
  std::filesystem::create_symlink("out.h5", path("link.h5"));
  for (const char* name : {"out.h5", "./out.h5", "link.h5"})
    expect_refusal({"run", "small.toml", "--init-from", name, "--out", "out.h5", "--force"},
                   "expected another file than the one that the run writes");
  expect_refusal({"run", "small.toml", "--set", "train.epochs=40"}, "add --resume to go on from there");
  const Outcome longer = basin({"run", "small.toml", "--resume", "--set", "train.epochs=40"});
  EXPECT_EQ(longer.code, 0) << longer.err;
  EXPECT_TRUE(contains(longer.err, "10 epochs more than the 30 it had")) << longer.err;
  EXPECT_TRUE(contains(basin({"info", "out.h5"}).out, "40 of 40 epochs"));
}

TEST_F(Runs, GradientsAreCheckedBeforeTraining) {
  write("small.toml", small_experiment());
  const Outcome run =
      basin({"run", "small.toml", "--check-gradients", "--set", "train.centring=0", "train.epochs=1"});
  EXPECT_EQ(run.code, 0) << run.err;
  for (const char* name : {"v.bias", "h.bias", "v.h.weight"})
    EXPECT_TRUE(contains(run.err, std::string("gradients    ") + name + ": 5 of 5 numbers agree")) << run.err;
  EXPECT_TRUE(contains(run.out, "results      out.h5")) << run.out;
  const Outcome centred = basin({"run", "small.toml", "--check-gradients", "--force"});
  EXPECT_TRUE(contains(centred.err, "pcd-1 cannot be checked: centring turns the gradient")) << centred.err;
}

TEST_F(Runs, EvaluationsAreSavedWhereAskedFor) {
  run_small();
  const std::string before = bytes("out.h5");
  EXPECT_EQ(basin({"eval", "out.h5", "--exact", "--device", "guard"}).code, 0);
  EXPECT_EQ(bytes("out.h5"), before);
  const Outcome saved = basin({"eval", "out.h5", "--exact", "--save"});
  ASSERT_EQ(saved.code, 0) << saved.err;
  const Store store = Store::load(path("out.h5").string());
  const std::string evaluation = "/stages/main/evaluation/";
  EXPECT_TRUE(store.has(evaluation + "exact/test_log_likelihood"));
  EXPECT_TRUE(store.has(evaluation + "forward/test_log_likelihood"));
  EXPECT_EQ(store.texts(evaluation + "saved_with"),
            std::vector<std::string>{"evaluate.log_likelihood=exact"});
  EXPECT_NE(store.find_attribute(evaluation + "exact/test_log_likelihood", "better"), nullptr);
  // All else is what it was, and can be verified.
  const Outcome same = basin({"verify", "out.h5", "--quiet"});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  EXPECT_TRUE(contains(same.out, "was measured again and saved")) << same.out;
}

TEST_F(Runs, SamplesAreMadeUpForOtherProgramsAndPeople) {
  run_small();
  ASSERT_EQ(basin({"sample", "out.h5", "-n", "7", "-o", "s.npy"}).code, 0);
  const Tensor drawn = read_npy(path("s.npy").string(), {.name = "s"}).reals();
  EXPECT_EQ(drawn.shape(), (Shape{7, 4, 4}));
  for (const double bit : drawn.values()) EXPECT_TRUE(bit == 0.0 || bit == 1.0) << bit;
  ASSERT_EQ(basin({"sample", "out.h5", "-n", "7", "-o", "again.npy"}).code, 0);
  EXPECT_EQ(bytes("again.npy"), bytes("s.npy"));
  ASSERT_EQ(basin({"sample", "out.h5", "-n", "7", "--seed", "5", "-o", "again.npy"}).code, 0);
  EXPECT_NE(bytes("again.npy"), bytes("s.npy"));
  ASSERT_EQ(basin({"sample", "out.h5", "-n", "300", "--means", "-o", "s.h5"}).code, 0);
  EXPECT_EQ(Store::load(path("s.h5").string()).shape("samples/sample"), (Shape{300, 4, 4}));
  ASSERT_EQ(basin({"sample", "out.h5", "-o", "s.png"}).code, 0);
  EXPECT_EQ(bytes("s.png").substr(1, 3), "PNG");
  expect_refusal({"sample", "out.h5", "-o", "s.jpg"}, "FILE.h5, .hdf5 or .npy");
  EXPECT_EQ(basin({"sample", "out.h5"}).code, 2);

  write("means.toml",
        "data = { name = \"bars_and_stripes\" }\nmodel = { kind = \"kmeans\", clusters = 3 }\n"
        "train = { epochs = 1, batch = 10 }\noptimizer = { learning_rate = 1 }\n");
  ASSERT_EQ(basin({"run", "means.toml", "--quiet", "--out", "means.h5"}).code, 0);
  expect_refusal({"sample", "means.h5", "-o", "no.npy"}, "layers that can be sampled, received a kmeans");
}

TEST_F(Runs, WhatStagesMakeUpComesDownToTheData) {
  write("two.toml", R"(data = { name = "bars_and_stripes", scale = "threshold" }
[[stages]]
name = "below"
model = { hidden = 6 }
train = { epochs = 1, batch = 10 }
optimizer = { learning_rate = 0.05 }
[[stages]]
name = "above"
model = { hidden = 5 }
train = { epochs = 1, batch = 10 }
optimizer = { learning_rate = 0.05 }
)");
  ASSERT_EQ(basin({"run", "two.toml", "--quiet", "--out", "two.h5"}).code, 0);
  ASSERT_EQ(basin({"sample", "two.h5", "-n", "9", "-o", "two.npy"}).code, 0);
  EXPECT_EQ(read_npy(path("two.npy").string(), {.name = "s"}).reals().shape(), (Shape{9, 4, 4}));
  expect_refusal({"sample", "two.h5", "--label", "1", "-o", "two.npy"},
                 "expected a stage of samples and labels for label 1, received an rbm");

  write("copy.toml", R"(data = { name = "copy_memory", delay = 3, train = 40, test = 20 }
model = { kind = "recurrent", hidden = 3, predict = "next" }
train = { epochs = 1, batch = 20 }
optimizer = { learning_rate = 0.1 }
)");
  ASSERT_EQ(basin({"run", "copy.toml", "--quiet", "--out", "copy.h5"}).code, 0);
  const Outcome symbols = basin({"sample", "copy.h5", "-n", "2", "--steps", "11", "-o", "copy.npy"});
  EXPECT_EQ(symbols.code, 0) << symbols.err;
  EXPECT_EQ(read_npy(path("copy.npy").string(), {.name = "s"}).shape(), (Shape{11}));
  expect_refusal({"sample", "copy.h5", "-o", "copy.png"}, "received symbols");
}

TEST_F(Runs, SeveralFilesStandSideBySideWithTheirDifferencesMarked) {
  run_small();
  run_small({"--out", "other.h5", "--set", "model.hidden=9"});
  const Outcome info = basin({"info", "out.h5", "other.h5"});
  ASSERT_EQ(info.code, 0) << info.err;
  std::istringstream lines(info.out);
  int marked = 0;
  bool is_hidden = false;
  for (std::string line; std::getline(lines, line);) {
    if (contains(line, "threads")) {
      EXPECT_FALSE(line.starts_with("*")) << line;
    }
    if (contains(line, "model.hidden ")) {
      is_hidden = line.starts_with("*") && contains(line, "12") && contains(line, "9");
    }
    EXPECT_FALSE(contains(line, "train.batch")) << line;
    marked += line.starts_with("*") ? 1 : 0;
  }
  EXPECT_TRUE(is_hidden) << info.out;
  EXPECT_GT(marked, 3) << info.out;
  EXPECT_TRUE(contains(info.out, "forward/test_log_likelihood") && contains(info.out, "settings are equal"));
  EXPECT_EQ(basin({"info", "out.h5", "other.h5", "--toml"}).code, 2);
}

/// What a program shows on a terminal of so many columns.
std::string shown_on_terminal(const std::vector<std::string>& words, unsigned short columns,
                              const std::string& folder) {
  winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    std::vector<char*> pointers;
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    if (chdir(folder.c_str()) == 0) execv(pointers[0], pointers.data());
    _exit(127);
  }
  std::string shown;
  char part[4096];
  for (ssize_t got = 0; (got = read(terminal, part, sizeof part)) > 0;)
    shown.append(part, static_cast<std::size_t>(got));
  waitpid(child, nullptr, 0);
  close(terminal);
  return shown;
}

TEST_F(Runs, ATerminalOfEightyColumnsShowsTheMetricThatMatters) {
  write("small.toml", small_experiment());
  const std::string shown =
      shown_on_terminal({BASIN_PROGRAM, "run", "small.toml", "--threads", "1", "--set", "train.epochs=2000"},
                        80, path(".").string());
  std::istringstream redrawn(shown);
  int bars = 0;
  std::string last;
  for (std::string line; std::getline(redrawn, line, '\r');) {
    const std::size_t begin = line.find('[', line.find("\033[K") == std::string::npos ? 0 : 3);
    if (!contains(line, "%  ") || begin == std::string::npos) continue;
    ++bars;
    last = line.substr(begin);
    EXPECT_LE(last.substr(0, last.find('\n')).size(), 79u) << last;
  }
  EXPECT_GT(bars, 1) << shown;
  EXPECT_TRUE(contains(last, "%  pseudo_likelihood_test -")) << last;
  EXPECT_TRUE(contains(last, "epoch 2000/2000")) << last;
  EXPECT_FALSE(contains(last, "loss")) << last;
}

}  // namespace
}  // namespace basin::test
