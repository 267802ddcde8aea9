#include "training/fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "data/catalog.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "models/rbm.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/experiment/checkpoint.h"
#include "training/optimizers/sgd.h"

namespace basin {
namespace {

constexpr Index kSide = 3;

Samples bars() { return load_dataset("bars_and_stripes", {.size = kSide}).train; }  // 14 patterns

Rbm small_rbm(Placement placement) {
  Rbm model = rbm({.visible_shape = {kSide, kSide}, .hidden_units = 6, .weight_scale = 0.1, .key = Key(3)});
  model.graph.to(placement);
  return model;
}

std::vector<std::vector<double>> numbers(const FactorGraph& graph) {
  std::vector<std::vector<double>> all;
  for (const Parameter& parameter : graph.parameters()) {
    all.push_back(parameter.tensor().values());
  }
  return all;
}

/// Remembers the batches it was asked about, and lowers nothing.
class Recorder final : public Objective {
 public:
  explicit Recorder(Variable v) : v_(std::move(v)) {}
  std::string name() const override { return "recorder"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry&, Key key,
                      EvaluateOptions options) const override {
    batches.push_back(batch[v_].tensor().values());
    keys.push_back(key.bits());
    Evaluation evaluation;
    evaluation.gradients.resize(graph.parameters().size());
    if (options.metrics) {
      evaluation.metrics["loss"] = static_cast<double>(batches.size());
    }
    return evaluation;
  }
  mutable std::vector<std::vector<double>> batches;
  mutable std::vector<std::uint64_t> keys;

 private:
  Variable v_;
};

TEST(Fit, SeesEverySampleOnceAnEpochInAnotherOrderEachTime) {
  FactorGraph graph;
  const Variable v = graph.real("v", {1});
  const std::vector<double> values = {0, 1, 2, 3, 4, 5, 6};
  const Recorder recorder(v);
  const FitState state = fit(graph, recorder, Tensor::from(std::span<const double>(values), {7, 1}), Sgd(),
                             {.epochs = 3, .batch = 2, .key = Key(1), .metrics_every = 2});
  ASSERT_EQ(state.step, 9);  // three whole batches of two an epoch: one sample is left out each time
  ASSERT_EQ(recorder.batches.size(), 9u);
  std::vector<std::vector<double>> epochs(3);
  for (std::size_t step = 0; step < 9; ++step) {
    ASSERT_EQ(recorder.batches[step].size(), 2u);
    epochs[step / 3].insert(epochs[step / 3].end(), recorder.batches[step].begin(),
                            recorder.batches[step].end());
  }
  for (const auto& epoch : epochs) {
    EXPECT_EQ(std::set<double>(epoch.begin(), epoch.end()).size(), 6u);
  }
  const std::vector<Index> order = permutation(Key(1).fold("order").fold(std::uint64_t{1}), 7);
  EXPECT_EQ(epochs[1], std::vector<double>(order.begin(), order.begin() + 6));
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_NE(epochs[1], epochs[2]);
  EXPECT_EQ(std::set<std::uint64_t>(recorder.keys.begin(), recorder.keys.end()).size(), 9u);
}

TEST(Fit, RecordsMetricsByStepAndTheirMeansByEpoch) {
  FactorGraph graph;
  const Variable v = graph.real("v", {1});
  const std::vector<double> values(8, 1.0);
  const Recorder recorder(v);
  const FitState state =
      fit(graph, recorder, Tensor::from(std::span<const double>(values), {8, 1}), Sgd(),
          {.epochs = 2, .batch = 2, .key = Key(1), .metrics_every = 3, .monitor = [](Index epoch) {
             return std::map<std::string, double>{{"monitor", 10.0 * static_cast<double>(epoch)}};
           }});
  const History::Table& steps = state.history.steps();
  EXPECT_EQ(steps.at, (std::vector<std::int64_t>{1, 4, 7}));
  EXPECT_EQ(steps.columns.at("loss"), (std::vector<double>{1, 4, 7}));
  const History::Table& epochs = state.history.epochs();
  EXPECT_EQ(epochs.at, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(epochs.columns.at("loss"), (std::vector<double>{2.5, 7.0}));
  EXPECT_EQ(epochs.columns.at("monitor"), (std::vector<double>{10, 20}));
}

TEST(Fit, BytesAndTheSameNumbersAsATensorTrainAlike) {
  const Samples samples = bars();
  std::vector<double> values(samples.pixels().begin(), samples.pixels().end());
  for (double& value : values) {
    value /= 255.0;
  }
  const FitOptions options = {.epochs = 3, .batch = 7, .key = Key(5)};
  const Rbm one = small_rbm(test::f64());
  fit(one.graph, ContrastiveDivergence(one.v, BlockGibbs({{one.h}, {one.v}})), samples, Sgd(), options);
  const Rbm two = small_rbm(test::f64());
  const Tensor tensor =
      Tensor::from(std::span<const double>(values), {samples.count, kSide, kSide}, test::f64());
  fit(two.graph, ContrastiveDivergence(two.v, BlockGibbs({{two.h}, {two.v}})), tensor, Sgd(), options);
  EXPECT_EQ(numbers(one.graph), numbers(two.graph));
}

TEST(Fit, ExactGradientLowersTheExactLossTowardsTheOptimum) {
  const Samples samples = bars();
  const Rbm model = small_rbm(test::f64());
  const Contrast objective = ExactLikelihood({model.v});
  const FitState state = fit(model.graph, objective, samples, Sgd({.learning_rate = 0.2, .momentum = 0.9}),
                             {.epochs = 300, .batch = 14, .key = Key(2), .metrics_every = 1});
  const std::vector<double>& loss = state.history.steps().columns.at("loss");
  const double optimum = std::log(14.0);
  EXPECT_NEAR(loss.front(), kSide * kSide * std::log(2.0), 0.5);
  EXPECT_GT(loss.back(), optimum);
  EXPECT_LT(loss.back(), optimum + 0.8);
}

struct ResumeCase {
  const char* name;
  ContrastiveDivergenceOptions objective;
  SgdOptions optimizer;
  bool averaged;
};

class Resume : public testing::TestWithParam<ResumeCase> {};

TEST_P(Resume, FromAnyStepEqualsTheUnbrokenFitBitForBit) {
  const Samples samples = bars();
  const FitOptions base = {.epochs = 4, .batch = 4, .key = Key(9), .metrics_every = 2};  // 3 steps an epoch
  const auto objective_of = [](const Rbm& model) {
    return ContrastiveDivergence(model.v, BlockGibbs({{model.h}, {model.v}}), GetParam().objective);
  };
  struct Outcome {
    std::vector<std::vector<double>> parameters, average;
    std::vector<double> loss;
  };
  const auto outcome = [&](const Rbm& model, const FitState& state, const Average& average) {
    Outcome result{numbers(model.graph), {}, state.history.epochs().columns.at("loss")};
    for (const auto& [name, tensor] : average.state()) {
      result.average.push_back(tensor.values());
    }
    return result;
  };
  const auto run = [&](Index stop) {
    Store store;
    {
      const Rbm model = small_rbm(test::f32());
      Sgd optimizer(GetParam().optimizer);
      Average average({.from = 0.3});
      FitOptions options = base;
      options.average = &average;
      FitState state;
      fit(model.graph, objective_of(model), {source(model.v, samples, test::f32())}, optimizer, options,
          state, [&](const FitReport& report) { return report.step != stop; });
      if (stop == 0) {
        return outcome(model, state, average);
      }
      write_checkpoint(store, model.graph.parameters(), optimizer, &average, state, 0);
    }
    const Rbm model = small_rbm(test::f32());
    Sgd optimizer(GetParam().optimizer);
    Average average({.from = 0.3});
    FitOptions options = base;
    options.average = &average;
    FitState state = read_checkpoint(store, model.graph.parameters(), optimizer, &average);
    EXPECT_EQ(state.step, stop);
    fit(model.graph, objective_of(model), {source(model.v, samples, test::f32())}, optimizer, options, state);
    return outcome(model, state, average);
  };
  const Outcome unbroken = run(0);
  for (const Index stop : {1, 3, 5, 11, 12}) {
    const Outcome resumed = run(stop);
    EXPECT_EQ(resumed.parameters, unbroken.parameters) << "stopped after step " << stop;
    EXPECT_EQ(resumed.average, unbroken.average) << "stopped after step " << stop;
    EXPECT_EQ(resumed.loss, unbroken.loss) << "stopped after step " << stop;
  }
}

INSTANTIATE_TEST_SUITE_P(Fit, Resume,
                         testing::Values(ResumeCase{"cd", {.steps = 2}, {}, false},
                                         ResumeCase{"pcd",
                                                    {.persistent = true, .centring = 0.05},
                                                    {.momentum = 0.5, .weight_decay = 1e-3},
                                                    true},
                                         ResumeCase{"fpcd",
                                                    {.persistent = true, .chains = 6, .fast_rate = 0.05},
                                                    {.momentum = 0.5, .nesterov = true},
                                                    true},
                                         ResumeCase{"derived",
                                                    {.persistent = true, .centring = 0.05, .fuse = Fuse::Off},
                                                    {.momentum = 0.5},
                                                    true}),
                         [](const auto& info) { return info.param.name; });

TEST(Fit, StopsWhenTheObserverSaysSo) {
  const Rbm model = small_rbm(test::f64());
  Sgd optimizer;
  FitState state;
  const Samples samples = bars();
  fit(model.graph, ContrastiveDivergence(model.v, BlockGibbs({{model.h}, {model.v}})),
      {source(model.v, samples, test::f64())}, optimizer, {.epochs = 5, .batch = 2, .key = Key(1)}, state,
      [](const FitReport& report) { return report.step < 4; });
  EXPECT_EQ(state.step, 4);
}

TEST(Fit, NamesStageStepFactorAndParameterWhenNumbersBlowUp) {
  const Rbm model = small_rbm(test::f32());
  try {
    fit(model.graph, ContrastiveDivergence(model.v, BlockGibbs({{model.h}, {model.v}})), bars(),
        Sgd({.learning_rate = 3e38}), {.epochs = 5, .batch = 7, .key = Key(1), .stage = "first"});
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const char* part : {"stage first", "epoch 1", "step ", "parameter ", " of "}) {
      EXPECT_NE(text.find(part), std::string::npos) << text;
    }
  }
}

TEST(Fit, RefusesBatchesLargerThanTheData) {
  const Rbm model = small_rbm(test::f64());
  const Contrast objective = ContrastiveDivergence(model.v, BlockGibbs({{model.h}, {model.v}}));
  EXPECT_THROW(fit(model.graph, objective, bars(), Sgd(), {.batch = 15}), Error);
  EXPECT_THROW(fit(model.graph, objective, bars(), Sgd(), {.batch = 0}), Error);
}

TEST(Source, RefusesSamplesOfAnotherSize) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {8});
  const Samples samples = bars();
  EXPECT_THROW(source(v, samples, test::f32()), Error);
  EXPECT_THROW(source(v, Tensor::zeros({5, 9}), test::f32()), Error);
}

TEST(Source, DrawsStochasticPixelsByKeyAndSampleAlone) {
  const Samples samples{byte_column("image", {kSide, kSide}, std::vector<std::uint8_t>(14 * 9, 128))};
  FactorGraph graph;
  const Variable v = graph.binary("v", {kSide, kSide});
  const Source batches = source(v, samples, test::f32(), {.scale = PixelScale::Stochastic});
  const std::vector<Index> forward = {2, 5}, backward = {5, 2};
  const std::vector<double> a = batches.batch(forward, Key(1))[v].tensor().values();
  const std::vector<double> b = batches.batch(backward, Key(1))[v].tensor().values();
  const std::vector<double> c = batches.batch(forward, Key(2))[v].tensor().values();
  EXPECT_TRUE(std::equal(a.begin(), a.begin() + 9, b.begin() + 9));
  EXPECT_TRUE(std::equal(a.begin() + 9, a.end(), b.begin()));
  EXPECT_NE(a, c);
}

}  // namespace
}  // namespace basin
