// Experiments of readers of strings.
#include "training/measures/reading.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "results/compare.h"
#include "support/contains.h"
#include "support/error_of.h"
#include "training/experiment_fixture.h"
#include "training/plots/plot.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;

const char* const kReader = R"(
seed = 2
data = { name = "strings", longest = 2, train = 400, test = 60 }
model = { kind = "reader", layers = ["conv 6 5x5 pad 2", "relu", "pool max 4x4"], longest = 4, parts = 3, hidden = 24 }
train = { objective = "nll", epochs = 4, batch = 20 }
optimizer = { kind = "adam", learning_rate = 1e-2 }
)";

class ReaderKind : public test::ExperimentFolder {
 protected:
  RunResult run(const std::string& name, const std::vector<std::string>& settings = {}) const {
    return run_experiment(test::plan_of_text(kReader, settings), options(name));
  }
};

TEST_F(ReaderKind, LearnsToRead) {
  if (test::device() != Device::Cpu) GTEST_SKIP() << "trains a network: on the CPU alone, for time";
  const RunResult result = run("nll.h5");
  ASSERT_TRUE(result.complete);
  const Store stage = test::only(result.store);
  // Who guesses both digits is wrong in 99 of 100, who guesses lengths too in more. Compilers and libraries
  // that round in other ways lead to 0.75 and 0.82 of 60 strings: three standard errors above.
  EXPECT_LT(test::number(result.store, "sequence_error_test"), 0.95);
  EXPECT_LT(test::number(result.store, "character_error_test"),
            test::number(result.store, "sequence_error_test"));
  EXPECT_LT(stage.numbers("/metrics/epoch/loss").back(), 0.8 * stage.numbers("/metrics/epoch/loss").front());
  // What is stored says the same.
  const std::vector<std::int64_t> read = stage.integers("/evaluation/test_read"),
                                  strings = stage.integers("/evaluation/test_strings"),
                                  predictions = stage.integers("/evaluation/test_predictions"),
                                  labels = stage.integers("/evaluation/test_labels");
  double wrong = 0.0;
  for (std::size_t n = 0; n < 60; ++n) {
    const bool same = read[2 * n] == strings[2 * n] && read[2 * n + 1] == strings[2 * n + 1];
    EXPECT_EQ(predictions[n] == labels[n], same);
    wrong += !same;
    EXPECT_EQ(labels[n], 11 * (strings[2 * n] + 1) + strings[2 * n + 1] + 1);
  }
  EXPECT_NEAR(test::number(result.store, "sequence_error_test"), wrong / 60.0, 1e-12);
  // And what the stage reads again, with a picture of it.
  const Plan plan = test::plan_of_text(kReader);
  EXPECT_EQ(test::number(test::evaluated(result.store, plan), "sequence_error_test"), wrong / 60.0);
  RestoredStage stage_again(result.store, plan, "", test::device());
  draw("reads", {.path = file("reads.png")}, stage_again.view(), result.store);
  EXPECT_GT(std::filesystem::file_size(file("reads.png")), 1000u);
}

TEST_F(ReaderKind, EveryObjectiveTrains) {
  if (test::device() != Device::Cpu) GTEST_SKIP() << "trains networks: on the CPU alone, for time";
  for (const char* objective : {"perceptron", "hinge", "mce", "cut"}) {
    const RunResult result =
        run(std::string(objective) + ".h5", {std::string("train.objective=") + objective, "data.train=100",
                                             "data.test=20", "train.epochs=2", "model.normalised=true"});
    EXPECT_TRUE(result.complete) << objective;
    const std::vector<double> losses = test::only(result.store).numbers("/metrics/epoch/loss");
    EXPECT_LT(losses.back(), losses.front()) << objective;
  }
}

TEST_F(ReaderKind, MistakesAreErrors) {
  const auto refused = [&](const std::vector<std::string>& settings) {
    return error_of([&] { run("refused.h5", settings); });
  };
  EXPECT_TRUE(contains(refused({"train.objective=nl"}), "nll"));
  EXPECT_TRUE(contains(refused({"train.cost=2"}), "cost"));
  EXPECT_TRUE(
      contains(refused({"data={ name = \"strokes\", train = 20, test = 5 }"}), "a column of categories [L]"));
  EXPECT_TRUE(contains(refused({"data.augment={ shift = 1 }"}), "images for data.augment"));
  EXPECT_TRUE(contains(refused({"model.longest=9"}), "segments of 1 to 8 columns"));
  EXPECT_TRUE(contains(refused({"model.layers=[\"conv 6 5x5\"]"}), "a divisor of W"));
  EXPECT_TRUE(
      contains(refused({"model.longest=2", "train.objective=cut"}), "characters of 1 to 2 stretches"));
  EXPECT_TRUE(contains(refused({"model.longest=2"}), "cut into"));
}

TEST(Reading, ErrorsOfStrings) {
  const Reading found{
      .labels = {{1, 2, 3}, {4, 4}, {7, 0, 1, 9}}, .read = {{1, 2, 3}, {4}, {7, 1, 1, 9, 9}}, .cuts = {}};
  EXPECT_NEAR(found.sequence_error(), 2.0 / 3.0, 1e-15);
  EXPECT_NEAR(found.character_error(), 3.0 / 9.0, 1e-15);  // one missing; one replaced, one too many
  EXPECT_EQ(code_of({}, 11), 0);
  EXPECT_EQ(code_of({0}, 11), 1);
  EXPECT_EQ(code_of({0, 0}, 11), 12);
  EXPECT_NE(code_of({0, 4, 7}, 11), code_of({4, 7}, 11));
  EXPECT_TRUE(contains(error_of([] { code_of(String(20, 9), 11); }), "at most 63 bits"));
}

}  // namespace
}  // namespace basin
