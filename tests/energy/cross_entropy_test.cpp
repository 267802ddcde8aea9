#include "energy/factors/cross_entropy.h"

#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/graph.h"
#include "energy/objectives/mean_energy.h"
#include "modules/linear.h"
#include "oracle.h"

namespace basin::test {
namespace {

struct CrossEntropyTest : testing::Test {
  FactorGraph graph;
  Variable x = graph.real("x", {4}), t = graph.real("t", {3});
  Tensor at_x = normal(Key(1), {5, 4}, f64()), at_t = uniform(Key(2), {5, 3}, f64());
};

TEST_F(CrossEntropyTest, IsTheNegativeLogLikelihood) {
  graph.add(CrossEntropy(t, Linear(4, 3, Key(3)), x));
  randomise(graph, Key(4));
  ASSERT_EQ(graph.parameters()[0].name(), "x.t.weight");
  const std::vector<double> w = graph.parameters()[0].tensor().values(),
                            b = graph.parameters()[1].tensor().values();
  const std::vector<double> v = at_x.values(), target = at_t.values();
  const std::vector<double> energy = graph.energy(State().set(x, at_x).set(t, at_t)).tensor().values();
  for (std::size_t n = 0; n < 5; ++n) {
    double expected = 0.0;
    for (std::size_t j = 0; j < 3; ++j) {
      double logit = b[j];
      for (std::size_t i = 0; i < 4; ++i) logit += v[4 * n + i] * w[3 * i + j];
      const double p = 1.0 / (1.0 + std::exp(-logit)), y = target[3 * n + j];
      expected -= y * std::log(p) + (1.0 - y) * std::log(1.0 - p);
    }
    EXPECT_NEAR(energy[n], expected, 1e-12 * expected);
  }
  const Value leaf_x = Value::leaf(at_x), leaf_t = Value::leaf(at_t);
  EXPECT_EQ(gradcheck([&] { return graph.energy(State().set(x, leaf_x).set(t, leaf_t)); },
                      {leaf_x, leaf_t, graph.parameters()[0].value(), graph.parameters()[1].value()}),
            "");
}

TEST_F(CrossEntropyTest, HugeLogitsStayFinite) {
  graph.add(CrossEntropy(t, Linear(4, 3, Key(3)), x));
  randomise(graph, Key(4), 1e4);
  for (const double energy : graph.energy(State().set(x, at_x).set(t, at_t)).tensor().values())
    EXPECT_TRUE(std::isfinite(energy));
}

TEST_F(CrossEntropyTest, Errors) {
  EXPECT_EQ(error_of([&] { CrossEntropy(t, nullptr, x); }),
            "[CrossEntropy(t, x)] expected a module, received a null pointer");
  EXPECT_TRUE(contains(error_of([&] { CrossEntropy(t, Linear(4, 2, Key(3)), x); }),
                       "to 3 logits of t, received shape [1, 2]"));
}

TEST_F(CrossEntropyTest, MeanEnergyIsItsObjective) {
  graph.add(CrossEntropy(t, Linear(4, 3, Key(3)), x));
  randomise(graph, Key(4));
  // What the source does not give, `prepare` does, under the key of the step.
  const MeanEnergy objective({.prepare = [&](const State& batch, Key key) {
    return batch.with(t, uniform(key, {5, 3}, f64()));
  }});
  Carry carry;
  const Evaluation evaluation = objective.evaluate(graph, State().set(x, at_x), carry, Key(2));
  const State whole = State().set(x, at_x).set(t, at_t);
  const Value loss = mean(graph.energy(whole));
  EXPECT_EQ(evaluation.metrics.at("loss"), loss.item());
  EXPECT_TRUE(
      objective.evaluate(graph, State().set(x, at_x), carry, Key(2), {.metrics = false}).metrics.empty());
  for (std::size_t i = 0; i < 2; ++i) {
    const Parameter parameter = graph.parameters()[i];
    const Tensor centre = parameter.tensor().clone(),
                 slope = evaluation.gradients[i].to_tensor(centre.shape());
    const Value direction = normal(Key(9), centre.shape(), f64());
    const auto shifted = [&](double step) {
      parameter.tensor().copy_from((Value(centre) + direction * step).tensor());
      return mean(graph.energy(whole)).item();
    };
    const double difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
    parameter.tensor().copy_from(centre);
    EXPECT_NEAR(difference, sum(Value(slope) * direction).item(), 1e-7);
  }
}

}  // namespace
}  // namespace basin::test
