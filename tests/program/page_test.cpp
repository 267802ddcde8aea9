// What the page shows is taken from it and done: programs run, experiments run, commands are taken.
// (Examples of people's own data: own_data_test.cpp.)
#include "program/page.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "program/program_fixture.h"

namespace basin::test {
namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// The number behind a part of a text; 0 where that is not there.
double number_behind(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  return at == std::string::npos ? 0.0 : std::strtod(text.c_str() + at + part.size(), nullptr);
}

class Page : public Program {
 protected:
  /// What the n-th program of the page prints, n = 1, 2, ...
  std::string printed(std::size_t n) const {
    const std::vector<std::string> programs = words_of(BASIN_PAGE_PROGRAMS);
    const Outcome outcome = run_process({programs.at(n - 1)}, {.folder = path(".")});
    EXPECT_EQ(outcome.code, 0) << programs.at(n - 1) << ": " << outcome.err;
    return outcome.out;
  }

  void copy_experiment(const std::string& name) const {
    std::filesystem::create_directories(path("experiments"));
    std::filesystem::copy_file(std::filesystem::path(BASIN_EXPERIMENTS) / name, path("experiments/" + name));
  }
};

TEST_F(Page, EveryProgramStandsAlone) {
  const std::size_t count = words_of(BASIN_PAGE_PROGRAMS).size();
  EXPECT_EQ(page_blocks("cpp").size(), count);
  EXPECT_EQ(count, 4u);
}

TEST_F(Page, TheFirstProgramSaysAndDrawsWhatItLearned) {
  const std::string out = printed(1);
  EXPECT_NEAR(number_behind(out, "before training: "), -543.9, 0.5) << out;
  EXPECT_NEAR(number_behind(out, "after training: "), -129.8, 8.0) << out;
  EXPECT_EQ(bytes("features.png").substr(1, 3), "PNG");
}

TEST_F(Page, TheSecondProgramReachesWhatThePageSays) {
  const std::string out = printed(2);
  EXPECT_NEAR(number_behind("likelihood " + out, "likelihood "), -2.89, 0.1) << out;
}

TEST_F(Page, TheThirdProgramIsRefusedAndExact) {
  const std::string out = printed(3);
  EXPECT_NEAR(number_behind(out, "log Z = "), 10.9694, 1e-3) << out;  // by the transfer matrix
  EXPECT_NE(out.find("block {v} interacts with itself"), std::string::npos) << out;
}

TEST_F(Page, TheFourthProgramLowersItsEnergy) {
  const std::string out = printed(4);
  EXPECT_NEAR(number_behind(out, "before training: energy "), 108.0, 3.0) << out;
  EXPECT_NEAR(number_behind(out, "after training: energy "), 36.0, 3.0) << out;
}

TEST_F(Page, EveryExperimentRuns) {
  const std::size_t own = page_blocks("toml", "## Your own data").size();
  std::size_t run = 0;
  for (const std::string& block : page_blocks("toml")) {
    if (block.find("name = \"file\"") != std::string::npos) continue;
    ++run;
    write("page.toml", block);
    const bool sweeps = block.find("[sweep]") != std::string::npos;
    const Outcome outcome = sweeps ? basin({"sweep", "page.toml", "--smoke", "--quiet"})
                                   : basin({"run", "page.toml", "--smoke", "--quiet", "--force"});
    EXPECT_EQ(outcome.code, 0) << block << outcome.err;
  }
  EXPECT_EQ(run, page_blocks("toml").size() - own);
  EXPECT_EQ(run, 3u);
}

TEST_F(Page, TheFirstExperimentIsThatOfTheFile) {
  copy_experiment("quickstart.toml");
  write("experiments/page.toml", page_blocks("toml", "## A first experiment").at(0));
  for (const char* name : {"quickstart", "page"}) {
    ASSERT_EQ(basin({"run", std::string("experiments/") + name + ".toml", "--smoke", "--quiet", "--out",
                     std::string(name) + ".h5"})
                  .code,
              0);
  }
  EXPECT_EQ(basin({"info", "quickstart.h5", "--toml"}).out, basin({"info", "page.h5", "--toml"}).out);
}

TEST_F(Page, EveryCommandIsTaken) {
  copy_experiment("quickstart.toml");
  std::size_t taken = 0;
  for (const std::string& block : page_blocks("sh")) {
    std::istringstream lines(block);
    for (std::string line; std::getline(lines, line);) {
      std::vector<std::string> words = words_of(line.substr(0, line.find('#')));
      if (words.empty() || words.front() != "basin" || line.find("data fetch") != std::string::npos) continue;
      words.erase(words.begin());
      if (words.front() == "run") words.insert(words.end(), {"--smoke", "--quiet"});
      // What runs on a GPU runs on the tests' own (support/fake_cuda.cpp).
      const Outcome outcome = basin(words, {.environment = {"BASIN_CUDA_LIBRARY=" BASIN_FAKE_CUDA}});
      EXPECT_EQ(outcome.code, 0) << line << outcome.err;
      ++taken;
    }
  }
  EXPECT_GE(taken, 5u);
}

}  // namespace
}  // namespace basin::test
