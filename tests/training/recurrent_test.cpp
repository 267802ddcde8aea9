// Experiments of recurrent nets.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <numeric>

#include "autograd/ops.h"
#include "autograd/recurrence.h"
#include "data/catalog.h"
#include "energy/objectives/sequence_energy.h"
#include "results/compare.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/experiment/stack.h"
#include "training/experiment_fixture.h"
#include "training/measures/made_up.h"
#include "training/walk.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

const char* const kCopy = R"(
seed = 2
data = { name = "copy_memory", delay = 1, train = 1500, test = 100 }
model = { kind = "recurrent", cell = "gru", hidden = 32 }
train = { epochs = 12, batch = 20 }
optimizer = { kind = "adam", learning_rate = 2e-2 }
evaluate = { ignored = 8 }
)";

const char* const kAdding = R"(
seed = 2
data = { name = "adding", length = 6, train = 1000, test = 200 }
model = { kind = "recurrent", cell = "lstm", hidden = 16, predict = "value" }
train = { epochs = 10, batch = 20 }
optimizer = { kind = "adam", learning_rate = 1e-2 }
)";

const char* const kOrder = R"(
seed = 2
data = { name = "temporal_order", train = 200, test = 50 }
model = { kind = "recurrent", cell = "gru", hidden = 8, predict = "label", bidirectional = true, layers = 2, dropout = 0.2 }
train = { epochs = 2, batch = 20 }
optimizer = { kind = "adam", learning_rate = 1e-2 }
)";

class RecurrentKind : public test::ExperimentFolder {
 protected:
  RunResult run(const std::string& text, const std::string& name,
                const std::vector<std::string>& settings = {}) const {
    return run_experiment(test::plan_of_text(text, settings), options(name));
  }

  /// An experiment on a text in which every symbol follows from those before it.
  std::string text_experiment() const {
    std::ofstream text(file("verse.txt"));
    for (int i = 0; i < 300; ++i) text << "abcabdacbd\n";
    return "seed = 2\ndata = { name = \"text\", path = \"" + file("verse.txt") +
           "\", length = 10 }\n"
           "model = { kind = \"recurrent\", cell = \"lstm\", hidden = 16, embedding = 4 }\n"
           "train = { epochs = 8, batch = 4, carried = true }\n"
           "optimizer = { kind = \"adam\", learning_rate = 1e-2 }\nresults = { text = 30 }\n";
  }
};

TEST_F(RecurrentKind, LearnsToCopy) {
  const RunResult result = run(kCopy, "copy.h5");
  ASSERT_TRUE(result.complete);
  const std::vector<double> nats = test::only(result.store).numbers("/metrics/epoch/step_nats_test");
  EXPECT_LT(nats.back(), 0.9 * nats.front());
  // Who says any of the 8 symbols errs in 7 of 8.
  EXPECT_LT(test::number(result.store, "step_error_test"), 0.75);
}

TEST_F(RecurrentKind, LearnsToAdd) {
  for (const char* cell : {"elman", "jordan", "lstm", "gru"}) {
    const RunResult result = run(kAdding, std::string(cell) + ".h5", {std::string("model.cell=") + cell});
    EXPECT_LT(test::number(result.store, "mse_test"), 0.12) << cell;  // 1/6 of who always says 1
  }
}

TEST_F(RecurrentKind, FusedLearnsAsComposed) {
  const Store fused = run(kAdding, "fused.h5", {"train.epochs=1"}).store,
              composed = run(kAdding, "composed.h5", {"train.epochs=1", "train.fuse=off"}).store;
  EXPECT_NEAR(test::number(fused, "mse_test"), test::number(composed, "mse_test"), 1e-4);
  const bool has_kernels = are_fused(Steps::Fused, test::device());
  EXPECT_EQ(test::only(fused).texts("/rules"),
            has_kernels ? std::vector<std::string>{"recurrence"} : std::vector<std::string>{});
  EXPECT_TRUE(test::only(composed).texts("/rules").empty());
}

TEST_F(RecurrentKind, ClassifiesSequencesOfUnequalLength) {
  const RunResult result = run(kOrder, "order.h5");
  const std::vector<double> loss = test::only(result.store).numbers("/metrics/epoch/loss");
  EXPECT_LT(loss.back(), loss.front());
  EXPECT_LE(test::number(result.store, "test_error"), 1.0);
}

TEST_F(RecurrentKind, ReadsATextOnFromBatchToBatch) {
  const RunResult result = run(text_experiment(), "text.h5");
  // Of 11 symbols a line, every one is certain once those before it are known.
  EXPECT_LT(test::number(result.store, "step_nats_test"), 0.3);
  EXPECT_LT(test::number(result.store, "step_nats_validation"), 0.3);
  EXPECT_EQ(test::only(result.store).text("/evaluation/text").size(), 30u);
  EXPECT_NE(result.report.find("text"), std::string::npos);
  // Sequences that read on are no samples of their own.
  EXPECT_FALSE(test::only(result.store).has("/evaluation/test_sequence_nats"));
  // What is measured of the results file again, through the same states.
  const Plan plan = test::plan_of_text(text_experiment());
  EXPECT_EQ(test::number(test::evaluated(result.store, plan), "step_nats_test"),
            test::number(result.store, "step_nats_test"));
}

// Symbol after symbol through carried states is what the whole text says of each, draw by draw.
TEST_F(RecurrentKind, MadeUpSymbolsFollowFromThoseBefore) {
  const std::string text = text_experiment();
  const Store store = run(text, "text.h5", {"train.epochs=2"}).store;
  const Plan plan = test::plan_of_text(text, {"train.epochs=2"});
  RestoredStage restored(store, plan, "", test::device());
  const auto& how = need<SequencePredictions>(restored.stage(), "test");
  constexpr Index kSteps = 40;
  const Key key(7);
  std::vector<double> symbols{0.0};
  make_up_symbols(restored.stage(), how, kSteps, key,
                  [&](std::size_t symbol) { symbols.push_back(static_cast<double>(symbol)); });
  ASSERT_EQ(symbols.size(), static_cast<std::size_t>(kSteps + 1));
  const Index size = how.x.shape[1];
  const Tensor read =
      Tensor::from({symbols.begin(), symbols.end() - 1}, {1, kSteps}, restored.stage().placement);
  const std::vector<double> p =
      softmax(how.steps->scores(State().set(how.x, one_hot(read, size)))).tensor().values();
  const std::vector<double> u = uniform(key, {kSteps}, {Dtype::F64, Device::Cpu}).values();
  for (std::size_t t = 0; t < u.size(); ++t) {
    const auto row = p.begin() + static_cast<std::ptrdiff_t>(t) * size,
               drawn = row + static_cast<std::ptrdiff_t>(symbols[t + 1]);
    EXPECT_GE(u[t], std::accumulate(row, drawn, 0.0) - 1e-5) << t;
    EXPECT_LE(u[t], std::accumulate(row, drawn + 1, 0.0) + 1e-5) << t;
  }
  // Only characters are kept of a text.
  EXPECT_NO_THROW(test::plan_of_text(text, {"results.text=100000000"}));
  EXPECT_THROW(test::plan_of_text(text, {"results.text=100000001"}), Error);
}

TEST_F(RecurrentKind, StoppedAndResumedEqualsUnbroken) {
  for (const std::string& text : {text_experiment(), std::string(kOrder)}) {
    const RunResult unbroken = run(text, "unbroken.h5");
    RunOptions again = options("stopped.h5");
    RunHooks hooks;
    for (const Index stop : {3, 17}) {
      hooks.step = [stop](const FitReport& report) { return report.step < stop; };
      EXPECT_FALSE(run_experiment(test::plan_of_text(text), again, hooks).complete);
      again.resume = true;
    }
    const RunResult resumed = run_experiment(test::plan_of_text(text), again);
    EXPECT_TRUE(resumed.complete);
    EXPECT_EQ(differences(unbroken.store, resumed.store), std::vector<std::string>{});
    fs::remove(unbroken.file);
    fs::remove(resumed.file);
  }
}

TEST_F(RecurrentKind, NatsOfRealStepsAreThoseOfADensity) {
  const std::vector<std::string> settings = {"model.predict=next", "train.epochs=1"};
  const Store store = run(kAdding, "next.h5", settings).store;
  const Plan plan = test::plan_of_text(kAdding, settings);
  RestoredStage restored(store, plan, "", test::device());
  const Stage& stage = restored.stage();
  const StageView view = restored.view();
  const State all = samples_between(stage_source(stage, view.data().test), 0, 200, Key(0));
  const double energy = sum(stage.graph.energy(all)).item() / step_count(stage.graph, all);
  EXPECT_NEAR(test::number(store, "step_nats_test"), energy, 1e-5);
  // Those of each sequence are on record beside their mean.
  const std::vector<double> each = stage.graph.energy(all).tensor().values(),
                            nats = test::only(store).numbers("/evaluation/test_sequence_nats"),
                            steps = test::only(store).numbers("/evaluation/test_sequence_steps");
  ASSERT_EQ(nats.size(), each.size());
  for (std::size_t n = 0; n < each.size(); ++n) EXPECT_NEAR(nats[n], each[n], 1e-4) << n;
  EXPECT_EQ(std::accumulate(steps.begin(), steps.end(), 0.0), step_count(stage.graph, all));
  // So is the loss, of samples of the same kind.
  const double loss = test::only(store).numbers("/metrics/epoch/loss").back();
  EXPECT_GT(loss, std::log(2.0 * std::numbers::pi)) << "of two numbers a step, foretold without an error";
  EXPECT_EQ(std::get<std::string>(test::only(store).attribute("/evaluation/step_nats_test", "unit")), "nats");
}

TEST_F(RecurrentKind, RefusesToDistortSequences) {
  const Plan plan = test::plan_of_text(kAdding, {"data.augment.shift=1"});
  const Samples samples = load_dataset("adding", {.train = 20, .test = 10, .length = 6}).train;
  try {
    (void)make_stages(plan, samples.shape(), test::device(), [&] { return samples; });
    ADD_FAILURE() << "[6, 2] is no image";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("received sequences of real numbers [6, 2]"), std::string::npos)
        << error.what();
  }
}

TEST_F(RecurrentKind, RefusesDataThatDoNotFit) {
  EXPECT_THROW(run(kCopy, "a.h5", {"model.predict=value"}), Error);
  EXPECT_THROW(run(kAdding, "b.h5", {"model.predict=label"}), Error);
  EXPECT_THROW(run(kCopy, "c.h5", {"results.text=10"}), Error);
  EXPECT_THROW(run(kCopy, "d.h5", {"data.name=\"strokes\""}), Error);
  EXPECT_THROW(run(kAdding, "e.h5", {"model.cell=\"gruu\""}), Error);
  EXPECT_THROW(run(kAdding, "f.h5", {"model.predict=next", "evaluate.ignored=1"}), Error);
  try {
    run(kCopy, "g.h5", {"evaluate.ignored=9"});
    ADD_FAILURE() << "9 is not among the categories 0 to 8";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("evaluate.ignored among the categories 0 to 8"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace basin
