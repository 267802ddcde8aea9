#include "energy/minimise/unroll/unrolled_error.h"

#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/factors/amortised.h"
#include "energy/factors/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/proximal.h"
#include "energy/objectives/mean_energy.h"
#include "energy/objectives/total_error.h"
#include "modules/linear.h"
#include "oracle.h"

namespace basin::test {
namespace {

struct UnrolledErrorTest : testing::Test {
  FactorGraph coding;
  Variable y = coding.real("y", {6}), z = coding.real("z", {8});
  Tensor at_y = normal(Key(3), {5, 6}, f64()), at_x = normal(Key(4), {5, 8}, f64());
  std::shared_ptr<const Unrolled> net;

  UnrolledErrorTest() {
    coding.add(SquaredError(y, Linear(8, 6, Key(1), {.bias = false}), z)).add(L1(z, 0.3));
    randomise(coding, Key(2), 0.5);
    net = std::make_shared<const Unrolled>(
        unroll(coding, Ista(z, {.step = 0.1}), y, z, {.steps = 4, .sharing = Sharing::Tied}));
  }
};

TEST_F(UnrolledErrorTest, SumsTheLogarithmsOfTheDepths) {
  FactorGraph graph;
  const Variable source = graph.real("y", {6}), target = graph.real("x", {8});
  graph.add(UnrolledError(target, net, source, {.depths = {1, 4}, .floor = 0.01}));
  EXPECT_EQ(graph.parameters()[0].name(), "y.x.encoder");
  const State state = State().set(source, at_y).set(target, at_x);
  const std::vector<double> energy = graph.energy(state).tensor().values(), x = at_x.values();
  const std::vector<Value> codes = net->codes(Value(at_y));
  for (std::size_t n = 0; n < 5; ++n) {
    double expected = 0.0;
    for (const std::size_t depth : {0U, 3U}) {
      const std::vector<double> code = codes[depth].tensor().values();
      double error = 0.0, scale = 0.0;
      for (std::size_t i = 8 * n; i < 8 * n + 8; ++i) {
        error += (code[i] - x[i]) * (code[i] - x[i]);
        scale += x[i] * x[i];
      }
      expected += std::log(0.01 + error / scale);
    }
    EXPECT_NEAR(energy[n], expected, 1e-9);
  }
  std::vector<Value> leaves;
  for (const Parameter& parameter : graph.parameters()) leaves.push_back(parameter.value());
  EXPECT_EQ(gradcheck([&] { return graph.energy(state); }, leaves), "");
}

TEST_F(UnrolledErrorTest, AllDepthsByDefault) {
  FactorGraph all, named;
  for (FactorGraph* graph : {&all, &named}) {
    const Variable source = graph->real("y", {6}), target = graph->real("x", {8});
    graph->add(
        UnrolledError(target, net, source,
                      {.depths = graph == &all ? std::vector<Index>{} : std::vector<Index>{1, 2, 3, 4}}));
  }
  const State state = State().set(all.find("y"), at_y).set(all.find("x"), at_x);
  EXPECT_EQ(all.energy(state).tensor().values(), named.energy(state).tensor().values());
  const State zeros = state.with(all.find("x"), Tensor::zeros({5, 8}, f64()));
  for (const double energy : all.energy(zeros).tensor().values()) EXPECT_TRUE(std::isfinite(energy));
}

TEST_F(UnrolledErrorTest, TotalErrorIsTheLogarithmOfTheBatch) {
  FactorGraph graph;
  const Variable source = graph.real("y", {6}), target = graph.real("x", {8});
  const auto factor =
      std::make_shared<const UnrolledError>(target, net, source, UnrolledErrorOptions{.depths = {2, 4}});
  graph.add(factor);
  const TotalError objective(factor,
                             {.prepare = [&](const State& batch, Key) { return batch.with(target, at_x); }});
  Carry carry;
  const State batch = State().set(source, at_y);
  const auto loss = [&] { return objective.evaluate(graph, batch, carry, Key(0)).metrics.at("loss"); };
  const std::vector<Value> codes = net->codes(Value(at_y));
  double expected = 0.0;
  for (const std::size_t depth : {1U, 3U}) {
    expected += std::log(sum(square(codes[depth] - Value(at_x))).item() / sum(square(Value(at_x))).item());
  }
  EXPECT_NEAR(loss(), expected, 1e-12);
  const Evaluation evaluation = objective.evaluate(graph, batch, carry, Key(0), {.metrics = false});
  EXPECT_TRUE(evaluation.metrics.empty());
  for (std::size_t i = 0; i < evaluation.gradients.size(); ++i) {
    const Tensor& parameter = graph.parameters()[i].tensor();
    const Tensor centre = parameter.clone();
    const Value direction = normal(Key(9).fold(i), centre.shape(), f64());
    const auto shifted = [&](double step) {
      parameter.copy_from((Value(centre) + direction * step).tensor());
      return loss();
    };
    const double difference = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
    parameter.copy_from(centre);
    EXPECT_NEAR(difference, sum(Value(evaluation.gradients[i].to_tensor(centre.shape())) * direction).item(),
                1e-6);
  }
  EXPECT_TRUE(contains(error_of([] { TotalError(nullptr); }), "expected a factor"));
}

TEST_F(UnrolledErrorTest, AmortisedIsTheEnergyOfTheModulesCodes) {
  for (const bool train_graph : {false, true}) {
    FactorGraph graph;
    const Variable source = graph.real("signal", {2, 3});
    graph.add(Amortised(source, coding, y, z, net, {.train_graph = train_graph}));
    EXPECT_EQ(graph.parameters().size(), net->parameters().size() + (train_graph ? 1 : 0));
    EXPECT_EQ(graph.parameters()[0].name(), "signal.z.encoder");
    const State state = State().set(source, at_y.reshaped({5, 2, 3}));
    const Value expected = coding.energy(State().set(y, at_y).set(z, net->forward(Value(at_y))));
    EXPECT_EQ(graph.energy(state).tensor().values(), expected.tensor().values());
    std::vector<Value> leaves;
    for (const Parameter& parameter : graph.parameters()) leaves.push_back(parameter.value());
    EXPECT_EQ(gradcheck([&] { return graph.energy(state); }, leaves), "");
  }
}

TEST_F(UnrolledErrorTest, EndToEndTrainingLowersTheEnergy) {
  FactorGraph graph;
  const Variable source = graph.real("y", {6});
  graph.add(Amortised(source, coding, y, z, net));
  Carry carry;
  const State batch = State().set(source, at_y);
  const auto loss = [&] { return MeanEnergy().evaluate(graph, batch, carry, Key(0)).metrics.at("loss"); };
  const double before = loss();
  for (int step = 0; step < 50; ++step) {
    const Evaluation evaluation = MeanEnergy().evaluate(graph, batch, carry, Key(0));
    for (std::size_t i = 0; i < evaluation.gradients.size(); ++i) {
      evaluation.gradients[i].accumulate(graph.parameters()[i].tensor(), -0.02, 1.0);
    }
  }
  // ISTA from zeros needs 6 moves for what the trained network does in 4: the energy of 4 moves is `before`.
  State state = State().set(y, at_y).set(z, Tensor::zeros({5, 8}, f64()));
  for (std::uint64_t k = 0; k < 6; ++k) state = Ista(z, {.step = 0.1})(coding, state, Key(k));
  EXPECT_LT(loss(), mean(coding.energy(state)).item());
  EXPECT_LT(loss(), before);
}

TEST_F(UnrolledErrorTest, Errors) {
  FactorGraph graph;
  const Variable source = graph.real("y", {6}), target = graph.real("x", {8}), other = graph.real("w", {7});
  EXPECT_TRUE(contains(error_of([&] { UnrolledError(target, nullptr, source); }), "expected a network"));
  EXPECT_TRUE(
      contains(error_of([&] { UnrolledError(other, net, source); }), "expected a target of 8 numbers"));
  EXPECT_TRUE(contains(error_of([&] { UnrolledError(target, net, source, {.depths = {5}}); }),
                       "depths from 1 to 4, received 5"));
  EXPECT_TRUE(contains(error_of([&] { UnrolledError(target, net, source, {.floor = 0.0}); }), "a floor > 0"));
  EXPECT_TRUE(contains(error_of([&] { Amortised(source, coding, y, z, nullptr); }), "expected a module"));
  EXPECT_TRUE(contains(error_of([&] { Amortised(target, coding, y, z, net); }), "as large as x"));
  const auto wrong = std::make_shared<const Linear>(6, 7, Key(1), LinearOptions{.placement = f64()});
  EXPECT_TRUE(contains(error_of([&] { Amortised(source, coding, y, z, wrong); }),
                       "to 8 numbers of z, received shape [1, 7]"));
}

}  // namespace
}  // namespace basin::test
