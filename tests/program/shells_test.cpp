// What the program gives to shells and to man, and samples and codes to other programs.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <sstream>

#include "data/readers/npy.h"
#include "program/program_fixture.h"
#include "results/hdf5/store.h"
#include "support/contains.h"

namespace basin::test {
namespace {

class Shells : public Program {
 protected:
  /// What bash offers for the last of some words.
  std::string offered(const std::string& words, int count) const {
    const std::string script = path("complete.sh").string();
    write("complete.sh", basin({"completions", "bash"}).out + "COMP_WORDS=(" + words + "); COMP_CWORD=" +
                             std::to_string(count) + "; _basin; echo \"${COMPREPLY[@]}\"\n");
    const std::string command = "bash " + script + " > " + path("offered.txt").string();
    EXPECT_EQ(std::system(command.c_str()), 0);
    return bytes("offered.txt");
  }
};

TEST_F(Shells, BashCompletesCommandsTheirWordsAndOptions) {
  EXPECT_EQ(offered("basin sw", 1), "sweep\n");
  EXPECT_EQ(offered("basin data ex", 2), "export\n");
  EXPECT_EQ(offered("basin run x.toml --res", 3), "--resume\n");
  EXPECT_EQ(offered("basin help enc", 2), "encode\n");
}

TEST_F(Shells, EveryOptionIsInTheCompletionsAndInTheManual) {
  const std::string page = basin({"manual"}).out;
  // What the overview and --help of each command say.
  std::set<std::string> words;
  std::istringstream overview(basin({"help"}).out);
  for (std::string line; std::getline(overview, line);) {
    if (!line.starts_with("  ") || line.starts_with("  basin")) continue;
    const std::string command = line.substr(2, line.find(' ', 2) - 2);
    words.insert(command);
    std::istringstream help(basin({"help", command}).out);
    for (std::string option; std::getline(help, option);) {
      const std::size_t at = option.find("--");
      if (!option.starts_with("  ") || at > 9 || option.starts_with("  basin")) continue;
      words.insert(option.substr(at + 2, option.find_first_of(" ]", at) - at - 2));
    }
  }
  EXPECT_GT(words.size(), 40U);
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const Outcome completions = basin({"completions", shell});
    EXPECT_EQ(completions.code, 0);
    for (const std::string& word : words)
      EXPECT_TRUE(contains(completions.out, word)) << shell << ": " << word;
    // The shell itself reads them, where there is one.
    const std::string name = path(write("completions", completions.out)).string();
    const std::string check = "! command -v " + shell + " >/dev/null || " + shell + " -n " + name;
    EXPECT_EQ(std::system(check.c_str()), 0) << shell;
  }
  for (const char* word : {"\\-\\-burn\\-in", "basin encode", "BASIN_DATA", "Examples"})
    EXPECT_TRUE(contains(page, word)) << word;
  EXPECT_EQ(basin({"completions", "csh"}).code, 2);
}

TEST_F(Shells, CodesAreThoseOfTheRunsSamplesAndOfOnesOwn) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet"}).code, 0);
  const Outcome whole = basin({"encode", "out.h5", "-o", "codes.h5"});
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_TRUE(
      contains(whole.out, "codes        probabilities of h given the sample (an rbm); unit: probability\n"))
      << whole.out;
  const Store stored = Store::load(path("codes.h5").string());
  const Tensor codes = stored.tensor("train/code");
  for (const char* part : {"train/code", "test/code"}) {
    EXPECT_EQ(std::get<std::string>(stored.attribute(part, "description")),
              "probabilities of h given the sample (an rbm)");
    EXPECT_EQ(std::get<std::string>(stored.attribute(part, "unit")), "probability");
  }
  ASSERT_EQ(basin({"data", "export", "bars_and_stripes", "--part", "train", "-o", "own.npy"}).code, 0);
  const Outcome outcome = basin({"encode", "out.h5", "own.npy", "-o", "codes.npy"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Tensor own = read_npy(path("codes.npy").string(), {.name = "codes"}).reals();
  ASSERT_EQ(own.shape(), codes.shape());
  for (Index i = 0; i < own.size(); ++i)
    ASSERT_NEAR(own.values()[static_cast<std::size_t>(i)], codes.values()[static_cast<std::size_t>(i)], 1e-6);

  expect_refusal({"encode", "out.h5", "-o", "codes.txt"}, "FILE.h5, .hdf5 or .npy");
  expect_refusal({"encode", "out.h5", "-o", "x.npy", "--part", "validation"}, "one of the parts");
  expect_refusal({"encode", "out.h5", "codes.npy", "-o", "x.npy"}, "expected samples of shape");
  EXPECT_EQ(basin({"encode", "out.h5"}).code, 2);
}

}  // namespace
}  // namespace basin::test
