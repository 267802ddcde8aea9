// What the program says to people who do not know it yet: lists, slips, what lies there already.
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "program/program_fixture.h"
#include "support/contains.h"

namespace basin::test {
namespace {

class Newcomers : public Program {
 protected:
  /// A wrong command line, whose message holds `part`.
  void expect_usage(const std::vector<std::string>& words, const std::string& part) const {
    const Outcome outcome = basin(words);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_TRUE(contains(outcome.err, part)) << "expected '" << part << "' in: " << outcome.err;
  }
};

TEST_F(Newcomers, SlipsAreAnsweredByTheNearestName) {
  expect_usage({"rnu", "small.toml"}, "did you mean 'run'?");
  expect_usage({"verfiy", "out.h5"}, "did you mean 'verify'?");
  expect_usage({"train"}, "known: run, sweep, compare");
  expect_usage({"help", "polt"}, "did you mean 'plot'?");
  expect_usage({"data", "shwo", "mnist"}, "did you mean 'show'?");
  expect_usage({"plot", "out.h5", "baiss"}, "did you mean 'basis'?");
  expect_usage({"run", "small.toml", "--resmue"}, "did you mean '--resume'?");
  expect_usage({"plot", "out.h5", "basis", "--ou", "x.png"}, "did you mean '--out'?");
}

TEST_F(Newcomers, HelpOfACommandIsFoundBothWays) {
  for (const char* command : {"run", "plot", "data"}) {
    const Outcome help = basin({"help", command});
    EXPECT_EQ(help.code, 0);
    EXPECT_EQ(help.out, basin({command, "--help"}).out);
  }
  EXPECT_EQ(basin({"help"}).out, basin({"--help"}).out);
}

TEST_F(Newcomers, HelpFitsIntoEightyColumns) {
  for (const char* command : {"run", "sweep", "compare", "info", "plot", "report", "eval", "encode", "sample",
                              "verify", "data", "completions", "manual", ""}) {
    std::istringstream lines(command[0] == '\0' ? basin({"--help"}).out : basin({"help", command}).out);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("  basin ")) continue;  // to be copied as it is
      EXPECT_LE(line.size(), 80u) << command << ": " << line;
    }
  }
}

TEST_F(Newcomers, PlotWithoutANameListsWhatCanBeDrawn) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  const Outcome list = basin({"plot", "out.h5"});
  EXPECT_EQ(list.code, 0) << list.err;
  for (const char* plot : {"basis", "samples", "curves"}) EXPECT_TRUE(contains(list.out, plot)) << list.out;
  EXPECT_FALSE(contains(list.out, "nmse")) << list.out;
  // What is listed can be drawn.
  std::istringstream lines(list.out);
  for (std::string line; std::getline(lines, line);) {
    const Outcome drawn = basin({"plot", "out.h5", line.substr(0, line.find(' '))});
    EXPECT_EQ(drawn.code, 0) << line << drawn.err;
  }
  EXPECT_EQ(basin({"plot", "absent.h5"}).code, 1);
}

TEST_F(Newcomers, PicturesAreWideAndNamedForWhatTheyAre) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  const Outcome first = basin({"plot", "out.h5", "basis", "-o", "b.png", "--limit", "3"});
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_FALSE(contains(first.out, "in place of")) << first.out;
  // The width stands big-endian behind the name of the first chunk of a PNG.
  const std::string png = bytes("b.png");
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(png.at(i)));
  };
  EXPECT_GE((byte(18) << 8) + byte(19), 300u);
  EXPECT_TRUE(
      contains(basin({"plot", "out.h5", "samples", "-o", "b.png"}).out, "in place of an earlier one"));
  expect_refusal({"plot", "out.h5", "basis", "-o", "x.jpg"}, "expected a name that ends in .png");
  expect_refusal({"plot", "out.h5", "basis", "-o", "x.svg"}, "expected a name that ends in .png");
  expect_refusal({"plot", "out.h5", "curves", "-o", "x.jpg"}, ".png or .svg");
}

TEST_F(Newcomers, PythonReadsARun) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  if (std::system("/usr/bin/python3 -c 'import h5py, numpy' >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "h5py is not installed (package python3-h5py)";
  const Outcome read = run_process(
      {"/usr/bin/python3", "-B", "-c",
       "import sys; sys.path.append(sys.argv[1]); from read import read; run = read('out.h5')\n"
       "main = run['stages']['main']; print(run['experiment']['seed'], run['experiment']['status'],\n"
       "  main['parameters']['v.h.weight'].shape, len(main['metrics']['epoch']['epoch']), main['factors'])",
       BASIN_SOURCE "/results"},
      {.folder = path(".")});
  EXPECT_EQ(read.out, "4 complete (16, 12) 30 ['Bias(v)', 'Bias(h)', 'Bilinear(v, h)']\n") << read.err;
  const Outcome shown = run_process({"/usr/bin/python3", "-B", BASIN_SOURCE "/results/read.py", "out.h5"},
                                    {.folder = path(".")});
  EXPECT_TRUE(contains(shown.out, "v.h.weight: (16, 12)")) << shown.out << shown.err;
}

TEST_F(Newcomers, PlotListsThoseOfEachStage) {
  write("stacked.toml", R"(seed = 1
data = { name = "bars_and_stripes", scale = "threshold" }
results = { file = "out.h5" }
[[stages]]
name = "below"
model = { hidden = 6 }
train = { epochs = 2, batch = 10 }
optimizer = { learning_rate = 0.05 }
[[stages]]
name = "above"
model = { hidden = 4 }
train = { epochs = 2, batch = 10 }
optimizer = { learning_rate = 0.05 }
)");
  const Outcome run = basin({"run", "stacked.toml", "--quiet"});
  ASSERT_EQ(run.code, 0) << run.err;
  const std::string all = basin({"plot", "out.h5"}).out;
  EXPECT_TRUE(contains(all, "--stage below") && contains(all, "--stage above")) << all;
  const std::string one = basin({"plot", "out.h5", "--stage", "below"}).out;
  EXPECT_TRUE(contains(one, "--stage below") && !contains(one, "--stage above")) << one;
}

TEST_F(Newcomers, InfoSaysWhatWasRun) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  const std::string info = basin({"info", "out.h5"}).out;
  for (const char* part : {"experiment   small.toml", "model        rbm", "data         bars_and_stripes"})
    EXPECT_TRUE(contains(info, part)) << part << " in " << info;
}

TEST_F(Newcomers, ACheckpointIsNotReplacedUnasked) {
  write("small.toml", small_experiment());
  const Outcome stopped =
      basin({"run", "small.toml", "--set", "train.epochs=100000", "results.checkpoint_seconds=0"},
            {.signal_after_ms = 700, .signal = 15});
  ASSERT_EQ(stopped.code, 130) << stopped.err;
  const std::string before = bytes("out.h5");
  ASSERT_FALSE(before.empty());
  const std::vector<std::string> again = {"run", "small.toml", "--set", "train.epochs=100000",
                                          "results.checkpoint_seconds=0"};
  expect_refusal(again, "holds a checkpoint of this run: add --resume to go on from it, or --force");
  EXPECT_EQ(bytes("out.h5"), before);
}

}  // namespace
}  // namespace basin::test
