// Experiments of RBMs whose biases a recurrent net gives.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "autograd/ops.h"
#include "autograd/recurrence.h"
#include "energy/eliminate/eliminate.h"
#include "results/compare.h"
#include "support/contains.h"
#include "tensor/error.h"
#include "training/experiment_fixture.h"
#include "training/measures/frames.h"
#include "training/measures/made_up.h"
#include "training/walk.h"

namespace basin {
namespace {

// Patterns of 4 x 4 bits as sequences of four frames.
const char* const kFrames = R"(
seed = 3
data = { name = "bars_and_stripes" }
model = { kind = "rnn_rbm", hidden = 6, recurrent = 8, cell = "gru" }
train = { epochs = 50, batch = 10, steps = 5 }
optimizer = { kind = "adam", learning_rate = 2e-2 }
evaluate = { log_likelihood = "exact", ais = { chains = 100, temperatures = 30 } }
)";

class RnnRbmKind : public test::ExperimentFolder {
 protected:
  RunResult run(const std::string& name, const std::vector<std::string>& settings = {}) const {
    return run_experiment(test::plan_of_text(kFrames, settings), options(name));
  }
};

TEST_F(RnnRbmKind, LearnsFramesThatFollowFromThoseBefore) {
  const Store store = run("exact.h5", {"results.plots=[\"samples\", \"curves\"]"}).store;
  const double reached = test::number(store, "step_nats_test");
  // Four coins have 2.77; who knows the 30 patterns, the best, log(30) / 4 = 0.85.
  EXPECT_LT(reached, 0.75 * 4.0 * std::numbers::ln2);
  const std::vector<double> epochs = test::only(store).numbers("/metrics/epoch/step_nats_test");
  EXPECT_LT(epochs.back(), epochs.front());
  EXPECT_NEAR(epochs.back(), reached, 1e-6) << "exact both times";
  EXPECT_EQ(test::only(store).texts("/rules"),
            are_fused(Steps::Fused, test::device())
                ? (std::vector<std::string>{"recurrence", "step_bipartite"})
                : std::vector<std::string>{"step_bipartite"});

  // -log p of whole patterns by the free energies of the graph, steps enumerated together.
  const Plan plan = test::plan_of_text(kFrames);
  RestoredStage restored(store, plan, "", test::device());
  const Stage& stage = restored.stage();
  const Source source = stage_source(stage, restored.view().data().test);
  const State two = samples_between(source, 0, 1, Key(0));
  const Variable &x = stage.graph.find("x"), &v = stage.graph.find("v"), &h = stage.graph.find("h");
  // Two frames of four: 2^8 states of v.
  const auto begun = [&](const Variable& variable) { return slice(two[variable], 1, 0, 2).detached(); };
  const State given = State().set(x, begun(x)), observed = State(given).set(v, begun(v));
  const StepLogLikelihoods steps = enumerate_steps(stage.graph, v, observed);
  EXPECT_NEAR(2.0 * steps.mean(),
              (free_energy(stage.graph, {v, h}, given) - free_energy(stage.graph, {h}, observed)).item(),
              1e-4);

  // By annealing, with all that is said of it.
  const Store annealed = test::evaluated(store, test::plan_of_text(kFrames, {"evaluate.log_likelihood=ais"}));
  const double error = test::number(annealed, "step_nats_error_test");
  EXPECT_NEAR(test::number(annealed, "step_nats_test"), reached, 5.0 * error + 0.01);
  EXPECT_GT(error, 0.0);
  EXPECT_GT(test::number(annealed, "effective_samples_test"), 50.0);
  EXPECT_GE(test::number(annealed, "effective_samples_test"),
            test::number(annealed, "least_effective_samples_test"));
  const std::vector<double> nats = annealed.numbers("/evaluation/test_sequence_nats"),
                            lengths = annealed.numbers("/evaluation/test_sequence_steps");
  EXPECT_NEAR(
      std::accumulate(nats.begin(), nats.end(), 0.0) / std::accumulate(lengths.begin(), lengths.end(), 0.0),
      test::number(annealed, "step_nats_test"), 1e-9);
}

TEST_F(RnnRbmKind, OnlySmokeRunsAreCutShort) {
  EXPECT_EQ(test::plan_of_text(kFrames).data.options.train, 0) << "all there are";
  EXPECT_EQ(test::plan_of_text(kFrames, {"smoke=true"}).data.options.train, 20);
}

TEST_F(RnnRbmKind, RuleLearnsAsTheDerivedDivergence) {
  const std::vector<std::string> one = {"train.epochs=1", "train.dtype=f64"};
  std::vector<std::string> off = one;
  off.emplace_back("train.fuse=off");
  const Store fused = run("fused.h5", one).store, derived = run("derived.h5", off).store;
  EXPECT_NEAR(test::number(fused, "step_nats_test"), test::number(derived, "step_nats_test"), 1e-8);
  EXPECT_TRUE(test::only(derived).texts("/rules").empty());
}

TEST_F(RnnRbmKind, MakesUpRollsOfItsOwn) {
  const RunResult result = run("rolls.h5", {"train.epochs=1"});
  const Plan plan = test::plan_of_text(kFrames);
  RestoredStage restored(result.store, plan, "", test::device());
  const auto& how = need<SequencePredictions>(restored.stage(), "test");
  const Tensor roll = made_up(restored.stage(), how, 7, Key(1));
  EXPECT_EQ(roll.shape(), (Shape{7, 4}));
  EXPECT_EQ(roll.values(), made_up(restored.stage(), how, 7, Key(1)).values());
  EXPECT_NE(roll.values(), made_up(restored.stage(), how, 7, Key(2)).values());
  for (const double bit : roll.values()) EXPECT_TRUE(bit == 0.0 || bit == 1.0);
  // The encoder gives the means of hidden units of every frame.
  const Value codes = restored.stage().encoder->forward(Tensor::zeros({2, 3, 4}, test::f32()));
  EXPECT_EQ(codes.shape(), (Shape{2, 3, 6}));
}

TEST_F(RnnRbmKind, ResumedRunsEqualUnbrokenOnes) {
  const RunResult unbroken = run("unbroken.h5", {"train.epochs=2"});
  RunOptions again = options("stopped.h5");
  RunHooks hooks;
  hooks.step = [](const FitReport& report) { return report.step < 3; };
  const Plan plan = test::plan_of_text(kFrames, {"train.epochs=2"});
  EXPECT_FALSE(run_experiment(plan, again, hooks).complete);
  again.resume = true;
  const RunResult resumed = run_experiment(plan, again);
  EXPECT_TRUE(resumed.complete);
  EXPECT_EQ(differences(unbroken.store, resumed.store), std::vector<std::string>{});
}

TEST_F(RnnRbmKind, RefusesWhatIsNoRoll) {
  for (const auto& [setting, words] : std::vector<std::pair<std::string, std::string>>{
           {"data={ name = \"copy_memory\" }", "expected sequences of bits [T, size]"},
           {"data={ name = \"adding\" }", "expected sequences of bits [T, size]"}}) {
    try {
      run("refused.h5", {setting, "train.epochs=1", "data.train=20"});
      ADD_FAILURE() << setting;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace basin
