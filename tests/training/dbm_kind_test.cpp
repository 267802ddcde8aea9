// Deep Boltzmann machines as stages: pretraining, the bound, samples, the encoder.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/likelihood/log_likelihood.h"
#include "energy/sample/mean_field.h"
#include "tensor/error.h"
#include "training/experiment_fixture.h"
#include "training/measures/mean_field_bound.h"
#include "training/plots/sampled.h"

namespace basin {
namespace {

using test::number;
using test::plan_of_text;

const std::string kSmall = R"(
seed = 3
data = { name = "bars_and_stripes", size = 3, scale = "threshold" }
model = { kind = "dbm", layers = [6, 4], weight_scale = 0.3 }
train = { epochs = 600, batch = 14, dtype = "f64", chains = 50, centring = 0.1, pretrain = { epochs = 400, batch = 14, learning_rate = 0.4 } }
optimizer = { learning_rate = 0.2, schedule = "linear" }
evaluate = { log_likelihood = "exact" }
results = { sample_chains = 40, sample_steps = 5 }
)";

class DeepBoltzmannMachines : public test::ExperimentFolder {
 protected:
  DeepBoltzmannMachines() { replace_ = true; }

  RunResult run(const Plan& plan, const std::string& name = "run.h5") {
    RunOptions how = options(name);
    how.pictures = false;
    return run_experiment(plan, how);
  }
};

// The bound by a log Z that is enumerated, below the likelihood that is; by annealing within 4 of its errors.
TEST_F(DeepBoltzmannMachines, AreMeasuredByTheirBound) {
  if (test::is_guarded()) GTEST_SKIP() << "trainings take too long on guarded pages";
  const Plan plan = plan_of_text(kSmall);
  const RunResult result = run(plan);
  RestoredStage restored(result.store, plan, "", test::device());
  const auto* machine = restored.stage().facets.get<DeepMachine>();
  ASSERT_NE(machine, nullptr);
  const FactorGraph& graph = restored.stage().graph;
  const State batch = stage_source(restored.stage(), restored.view().data().test, PixelScale::Threshold)
                          .batch(std::vector<Index>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, Key(1));
  ASSERT_EQ(restored.view().data().test.count, 14);
  const double log_z = log_partition(graph).item(),
               exact = average_log_likelihood(graph, machine->latents, batch, log_z);
  EXPECT_NEAR(number(result.store, "exact/log_partition"), log_z, 1e-9);
  const double bound = number(result.store, "test_bound");
  EXPECT_LT(bound, exact);
  EXPECT_GT(bound, exact - 0.5);
  EXPECT_GT(exact, -9.0 * std::log(2.0) + 1.0);  // it has learned something
  State means = State().set(machine->visible, batch[machine->visible]);
  means = iterate(MeanField(machine->latents), graph, means, machine->updates, Key(0));
  const double by_hand = -mean(variational_free_energy(graph, machine->latents, means)).item() - log_z;
  EXPECT_NEAR(bound, by_hand, 1e-9);

  Plan annealed =
      plan_of_text(kSmall, {"evaluate={ ais = { chains = 300, temperatures = 60, burn_in = 30 } }"});
  const Store again = test::evaluated(result.store, annealed);
  for (const char* way : {"forward", "reverse"}) {
    const std::string name = way;
    EXPECT_NEAR(number(again, name + "/log_partition"), log_z, 4.0 * number(again, name + "/standard_error"));
    EXPECT_LT(number(again, name + "/standard_error"), 0.1);
  }
  const double worst =
      std::max(number(again, "forward/log_partition"), number(again, "reverse/log_partition"));
  EXPECT_NEAR(number(again, "test_bound"), bound + log_z - worst, 1e-9);
  EXPECT_LE(number(again, "test_bound"), number(again, "test_bound_high"));
}

// Trained by themselves, layers put together are a better machine than a random one.
TEST_F(DeepBoltzmannMachines, BeginWithLayersTrainedByThemselves) {
  if (test::is_guarded()) GTEST_SKIP() << "trainings take too long on guarded pages";
  const std::vector<std::string> few{"train.epochs=1", "optimizer.learning_rate=1e-6"};
  std::vector<std::string> none = few;
  none.emplace_back("train.pretrain={}");
  const double pretrained = number(run(plan_of_text(kSmall, few)).store, "test_bound"),
               random = number(run(plan_of_text(kSmall, none)).store, "test_bound");
  EXPECT_GT(pretrained, random + 0.3);
}

TEST_F(DeepBoltzmannMachines, GoOnAsIfNeverInterrupted) {
  const Plan plan = plan_of_text(kSmall, {"train.epochs=6", "train.pretrain.epochs=3"});
  const RunResult whole = run(plan);
  RunOptions how = options("parts.h5");
  how.pictures = false;
  std::vector<std::string> said;
  int steps = 0;
  RunHooks hooks;
  hooks.step = [&](const FitReport&) { return ++steps < 3; };
  run_experiment(plan, how, hooks);
  how.resume = true;
  hooks.step = {};
  hooks.say = [&](const std::string& line) { said.push_back(line); };
  const RunResult parts = run_experiment(plan, how, hooks);
  for (const std::string& line : said) EXPECT_EQ(line.find("pretraining"), std::string::npos) << line;
  EXPECT_EQ(number(parts.store, "test_bound"), number(whole.store, "test_bound"));
}

TEST_F(DeepBoltzmannMachines, GiveMeansAndSamples) {
  const Plan plan =
      plan_of_text(kSmall, {"train.epochs=2", "train.pretrain.epochs=2", "model.encoder_updates=30"});
  const RunResult result = run(plan);
  RestoredStage restored(result.store, plan, "", test::device());
  const Stage& stage = restored.stage();
  const auto* machine = stage.facets.get<DeepMachine>();
  ASSERT_NE(machine, nullptr);
  const State batch = stage_source(stage, restored.view().data().test, PixelScale::Threshold)
                          .batch(std::vector<Index>{0, 5, 9}, Key(1));
  const Value codes = stage.encoder->forward(batch[machine->visible], {});
  const State means = iterate(MeanField(machine->latents), stage.graph,
                              State().set(machine->visible, batch[machine->visible]), 60, Key(0));
  const std::vector<double> found = codes.tensor().values(),
                            expected = means[stage.graph.find("h2")].tensor().values();
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4);
  EXPECT_EQ(sampled(restored.view(), {.count = 20, .steps = 3}).first().count(), 20);
}

TEST_F(DeepBoltzmannMachines, WhatMakesNoSenseIsRefused) {
  for (const auto& [setting, words] :
       std::vector<std::pair<std::string, std::string>>{{"model.layers=[5]", "two layers or more"},
                                                        {"model.layers=[5, 0]", "whole numbers"},
                                                        {"train.pretrain.learning_rate=0", "learning_rate"},
                                                        {"evaluate.scale=\"unit\"", "bits"}}) {
    try {
      run(plan_of_text(kSmall, {setting}));
      FAIL() << setting;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace basin
