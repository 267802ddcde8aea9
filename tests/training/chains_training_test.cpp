// Energies that learn by chains of any transition, stopped and gone on; what their tables may not say.
#include <gtest/gtest.h>

#include "results/compare.h"
#include "support/contains.h"
#include "support/error_of.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

using test::contains;
using ChainsTraining = test::ExperimentFolder;

const std::string kEnergy = R"(
seed = 2
data = { name = "mixture", train = 60, test = 20 }
model = { kind = "energy", layers = ["dense 4", "tanh", "dense 1"], confine = 1.0 }
train = { objective = "pcd", epochs = 2, batch = 20, steps = 2 }
optimizer = { learning_rate = 0.01 }
results = { checkpoint_seconds = 0 }
)";

/// What a transition says of its moves stands beside what the file counts steps by.
TEST_F(ChainsTraining, StoppedAfterAnyTransitionEqualsTheUnbrokenRun) {
  if (test::is_guarded()) GTEST_SKIP() << "trains; transitions are tested on every device";
  for (const std::string how : {"langevin", "mala", "hmc", "nuts"}) {
    const Plan plan = test::plan_of_text(kEnergy, {"train.transition=" + how});
    const RunOptions unbroken = options(how + ".h5");
    ASSERT_TRUE(run_experiment(plan, unbroken).complete);
    RunOptions again = options(how + "_stopped.h5");
    EXPECT_FALSE(
        run_experiment(plan, again, {.step = [](const FitReport& at) { return at.step < 3; }}).complete);
    again.resume = true;
    EXPECT_TRUE(run_experiment(plan, again).complete);
    EXPECT_EQ(differences(Store::load(unbroken.file), Store::load(again.file)), std::vector<std::string>{})
        << how;
    EXPECT_EQ(test::only(Store::load(again.file)).has("/metrics/step/step_size"), how != "langevin");
  }
}

TEST_F(ChainsTraining, WhatMakesNoSenseIsRefusedBeforeAnythingIsTrained) {
  const std::string mixture = R"(
data = { name = "mixture", train = 60, test = 20 }
model = { kind = "gaussian_mixture", clusters = 3 }
train = { epochs = 1, batch = 60 }
optimizer = { kind = "none" }
)";
  const std::string strings = R"(
data = { name = "strings", train = 20, test = 10, longest = 3 }
model = { kind = "reader", layers = ["conv 4 5x5 pad 2", "batch_norm", "relu", "pool max 20x4"] }
train = { epochs = 1, batch = 10 }
optimizer = { learning_rate = 0.01 }
)";
  const std::string machine = R"(
data = { name = "bars_and_stripes", size = 3, scale = "threshold" }
model = { kind = "dbm", layers = [4, 3] }
train = { epochs = 1, batch = 10, pretrain = { epochs = 1 } }
optimizer = { learning_rate = 0.1 }
)";
  struct Case {
    std::string text;
    std::vector<std::string> settings;
    std::string words;
  };
  for (const auto& [text, settings, words] : std::vector<Case>{
           {kEnergy, {"model.layers=[]"}, "at least one layer"},
           {kEnergy,
            {"model.layers=[\"dense 4\", \"batch_norm\", \"tanh\", \"dense 1\"]"},
            "mixes those of a batch"},
           {kEnergy, {"model.layers=[\"dense 4\", \"dropout 0.5\", \"tanh\", \"dense 1\"]"}, "draws anew"},
           {kEnergy, {"train.transition=metropolis"}, "bits for \"metropolis\", received x, which is real"},
           {kEnergy, {"train.chains=1000000000", "data.name=strokes"}, "train.chains = 1000000000"},
           {kEnergy, {"evaluate.density={ reach = 1.0 }"}, "raise evaluate.density.reach"},
           {kEnergy, {"evaluate.density={ reach = 1e300 }"}, "between 0.001 and 1000000"},
           {mixture, {"model.clusters=1000000000"}, "model.clusters = 1000000000"},
           {mixture, {"evaluate.chains={}"}, "leave out the chains"},
           {strings, {}, "mixes those of a batch"},
           {strings,
            {"model.layers=[\"conv 4 5x5 pad 2\", \"pool max 20x4\"]", "model.hidden=1000000000"},
            "hidden = 1000000000"},
           {machine, {}, "train.pretrain.batch of at most the 14 samples"}}) {
    bool is_trained = false;
    const std::string error = test::error_of([&] {
      run_experiment(test::plan_of_text(text, settings), options("refused.h5"),
                     {.step = [&](const FitReport&) {
                       is_trained = true;
                       return false;
                     }});
    });
    EXPECT_TRUE(contains(error, words)) << error << "\nnot: " << words;
    EXPECT_LT(error.size(), 300u) << error;
    EXPECT_FALSE(is_trained) << words;
  }
}

}  // namespace
}  // namespace basin
