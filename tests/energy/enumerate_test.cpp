#include <gtest/gtest.h>

#include <numbers>

#include "autograd/grad.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/quadratic.h"
#include "oracle.h"

namespace basin::test {
namespace {

TEST(EnumerateTest, LexicographicOrder) {
  FactorGraph graph;
  const Variable a = graph.binary("a", {2}), y = graph.categorical("y", {3});
  EXPECT_EQ(state_count({a, y}), 12);
  const State all = enumerate_states({a, y}, 0, 12, f64());
  EXPECT_EQ(all[a].tensor().rows(2, 7).values(), (std::vector<double>{0, 0, 0, 1, 0, 1, 0, 1, 1, 0}));
  EXPECT_EQ(all[y].tensor().rows(2, 5).values(), (std::vector<double>{0, 0, 1, 1, 0, 0, 0, 1, 0}));
  const State part = enumerate_states({a, y}, 5, 9, f64());
  EXPECT_EQ(part[a].tensor().values(), all[a].tensor().rows(5, 9).values());
  EXPECT_EQ(part[y].tensor().values(), all[y].tensor().rows(5, 9).values());
  const State swapped = enumerate_states({y, a}, 0, 12, f64());
  EXPECT_EQ(swapped[y].tensor().rows(3, 5).values(), (std::vector<double>{1, 0, 0, 0, 1, 0}));
}

TEST(EnumerateTest, SeveralGroupsOfOneVariable) {
  FactorGraph graph;
  const Variable y = graph.categorical("y", {2, 3});
  EXPECT_EQ(state_count({y}), 9);
  EXPECT_EQ(enumerate_states({y}, 5, 6, f64())[y].tensor().values(), (std::vector<double>{0, 1, 0, 0, 0, 1}));
}

TEST(EnumerateTest, RefusesWhatCannotBeEnumerated) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2}), big = graph.binary("big", {64}), a = graph.binary("a", {2});
  EXPECT_TRUE(contains(error_of([&] { (void)state_count({x}); }), "received x, which is real"));
  EXPECT_TRUE(contains(error_of([&] { (void)state_count({big}); }), "at most 67108864 joint states"));
  EXPECT_EQ(state_count({a}, 4), 4);
  EXPECT_NE(error_of([&] { (void)state_count({a}, 3); }), "");
  EXPECT_TRUE(contains(error_of([&] { enumerate_states({a}, 2, 5, f64()); }), "[0, 4), received [2, 5)"));
}

TEST(LogPartitionTest, EqualsEnumerationOfAll) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {5}), h = graph.binary("h", {3}), y = graph.categorical("y", {3});
  graph.add(Bias(v)).add(Bias(h)).add(Bias(y)).add(Bilinear(v, h, Key(1))).add(Bilinear(y, h, Key(1)));
  randomise(graph, Key(2));
  const double expected = distribution(graph, {v, h, y}).log_total;
  EXPECT_NEAR(log_partition(graph).item(), expected, 1e-11);
  EXPECT_NEAR(log_partition(graph, {.bytes = 4000}).item(), expected, 1e-11) << "streamed";
}

TEST(LogPartitionTest, LargeEnergiesDoNotOverflow) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {3});
  graph.add(Bias(v));
  graph.to(f64());
  graph.parameters()[0].tensor().copy_from(numbers({1000.0, -1000.0, 2000.0}, {3}));
  EXPECT_NEAR(log_partition(graph).item(), 3000.0, 1e-9);
}

TEST(LogPartitionTest, GaussianVisiblesInClosedForm) {
  // Two binary units and one real: sum over h of sqrt(2 pi / p) exp((b + w.h)^2 / 2p + c.h), written out.
  FactorGraph graph;
  const Variable v = graph.real("v", {1}), h = graph.binary("h", {2});
  graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1))).add(Quadratic(v));
  randomise(graph, Key(2));
  const std::vector<Parameter> parameters = graph.parameters();
  const double b = parameters[0].tensor().item(), p = std::exp(parameters[3].tensor().item());
  const std::vector<double> c = parameters[1].tensor().values(), w = parameters[2].tensor().values();
  double total = 0.0;
  for (const double h0 : {0.0, 1.0}) {
    for (const double h1 : {0.0, 1.0}) {
      total += std::sqrt(2 * std::numbers::pi / p) *
               std::exp(std::pow(b + w[0] * h0 + w[1] * h1, 2) / (2 * p) + c[0] * h0 + c[1] * h1);
    }
  }
  EXPECT_NEAR(log_partition(graph).item(), std::log(total), 1e-12);
}

TEST(LogPartitionTest, ItsGradientIsMinusTheExpectedGradientOfTheEnergy) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {4}), h = graph.binary("h", {3});
  graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
  randomise(graph, Key(2));
  const std::vector<Parameter> parameters = graph.parameters();
  const std::vector<Value> received =
      grad(log_partition(graph), {parameters[0].value(), parameters[1].value(), parameters[2].value()});
  const Distribution all = distribution(graph, {v, h});
  const std::vector<double> mean_v = all.mean(v), mean_h = all.mean(h), vs = all.states[v].tensor().values(),
                            hs = all.states[h].tensor().values();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(received[0].tensor().values()[i], mean_v[i], 1e-12);
  for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(received[1].tensor().values()[j], mean_h[j], 1e-12);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      double expected = 0.0;
      for (std::size_t s = 0; s < all.weight.size(); ++s)
        expected += all.weight[s] * vs[s * 4 + i] * hs[s * 3 + j];
      EXPECT_NEAR(received[2].tensor().values()[i * 3 + j], expected, 1e-12);
    }
  }
}

TEST(LogPartitionTest, EnumeratesTheCheaperSideUnderALimitOfItsOwn) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {40}), h = graph.binary("h", {3}), w = graph.binary("w", {30});
  graph.add(Bilinear(v, h, Key(1), {.scale = 0.0})).add(Bias(v));
  graph.to(f64());
  EXPECT_NEAR(log_partition(graph).item(), 73.0 * std::numbers::ln2, 1e-10) << "w is read by nobody";
  EXPECT_TRUE(contains(error_of([&] { log_partition(graph, {.states = 4}); }), "2^3 states of {h}"));
  graph.add(Bilinear(v, w, Key(2)));
  graph.to(f64());
  EXPECT_TRUE(contains(error_of([&] { log_partition(graph); }), "16777216 are allowed"));
}

}  // namespace
}  // namespace basin::test
