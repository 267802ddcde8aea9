// What the program says is short, whatever it quotes, names what people can do, and is true.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "program/program_fixture.h"
#include "support/contains.h"

namespace basin::test {
namespace {

const std::string kData = "seed = 1\ndata = { name = \"bars_and_stripes\", scale = \"threshold\" }\n";
const std::string kRest = "optimizer = { learning_rate = 0.05 }\nresults = { file = \"out.h5\" }\n";

class Messages : public Program {
 protected:
  void expect_refused(const std::string& toml, const std::string& part) const {
    write("e.toml", toml);
    expect_refusal({"run", "e.toml"}, part);
  }
};

TEST_F(Messages, AreShortWhateverTheyQuote) {
  const std::string letters(40000, 'a'), digits(40000, '7');
  std::string words;
  while (words.size() < 40000) words += "word ";
  write("letters.toml", kData + "model = { kind = \"" + letters + "\" }\n");
  write("digits.toml", kData + "model = { hidden = " + digits + " }\n");
  write("words.toml", kData + "model = { kind = \"" + words + "\" }\n");
  write("key.toml", kData + letters + " = 1\nmodel = { hidden = 4 }\ntrain = { epochs = 1 }\n" + kRest);
  write("signs.toml", kData + "model = { kind = \"" + std::string(39999, 'b') + "\xc3\xa9\" }\n");
  for (const std::vector<std::string>& asked : {std::vector<std::string>{"run", "letters.toml"},
                                                {"run", "digits.toml"},
                                                {"run", "words.toml"},
                                                {"run", "key.toml"},
                                                {"run", "signs.toml"},
                                                {"run", letters},
                                                {"info", letters},
                                                {letters}}) {
    const Outcome outcome = basin(asked);
    EXPECT_NE(outcome.code, 0);
    EXPECT_LT(outcome.err.size(), 1300u) << asked.back().substr(0, 20);
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
    // A number of 40,000 digits is not TOML, and is not echoed.
    EXPECT_TRUE(contains(outcome.err, "...") || asked.back() == "digits.toml") << outcome.err;
  }
  EXPECT_TRUE(contains(basin({"run", "signs.toml"}).err, "\xc3\xa9'"));
  write("short.toml", kData + "model = { kind = \"" + std::string(100, 'a') + "\" }\n");
  EXPECT_TRUE(contains(basin({"run", "short.toml"}).err, "'" + std::string(100, 'a') + "'"));
}

TEST_F(Messages, SayWhereAKeyBelongs) {
  const std::string rbm = kData + "model = { hidden = 4 }\n" + kRest;
  expect_refused(rbm + "train = { epochs = 1, batch = 10, temperatures = 5 }\n",
                 "temperatures: belongs to objective = \"tempering\"");
  expect_refused(rbm + "train = { epochs = 1, batch = 10, fast_rate = 0.1 }\n",
                 "fast_rate: belongs to objective = \"fpcd\"");
  expect_refused(rbm + "train = { epochs = 1, batch = 10, chains = 10 }\n",
                 "chains: belongs to objective = \"pcd\"");
  expect_refused(rbm + "train = { epochs = 1, batch = 10, roll_backs = 2 }\n",
                 "roll_backs: belongs to on_unhealthy = \"roll_back\"");
  const std::string energy =
      kData + "model = { kind = \"energy\", visible = \"binary\", layers = [\"dense 1\"] }\n" + kRest;
  expect_refused(energy + "train = { epochs = 1, batch = 10, steps = 3 }\n",
                 "steps: belongs to objective = \"cd\" or \"pcd\"");
  expect_refused(energy + "train = { epochs = 1, batch = 10, noise_samples = 3 }\n",
                 "noise_samples: belongs to objective = \"noise_contrastive\"");
  write("e.toml", kData + "model = { kind = \"energy\", layers = [\"dense 1\"] }\n" + kRest +
                      "train = { epochs = 1, batch = 10 }\n");
  expect_refusal({"run", "e.toml"}, "falls without end");
  const std::string stage =
      "[[stages]]\nname = \"a\"\nmodel = { hidden = 4 }\ntrain = { epochs = 1, batch = 10 }\n"
      "optimizer = { learning_rate = 0.05 }\n";
  expect_refused(kData + "health = { idle_units = 0.5 }\n" + stage, "health: belongs to each of [[stages]]");
  expect_refused(kData + "health = { idle_units = 0.5 }\nhead = { kind = \"softmax\" }\n",
                 "health: belongs to [fine_tune]");
}

TEST_F(Messages, EncodeNamesTheFlagThatChoosesAPart) {
  write("small.toml", small_experiment());
  ASSERT_EQ(basin({"run", "small.toml", "--quiet", "--set", "train.epochs=1"}).code, 0);
  expect_refusal({"encode", "out.h5", "-o", "c.npy"}, "choose one by --part (train, test)");
  EXPECT_EQ(basin({"encode", "out.h5", "-o", "c.npy", "--part", "test"}).code, 0);
}

TEST_F(Messages, LinesFitIntoTheColumnsThatThereAre) {
  write("small.toml", small_experiment());
  const Outcome run =
      basin({"run", "small.toml", "--quiet", "--set", "train.epochs=1"}, {.environment = {"COLUMNS=80"}});
  ASSERT_EQ(run.code, 0) << run.err;
  const Outcome eval = basin({"eval", "out.h5"}, {.environment = {"COLUMNS=80"}});
  std::size_t longest = 0;
  std::istringstream whole(basin({"eval", "out.h5"}).out);  // into a file: lines as they are
  for (std::string line; std::getline(whole, line);) longest = std::max(longest, line.size());
  EXPECT_GT(longest, 80u);
  const Outcome data = basin({"data", "list"}, {.environment = {"COLUMNS=80"}});
  EXPECT_TRUE(contains(data.out, "strokes"));
  const Outcome info = basin({"info", "out.h5"}, {.environment = {"COLUMNS=80"}});
  const Outcome plots = basin({"plot", "out.h5"}, {.environment = {"COLUMNS=80"}});
  for (const std::string& text : {run.out, eval.out, data.out, info.out, plots.out}) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST_F(Messages, AnInterruptedRunSaysWhetherThereIsACheckpoint) {
  // Trained and saved in no time, it is then annealed for hours.
  write("small.toml", small_experiment());
  const Outcome annealing =
      basin({"run", "small.toml", "--set", "train.epochs=1", "evaluate.ais.temperatures=100000000"},
            {.signal_after_ms = 2000, .signal = 15, .again_after_ms = 200});
  ASSERT_EQ(annealing.code, 130) << annealing.err;
  EXPECT_TRUE(contains(annealing.err, "the checkpoint is in out.h5")) << annealing.err;
  EXPECT_TRUE(std::filesystem::exists(path("out.h5")));
  std::filesystem::remove(path("out.h5"));
  // Its samples are made first, which takes longer than anybody waits.
  write("slow.toml", "data = { name = \"strokes\", train = 900000 }\nmodel = { hidden = 4 }\n" + kRest +
                         "train = { epochs = 1, batch = 10 }\n");
  const Outcome making =
      basin({"run", "slow.toml"}, {.signal_after_ms = 1000, .signal = 2, .again_after_ms = 200});
  ASSERT_EQ(making.code, 130) << making.err;
  EXPECT_TRUE(contains(making.err, "before a checkpoint was written")) << making.err;
  EXPECT_FALSE(std::filesystem::exists(path("out.h5")));
}

TEST_F(Messages, AHeadThatDivergedIsSaidToHave) {
  const auto warned = [&](const std::string& rate) {
    write("head.toml",
          "data = { name = \"strokes\", train = 200, test = 50 }\nhead = { kind = \"softmax\" }\n"
          "results = { file = \"head.h5\" }\n[fine_tune]\nepochs = 2\nbatch = 20\noptimizer = { "
          "learning_rate = " +
              rate + " }\n");
    const Outcome run = basin({"run", "head.toml", "--quiet", "--force"});
    EXPECT_EQ(run.code, 0) << run.err;
    return contains(run.err, "the training has diverged");
  };
  EXPECT_TRUE(warned("1e6"));
  EXPECT_FALSE(warned("0.1"));
}

}  // namespace
}  // namespace basin::test
