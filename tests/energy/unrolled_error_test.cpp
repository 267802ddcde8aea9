#include "energy/objectives/latents/unrolled_error.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "energy/factors/network.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/proximal.h"
#include "energy/objectives/mean_energy.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "oracle.h"

namespace basin::test {
namespace {

struct UnrolledErrorTest : testing::Test {
  FactorGraph coding, graph;
  Variable y = coding.real("y", {6}), z = coding.real("z", {8});
  Variable source = graph.real("y", {6}), target = graph.real("x", {8});
  Tensor at_y = normal(Key(3), {5, 6}, f64()), at_x = normal(Key(4), {5, 8}, f64());
  State batch = State().set(source, at_y).set(target, at_x);
  std::shared_ptr<const Unrolled> net;

  UnrolledErrorTest() {
    coding.add(SquaredError(y, Linear(8, 6, Key(1), {.bias = false}), z)).add(L1(z, 0.3));
    randomise(coding, Key(2), 0.5);
    net = std::make_shared<const Unrolled>(
        unroll(coding, Ista(z, {.step = 0.1}), y, z, {.steps = 4, .sharing = Sharing::Tied}));
    graph.add(SquaredError(target, net, source));
  }

  double loss(const Objective& objective, const FactorGraph& on) const {
    Carry carry;
    return objective.evaluate(on, batch, carry, Key(0)).metrics.at("loss");
  }
  double loss(const UnrolledErrorOptions& options) const {
    return loss(UnrolledError(target, net, source, options), graph);
  }

  /// Its gradients against differences of its loss, along a random direction of each parameter.
  void expect_gradients(const UnrolledErrorOptions& options) const {
    const UnrolledError objective(target, net, source, options);
    Carry carry;
    const Evaluation evaluation = objective.evaluate(graph, batch, carry, Key(0), {.metrics = false});
    EXPECT_TRUE(evaluation.metrics.empty());
    ASSERT_EQ(evaluation.gradients.size(), graph.parameters().size());
    for (std::size_t i = 0; i < evaluation.gradients.size(); ++i) {
      const Tensor& parameter = graph.parameters()[i].tensor();
      const Tensor centre = parameter.clone();
      const Value direction = normal(Key(9).fold(i), centre.shape(), f64());
      const auto shifted = [&](double step) {
        parameter.copy_from((Value(centre) + direction * step).tensor());
        return loss(options);
      };
      const double difference = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
      parameter.copy_from(centre);
      const Value gradient = evaluation.gradients[i].to_tensor(centre.shape());
      EXPECT_NEAR(difference, sum(gradient * direction).item(), 1e-6);
    }
  }
};

TEST_F(UnrolledErrorTest, SumsTheLogarithmsOfTheDepths) {
  const UnrolledErrorOptions options{.depths = {1, 4}, .floor = 0.01};
  EXPECT_EQ(graph.parameters()[0].name(), "y.x.encoder");
  const std::vector<double> x = at_x.values();
  const std::vector<Value> codes = net->codes(Value(at_y));
  double expected = 0.0;
  for (std::size_t n = 0; n < 5; ++n) {
    for (const std::size_t depth : {0U, 3U}) {
      const std::vector<double> code = codes[depth].tensor().values();
      double error = 0.0, scale = 0.0;
      for (std::size_t i = 8 * n; i < 8 * n + 8; ++i) {
        error += (code[i] - x[i]) * (code[i] - x[i]);
        scale += x[i] * x[i];
      }
      expected += std::log(0.01 + error / scale) / 5.0;
    }
  }
  EXPECT_NEAR(loss(options), expected, 1e-9);
  expect_gradients(options);
}

TEST_F(UnrolledErrorTest, AllDepthsByDefault) {
  EXPECT_EQ(loss(UnrolledErrorOptions{}), loss({.depths = {1, 2, 3, 4}}));
  batch.set(target, Tensor::zeros({5, 8}, f64()));
  for (const bool total : {false, true}) EXPECT_TRUE(std::isfinite(loss({.total = total})));
}

TEST_F(UnrolledErrorTest, InTotalItIsTheLogarithmOfTheBatch) {
  batch = State().set(source, at_y);
  const UnrolledErrorOptions options{
      .depths = {2, 4}, .total = true, .prepare = [this](const State& given, Key) {
        return given.with(target, at_x);
      }};
  const std::vector<Value> codes = net->codes(Value(at_y));
  double expected = 0.0;
  for (const std::size_t depth : {1U, 3U}) {
    expected += std::log(sum(square(codes[depth] - Value(at_x))).item() / sum(square(Value(at_x))).item());
  }
  EXPECT_NEAR(loss(options), expected, 1e-12);
  expect_gradients(options);
}

/// The energy of the codes that a module gives is an energy of y alone; lowered, it trains the module end to
/// end.
TEST_F(UnrolledErrorTest, EndToEndTrainingLowersTheEnergy) {
  FactorGraph amortised;
  const Function energy(
      [this](const Value& x, const Context&) {
        return coding.energy(State().set(y, x).set(z, net->forward(x)));
      },
      net->parameters());
  amortised.add(Network(energy, {amortised.real("y", {6})}));
  EXPECT_EQ(amortised.parameters()[0].name(), "network.encoder");
  const double before = loss(MeanEnergy(), amortised);
  Carry carry;
  for (int step = 0; step < 50; ++step) {
    const Evaluation evaluation = MeanEnergy().evaluate(amortised, batch, carry, Key(0));
    for (std::size_t i = 0; i < evaluation.gradients.size(); ++i) {
      evaluation.gradients[i].accumulate(amortised.parameters()[i].tensor(), -0.02, 1.0);
    }
  }
  // ISTA from zeros needs 6 iterations for what the trained network does in 4: their energy is `before`.
  State state = State().set(y, at_y).set(z, Tensor::zeros({5, 8}, f64()));
  for (std::uint64_t k = 0; k < 6; ++k) state = Ista(z, {.step = 0.1})(coding, state, Key(k));
  EXPECT_LT(loss(MeanEnergy(), amortised), mean(coding.energy(state)).item());
  EXPECT_LT(loss(MeanEnergy(), amortised), before);
}

TEST_F(UnrolledErrorTest, Errors) {
  const Variable other = graph.real("w", {7});
  EXPECT_TRUE(contains(error_of([&] { UnrolledError(target, nullptr, source); }), "expected a network"));
  EXPECT_TRUE(
      contains(error_of([&] { UnrolledError(other, net, source); }), "expected a target of 8 numbers"));
  EXPECT_TRUE(contains(error_of([&] { UnrolledError(target, net, source, {.depths = {5}}); }),
                       "depths from 1 to 4, received 5"));
  EXPECT_TRUE(contains(error_of([&] { UnrolledError(target, net, source, {.floor = 0.0}); }), "a floor > 0"));
}

}  // namespace
}  // namespace basin::test
