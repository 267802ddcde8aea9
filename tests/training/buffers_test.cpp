// Buffers of modules: statistics of batches that nothing trains, stored with the parameters.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "autograd/ops.h"
#include "energy/factors/network.h"
#include "energy/factors/score.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/objectives/labels/label_loss.h"
#include "energy/objectives/mean_energy.h"
#include "energy/objectives/sequence_energy.h"
#include "modules/activation.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "modules/normalisation/batch_norm.h"
#include "modules/sequential/sequential.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/experiment/checkpoint.h"
#include "training/fit.h"
#include "training/optimizers/adam.h"
#include "training/optimizers/sgd.h"

namespace basin {
namespace {

constexpr Index kSamples = 12, kSize = 3, kBatch = 4;
constexpr double kKeep = 0.75;

/// x - m, where m slides towards the mean of the batches.
class Centred final : public Module {
 public:
  explicit Centred(Placement placement)
      : mean_(Parameter::buffer("mean", Tensor::zeros({kSize}, placement))) {}
  Value forward(const Value& x, const Context& context) const override {
    const Value old = mean_.value().detached();
    context.observe(mean_, (kKeep * old + (1.0 - kKeep) * mean(x.detached(), {0})).tensor());
    return x - old;
  }
  std::vector<Parameter> parameters() const override { return {mean_}; }

 private:
  Parameter mean_;
};

struct Model {
  FactorGraph graph;
  Variable x = graph.real("x", {kSize});
  Model() {
    const Placement placement = test::f64();
    graph.add(Network(
        Sequential().add(Centred(placement)).add(Linear(kSize, 1, Key(1), {.placement = placement})), {x}));
  }
  std::vector<double> buffer() const { return graph.parameter("network.0.mean").tensor().values(); }
  std::vector<double> weight() const { return graph.parameter("network.1.weight").tensor().values(); }
};

Tensor samples() { return normal(Key(5), {kSamples, kSize}, test::f64()); }

FitOptions options(Index epochs) { return {.epochs = epochs, .batch = kBatch, .key = Key(7)}; }

/// The order in which fit() shows samples, from an objective that writes them down.
class Recorder final : public Objective {
 public:
  Recorder(Variable x, std::vector<std::vector<double>>* batches) : x_(std::move(x)), batches_(batches) {}
  std::string name() const override { return "recorder"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry&, Key,
                      EvaluateOptions) const override {
    batches_->push_back(batch[x_].tensor().values());
    Evaluation nothing;
    nothing.gradients.resize(graph.parameters().size());
    return nothing;
  }

 private:
  Variable x_;
  std::vector<std::vector<double>>* batches_;
};

TEST(Buffers, TakeInEachBatchAfterItsStep) {
  const Model model;
  std::vector<std::vector<double>> batches;
  fit(model.graph, Recorder(model.x, &batches), samples(), Sgd({.learning_rate = 0.1}), options(2));
  ASSERT_EQ(batches.size(), 6u);
  std::vector<double> expected(kSize, 0.0);
  for (const std::vector<double>& batch : batches) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      double sum = 0.0;
      for (std::size_t n = 0; n < static_cast<std::size_t>(kBatch); ++n) sum += batch[n * kSize + i];
      expected[i] = kKeep * expected[i] + (1.0 - kKeep) * sum / static_cast<double>(kBatch);
    }
  }
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(model.buffer()[i], expected[i], 1e-14);
}

TEST(Buffers, OptimizersLeaveThemAlone) {
  const Model model;
  const State batch = State().set(model.x, samples());
  Carry carry;
  const Evaluation evaluation = MeanEnergy().evaluate(model.graph, batch, carry, Key(0));
  const std::vector<double> before = model.weight();
  model.graph.parameter("network.0.mean").tensor().copy_from(Tensor::full({kSize}, 2.0, test::f64()));
  Sgd({.learning_rate = 0.1, .weight_decay = 0.5}).step(model.graph.parameters(), evaluation.gradients, {});
  Adam({.learning_rate = 0.1}).step(model.graph.parameters(), evaluation.gradients, {});
  EXPECT_EQ(model.buffer(), std::vector<double>(kSize, 2.0));
  EXPECT_NE(model.weight(), before);
}

TEST(Buffers, AreStoredAndGoOnWithTheRun) {
  const Model whole, half, resumed;
  fit(whole.graph, MeanEnergy(), samples(), Sgd({.learning_rate = 0.1}), options(2));
  Sgd first({.learning_rate = 0.1}), second({.learning_rate = 0.1});
  FitState state;
  const std::vector<Source> sources{source(half.x, samples(), half.graph.placement())};
  fit(half.graph, MeanEnergy(), sources, first, options(2), state,
      [](const FitReport& report) { return report.step < 2; });
  Store store;
  write_checkpoint(store, half.graph.parameters(), first, nullptr, state, 0);
  FitState again = read_checkpoint(store, resumed.graph.parameters(), second, nullptr);
  fit(resumed.graph, MeanEnergy(), sources, second, options(2), again);
  EXPECT_EQ(resumed.buffer(), whole.buffer());
  EXPECT_EQ(resumed.weight(), whole.weight());
  EXPECT_NE(whole.buffer(), std::vector<double>(kSize, 0.0));
}

TEST(Buffers, StayWhereTheyAreFrozen) {
  const Model model;
  fit(model.graph, MeanEnergy(), samples(), Sgd({.learning_rate = 0.1, .rates = {{"network.0.", 0.0}}}),
      options(1));
  EXPECT_EQ(model.buffer(), std::vector<double>(kSize, 0.0));
}

TEST(Buffers, OfSlicesAreMeansOverTheWhole) {
  const Model model;
  FitOptions sliced = options(1);
  Index calls = 0;
  sliced.reduce = [&](std::span<const Tensor> means, Index count) {
    EXPECT_EQ(count, kBatch);
    for (const Tensor& mean : means) {
      if (mean.shape() != Shape{kSize}) continue;
      ++calls;
      mean.copy_from(Tensor::full({kSize}, 3.0, mean.placement()));
    }
  };
  std::vector<std::vector<double>> batches;
  fit(model.graph, Recorder(model.x, &batches), samples(), Sgd({.learning_rate = 0.1}), sliced);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(model.buffer(), std::vector<double>(kSize, 3.0));
}

struct Normalised {
  FactorGraph graph;
  Variable x = graph.real("x", {kSize}), y = graph.categorical("y", {2});
  Normalised() {
    const Placement placement = test::f64();
    graph.add(Score(y,
                    Sequential()
                        .add(Linear(kSize, 4, Key(1), {.placement = placement}))
                        .add(BatchNorm(4, {.momentum = 1.0, .placement = placement}))
                        .add(Linear(4, 2, Key(2), {.placement = placement})),
                    x));
  }
  State batch(Index count) const {
    const Tensor labels = Tensor::zeros({count}, test::f64());
    return State().set(x, samples().rows(0, count)).set(y, one_hot(labels, 2));
  }
  Parameter mean() const { return graph.parameter("1.mean"); }
};

// The one pass of a classifier's step observes: the statistics are those at the parameters before the step,
// and they are what the loss used.
TEST(Buffers, OfBatchNormalisationAreSeenByThePassOfTheStep) {
  const Normalised model;
  const State batch = model.batch(kBatch);
  const Value before = matmul(batch[model.x], model.graph.parameter("0.weight").value()).detached() +
                       model.graph.parameter("0.bias").value().detached();
  EvaluateOptions options;
  options.observations = std::make_shared<Observations>();
  Carry carry;
  const Evaluation trained =
                       ConditionalLikelihood({model.y}).evaluate(model.graph, batch, carry, Key(1), options),
                   plain = ConditionalLikelihood({model.y}).evaluate(model.graph, batch, carry, Key(1));
  EXPECT_NE(trained.metrics.at("loss"), plain.metrics.at("loss"));
  ASSERT_EQ(options.observations->seen.size(), 2u);  // mean and variance, once each
  const std::vector<double> expected = mean(before, {0}).tensor().values(),
                            found = options.observations->seen[0].next.values();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-13);
  EXPECT_EQ(model.mean().tensor().values(), std::vector<double>(4, 0.0));
}

TEST(Buffers, AreSeenByThePassOfALabelLoss) {
  const Normalised model;
  const State batch = model.batch(kBatch);
  EvaluateOptions options;
  options.observations = std::make_shared<Observations>();
  Carry carry;
  const LabelLoss likelihood(model.y, LabelLoss::Kind::Nll);
  const double seen = likelihood.evaluate(model.graph, batch, carry, Key(1), options).metrics.at("loss");
  EXPECT_EQ(options.observations->seen.size(), 2u);
  options.observations = std::make_shared<Observations>();
  const double same = ConditionalLikelihood({model.y})
                          .evaluate(model.graph, batch, carry, Key(1), options)
                          .metrics.at("loss");
  EXPECT_NEAR(seen, same, 1e-14);
  EXPECT_NE(seen, likelihood.evaluate(model.graph, batch, carry, Key(1)).metrics.at("loss"));
}

// Energies of answers that take a row each would put all answers into the statistics.
TEST(Buffers, AreNotSeenWhereAnswersAreEnumerated) {
  FactorGraph graph;
  const Variable x = graph.real("x", {kSize}), y = graph.categorical("y", {2});
  graph.add(Network(Sequential()
                        .add(BatchNorm(kSize + 2, {.placement = test::f64()}))
                        .add(Linear(kSize + 2, 1, Key(1), {.placement = test::f64()}))
                        .add(Activation(Activation::Kind::Tanh)),
                    {x, y}));
  const State batch = State().set(x, samples()).set(y, one_hot(Tensor::zeros({kSamples}, test::f64()), 2));
  EvaluateOptions options;
  options.observations = std::make_shared<Observations>();
  Carry carry;
  LabelLoss(y, LabelLoss::Kind::Hinge).evaluate(graph, batch, carry, Key(1), options);
  EXPECT_TRUE(options.observations->seen.empty());
}

TEST(Buffers, AreSeenByThePassOfASequenceEnergy) {
  FactorGraph graph;
  const Variable x = graph.real("x", {0, kSize});
  const auto buffer = Parameter::buffer("mean", Tensor::zeros({1}, test::f64()));
  graph.add(Network(Function(
                        [buffer](const Value& x, const Context& context) {
                          context.observe(buffer, Tensor::full({1}, 2.0, test::f64()));
                          return x;
                        },
                        {buffer}),
                    {x}));
  const State batch = State().set(x, reshape(Value(samples()), {4, 3, kSize}));
  EvaluateOptions options;
  options.observations = std::make_shared<Observations>();
  Carry carry;
  SequenceEnergy().evaluate(graph, batch, carry, Key(1), options);
  EXPECT_EQ(options.observations->seen.size(), 1u);
}

TEST(Buffers, OfBatchNormalisationMoveWithTheFit) {
  const Normalised model;
  const State all = model.batch(kSamples);
  const Samples data{real_column("x", samples()),
                     integer_column("y", {}, std::vector<std::int32_t>(kSamples, 0), 2)};
  fit(model.graph, ConditionalLikelihood({model.y}), data, Sgd({.learning_rate = 0.1}), options(1));
  EXPECT_NE(model.mean().tensor().values(), std::vector<double>(4, 0.0));
  // Nobody trains: each sample's energy is its own.
  const std::vector<double> together = model.graph.energy(all).tensor().values(),
                            alone = model.graph.energy(model.batch(1)).tensor().values();
  EXPECT_EQ(together[0], alone[0]);
}

// A module that reads what is freed would see the zeros of an expansion: it does not observe there, and its
// samples stay apart.
TEST(Buffers, OfModulesOnWhatIsFreedAreNotSeenInTheStep) {
  FactorGraph graph;
  const Variable y = graph.binary("y", {kSize});
  graph.add(Network(BatchNorm(kSize, {.placement = test::f64()}), {y}));
  const State batch = State().set(y, step(Value(samples())).detached());
  EvaluateOptions options;
  options.observations = std::make_shared<Observations>();
  Carry carry;
  ExactLikelihood({y}).evaluate(graph, batch, carry, Key(1), options);
  EXPECT_TRUE(options.observations->seen.empty());
}

TEST(Buffers, BatchNormalisationRefusesOneSample) {
  const Normalised model;
  EvaluateOptions options;
  options.observations = std::make_shared<Observations>();
  Carry carry;
  EXPECT_THROW(ConditionalLikelihood({model.y}).evaluate(model.graph, model.batch(1), carry, Key(1), options),
               Error);
}

}  // namespace
}  // namespace basin
