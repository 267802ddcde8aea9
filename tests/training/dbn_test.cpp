// Deep belief nets as pipelines: the bound, and samples from the top down, with and without labels.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/enumerate.h"
#include "tensor/error.h"
#include "training/experiment_fixture.h"
#include "training/measures/bound.h"
#include "training/plots/sampled.h"

namespace basin {
namespace {

using test::plan_of_text;

const std::string kDeep = R"(
seed = 3
data = { name = "bars_and_stripes", size = 3, scale = "threshold" }

[[stages]]
name = "first"
model = { hidden = 5 }
train = { epochs = 30, batch = 14, dtype = "f64" }
optimizer = { learning_rate = 0.3 }
evaluate = { log_likelihood = "exact" }

[[stages]]
name = "second"
model = { hidden = 4 }
train = { epochs = 30, batch = 14, dtype = "f64" }
optimizer = { learning_rate = 0.3 }
evaluate = { log_likelihood = "exact", bound_draws = 100 }
)";

class DeepBeliefNets : public test::ExperimentFolder {
 protected:
  DeepBeliefNets() { replace_ = true; }

  RunResult run(const Plan& plan) {
    RunOptions how = options("run.h5");
    how.pictures = false;
    return run_experiment(plan, how);
  }
};

double in(const Store& stage, const char* name) {
  return stage.numbers(std::string("/evaluation/") + name).at(0);
}

/// The mean over samples of E_q[log p(v, h) - log q(h | v)] and of log p(v), by all states of the layer
/// between.
std::pair<double, double> enumerated(const BeliefNet& own, const Value& v) {
  const auto& [layer, top] = std::pair(own.net.layers.at(0), own.net.top);
  const Index states = state_count({layer.above}), samples = v.dim(0);
  const Placement where = layer.generation.placement();
  const Value h = enumerate_states({layer.above}, 0, states, where)[layer.above];
  const std::vector<double>
      up = free_energy(layer.generation, {layer.below}, State().set(layer.above, h)).tensor().values(),
      above = free_energy(top, own.net.latents, State().set(own.net.visible, h)).tensor().values();
  const double log_z = log_partition(top).item();
  double bound = 0.0, log_p = 0.0;
  for (Index n = 0; n < samples; ++n) {
    const Value one = v.tensor().rows(n, n + 1);
    double mean = 0.0, total = 0.0;
    for (Index s = 0; s < states; ++s) {
      const auto i = static_cast<std::size_t>(s);
      const State both = State().set(layer.below, one).set(layer.above, h.tensor().rows(s, s + 1));
      const double energy = layer.generation.energy(both).item();
      const double log_q =
          free_energy(layer.generation, {layer.above}, State().set(layer.below, one)).item() - energy;
      const double log_joint = up[i] - energy - above[i] - log_z;  // log p(v | h) + log p(h)
      mean += std::exp(log_q) * (log_joint - log_q);
      total += std::exp(log_joint);
    }
    bound += mean / static_cast<double>(samples);
    log_p += std::log(total) / static_cast<double>(samples);
  }
  return {bound, log_p};
}

TEST_F(DeepBeliefNets, AreMeasuredByTheirBound) {
  const Plan plan = plan_of_text(kDeep);
  const RunResult result = run(plan);
  EXPECT_FALSE(result.store.has("/stages/first/evaluation/test_bound"));
  const Store second = result.store.group("/stages/second");
  RestoredStage restored(result.store, plan, "second", test::device());
  const auto* own = restored.stage().facets.get<BeliefNet>();
  ASSERT_NE(own, nullptr);
  const Samples& test = own->data().test;
  const State batch = stage_source(own->first, test, PixelScale::Threshold)
                          .batch(std::vector<Index>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, Key(1));
  ASSERT_EQ(test.count, 14);
  const auto [bound, log_p] = enumerated(*own, batch[own->net.samples()]);
  const double error = in(second, "bound_standard_error");
  EXPECT_LT(error, 0.04);
  EXPECT_NEAR(in(second, "test_bound"), bound, 4.0 * error);
  EXPECT_LT(bound, log_p - 0.02);
  EXPECT_NEAR(in(second, "test_importance_bound"), log_p, 0.04);
  EXPECT_EQ(in(second, "test_bound"), in(second, "test_bound_high"));  // one log Z: the exact one
  EXPECT_EQ(test::evaluated(result.store, plan).numbers("/evaluation/test_bound").at(0),
            in(second, "test_bound"));
}

TEST_F(DeepBeliefNets, TheBoundTakesTheLargerLogZ) {
  const RunResult result = run(plan_of_text(
      kDeep,
      {"stages.second.evaluate={ bound_draws = 5, ais = { chains = 20, temperatures = 3, burn_in = 2 } }"}));
  const Store second = result.store.group("/stages/second");
  const double forward = in(second, "forward/log_partition"), reverse = in(second, "reverse/log_partition");
  EXPECT_NE(forward, reverse);
  EXPECT_NEAR(in(second, "test_bound_high") - in(second, "test_bound"), std::abs(forward - reverse), 1e-9);
  EXPECT_EQ(in(second, "bound_effective_samples"),
            in(second, forward > reverse ? "forward/effective_samples" : "reverse/effective_samples"));
}

const std::string kLabels = R"(
seed = 2
data = { name = "parity", size = 3, scale = "threshold", train = 64, test = 16 }
head = { kind = "label_rbm", hidden = 4, objective = "generative", weight_scale = 1.0 }
fine_tune = { epochs = 3, batch = 8, optimizer = { learning_rate = 0.05 } }
)";

std::vector<double> mean_of(const Samples& samples) {
  return mean(Value(samples.first().reals()), {0}).tensor().values();
}

TEST_F(DeepBeliefNets, LabelsOfSamplesAreDrawnOrClamped) {
  const Plan plan = plan_of_text(kLabels);
  const RunResult result = run(plan);
  RestoredStage restored(result.store, plan, "head", test::device());
  const FactorGraph& graph = restored.stage().graph;
  const Variable v = graph.find("v"), y = graph.find("y"), h = graph.find("h");
  constexpr Index kCount = 600;
  const double tolerance = 4.0 * 0.5 / std::sqrt(static_cast<double>(kCount));
  // p(v, y) by its free energy at all 16 states.
  const State all = enumerate_states({v, y}, 0, state_count({v, y}), graph.placement());
  const std::vector<double> energy = free_energy(graph, {h}, all).tensor().values(),
                            x = all[v].tensor().values(), labels = all[y].tensor().values();
  double total = 0.0, of_one = 0.0;
  std::vector<double> mean_of_one(3, 0.0);
  for (std::size_t s = 0; s < energy.size(); ++s) {
    const double p = std::exp(-energy[s]);
    total += p;
    if (labels[2 * s + 1] == 0.0) continue;
    of_one += p;
    for (std::size_t i = 0; i < 3; ++i) mean_of_one[i] += p * x[3 * s + i];
  }
  const Samples clamped = sampled(restored.view(), {.count = kCount, .steps = 6, .label = 1});
  ASSERT_NE(clamped.find("label"), nullptr);
  for (const std::int32_t label : clamped["label"].integers()) EXPECT_EQ(label, 1);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(mean_of(clamped)[i], mean_of_one[i] / of_one, tolerance);
  const Samples free = sampled(restored.view(), {.count = kCount, .steps = 6});
  double ones = 0.0;
  for (const std::int32_t label : free["label"].integers()) ones += label;
  EXPECT_NEAR(ones / static_cast<double>(kCount), of_one / total, tolerance);
  EXPECT_THROW((void)sampled(restored.view(), {.count = 1, .label = 2}), Error);
}

TEST_F(DeepBeliefNets, SamplesOfTheTopAreThoseOfTheFirstStage) {
  const Plan plan = plan_of_text(kDeep);
  const RunResult result = run(plan);
  RestoredStage restored(result.store, plan, "second", test::device());
  const Samples bits = sampled(restored.view(), {.count = 20, .steps = 3}),
                means = sampled(restored.view(), {.count = 20, .steps = 3, .means = true});
  EXPECT_EQ(bits.shape(), (Shape{3, 3}));
  EXPECT_EQ(bits.find("label"), nullptr);
  for (const double bit : bits.first().reals().values()) EXPECT_TRUE(bit == 0.0 || bit == 1.0);
  EXPECT_NE(bits.first().reals().values(), means.first().reals().values());
  EXPECT_THROW((void)sampled(restored.view(), {.count = 1, .label = 1}), Error);
}

}  // namespace
}  // namespace basin
