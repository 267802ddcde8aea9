#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/cross_entropy.h"
#include "energy/factors/network.h"
#include "energy/factors/penalties/box.h"
#include "energy/factors/penalties/group_l2.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/quadratic.h"
#include "energy/factors/score.h"
#include "energy/factors/sequences/chain.h"
#include "energy/factors/squared_error.h"
#include "energy/factors/tempered.h"
#include "energy/marginal/conditional.h"
#include "energy/marginal/probe.h"
#include "modules/activation.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

namespace basin::test {
namespace {

/// One of each factor over real, non-negative, binary and one-hot variables.
struct Everything {
  Everything() {
    Sequential net;
    net.add(Linear(3, 4, Key(6))).add(Activation(Activation::Kind::Tanh));
    graph.add(Bias(x))
        .add(Quadratic(x))
        .add(Bilinear(x, b, Key(1), {.label = "coupling"}))
        .add(L1(p, 0.3))
        .add(L1(x, 0.3))
        .add(GroupL2(x, 2, 0.1));
    graph.add(Box(x, -1.0, 1.0))
        .add(SquaredError(x, Linear(3, 4, Key(2)), b))
        .add(SquaredError(x, Linear(1, 4, Key(3)), p))
        .add(CrossEntropy(b, Linear(4, 3, Key(4)), x))
        .add(Score(b, Linear(4, 3, Key(5)), x));
    graph.add(Score(x, net, b, {.label = "net"})).add(Network(Linear(3, 4, Key(7)), {b}));
    graph.add(Network(net, {b}, {.label = "bent"})).add(Chain(y)).add(Bias(y)).add(Quadratic(b));
  }
  FactorGraph graph;
  Variable x = graph.real("x", {4}), p = graph.non_negative("p", {1}), b = graph.binary("b", {3}),
           y = graph.categorical("y", {3, 2});
};

TEST(OrderTest, EveryDeclarationIsTrue) {
  const Everything all;
  randomise(all.graph, Key(9));
  for (std::size_t i = 0; i < all.graph.terms().size(); ++i) {
    const Factor& factor = *all.graph.terms()[i].factor;
    for (const Variable& variable : factor.scope()) {
      const Order order = factor.order_in(variable);
      const bool discrete = variable.domain == Domain::Binary || variable.domain == Domain::Categorical;
      if (order == Order::Affine || (order == Order::Quadratic && !discrete)) {
        EXPECT_EQ(objection(all.graph, i, {variable}, {}), "") << factor.name() << " in " << variable.name;
      } else {
        EXPECT_NE(objection(all.graph, i, {variable}, {}), "") << factor.name() << " in " << variable.name;
      }
    }
  }
}

TEST(OrderTest, WhatAffineModulesMakeOfThem) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2}), s = graph.real("s", {2}), one = graph.real("one", {1});
  Sequential bent;
  bent.add(Linear(2, 2, Key(1))).add(Activation(Activation::Kind::Relu));
  EXPECT_EQ(SquaredError(x, Linear(2, 2, Key(1)), s).order_in(x), Order::Quadratic);
  EXPECT_EQ(SquaredError(x, Linear(2, 2, Key(1)), s).order_in(s), Order::Undeclared);
  EXPECT_EQ(SquaredError(x, Linear(1, 2, Key(1)), one).order_in(one), Order::Quadratic);
  EXPECT_EQ(SquaredError(x, bent, s).order_in(s), Order::Any);
  EXPECT_TRUE(SquaredError(x, Linear(2, 2, Key(1)), s).convex_in(s));
  EXPECT_FALSE(SquaredError(x, bent, s).convex_in(s));
  EXPECT_EQ(Network(bent, {x}).order_in(x), Order::Any);
  EXPECT_EQ(Network(Linear(2, 2, Key(1)), {x}).order_in(x), Order::Affine);
}

TEST(OrderTest, MeanFieldTakesWhatIsAffineInEachUnit) {
  FactorGraph graph;
  const Variable v = graph.real("v", {2}), y = graph.categorical("y", {3, 2}), b = graph.binary("b", {3}),
                 x = graph.real("x", {2});
  graph.add(Chain(y)).add(Bilinear(y, b, Key(1))).add(Bilinear(v, x, Key(2))).add(Quadratic(x));
  randomise(graph, Key(3));
  const State state = State().set(v, Tensor::zeros({4, 2}, f64()));
  const auto refused = [&](const FactorGraph& of, const Block& units) {
    return error_of([&] { require_multi_affine(of, units, state, "MeanField"); });
  };
  EXPECT_EQ(refused(graph, {y, b, x}), "");
  FactorGraph squares = graph;
  squares.add(SquaredError(v, Linear(3, 2, Key(4)), b));
  squares.to(f64());
  EXPECT_TRUE(contains(refused(squares, {b}), "each unit of b")) << "b^2 = b, but not at a mean";
  EXPECT_EQ(refused(squares, {y, x}), "");
  FactorGraph full = graph;
  full.add(SquaredError(v, Linear(2, 2, Key(4)), x));
  full.to(f64());
  EXPECT_TRUE(contains(refused(full, {x}), "each unit of x"));
}

TEST(OrderTest, RowsOfTheirOwnScale) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), a = graph.binary("a", {2}), h = graph.binary("h", {2});
  graph.add(Bias(a)).add(Bilinear(v, a, Key(1))).add(Bilinear(a, h, Key(2)));
  randomise(graph, Key(3));
  const std::vector<double> scales{0.3, 2.0};
  const FactorGraph hot = tempered(graph, numbers(scales, {2}));
  const Tensor data = numbers({1, 0, 1, 0, 1, 1}, {2, 3});
  const std::vector<double> received = free_energy(hot, {a, h}, State().set(v, data)).tensor().values();
  for (std::size_t n = 0; n < 2; ++n) {
    const auto row = static_cast<Index>(n);
    EXPECT_NEAR(
        received[n],
        -distribution(graph.scaled(scales[n]), {a, h}, State().set(v, data.rows(row, row + 1))).log_total,
        1e-10);
  }
  EXPECT_EQ(conditional(hot, {a}, State().set(v, data).set(h, Tensor::zeros({2, 2}, f64()))).size(), 1U);
}

TEST(ProbeMemoryTest, KnowsFactorsNotAddresses) {
  ProbeMemory memory;
  FactorGraph graph;
  const Variable v = graph.binary("v", {2});
  auto factor = std::make_shared<const Bias>(v);
  EXPECT_FALSE(memory.recall(factor, {0}));
  memory.learn(factor, {0}, "reason", true);
  EXPECT_EQ(memory.recall(factor, {0})->reason, "reason");
  EXPECT_FALSE(memory.recall(factor, {0, 1}));
  EXPECT_FALSE(memory.recall(std::make_shared<const Bias>(v), {0}));
  Index full = 0;
  for (Index call = 4; call < 4 + 2 * ProbeMemory::kEvery; ++call)
    full += memory.recall(factor, {0})->in_full() ? 1 : 0;
  EXPECT_LE(full, 8) << "rarely in full";
  EXPECT_GE(full, 5);
}

}  // namespace
}  // namespace basin::test
