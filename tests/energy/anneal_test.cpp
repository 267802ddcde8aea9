// Annealed importance sampling of graphs that are not two blocks.
#include "energy/likelihood/anneal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/network.h"
#include "energy/factors/quadratic.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/continuous/langevin.h"
#include "modules/function.h"
#include "oracle.h"

namespace basin::test {
namespace {

AnnealOptions options(Index chains, Index temperatures) {
  return {.chains = chains, .temperatures = uniform_ladder(temperatures), .batch = 150, .key = Key(4)};
}

/// Three variables of which any two interact.
struct Triangle {
  FactorGraph graph, base;
  Variable x, y, z;
};

Triangle triangle() {
  Triangle made;
  made.x = made.graph.binary("x", {2});
  made.y = made.graph.binary("y", {3});
  made.z = made.graph.categorical("z", {3});
  made.base = made.graph;
  for (const Variable& each : {made.x, made.y, made.z}) {
    made.base.add(Bias(each, {.label = "base"}));
    made.graph.add(Bias(each));
  }
  made.graph.add(Bilinear(made.x, made.y, Key(1))).add(Bilinear(made.y, made.z, Key(2)));
  made.graph.add(Bilinear(made.x, made.z, Key(3)));
  randomise(made.graph, Key(5));
  randomise(made.base, Key(6), 0.5);
  return made;
}

TEST(AnnealTest, BitsThatAreNotTwoBlocksEqualEnumeration) {
  const Triangle made = triangle();
  const BaseModel base = independent_base(made.base);
  EXPECT_NEAR(base.log_z, distribution(made.base, made.base.variables()).log_total, 1e-12);
  const PartitionEstimate found =
      anneal(made.graph, base, BlockGibbs({{made.x}, {made.y}, {made.z}}), options(400, 20));
  EXPECT_EQ(found.log_weights.size(), 400u);
  EXPECT_LT(found.standard_error, 0.1);
  EXPECT_NEAR(found.log_z, distribution(made.graph, made.graph.variables()).log_total,
              4.0 * found.standard_error);
}

// Reals that are correlated: log Z = 1/2 log det(2 pi A^-1) of the precision A = [[p, -w], [-w, q]].
TEST(AnnealTest, ACorrelatedGaussianHasItsClosedForm) {
  FactorGraph graph;
  const Variable x = graph.real("x", {1}), y = graph.real("y", {1});
  FactorGraph base = graph;
  base.add(Quadratic(x, {.precision = Precision::Fixed})).add(Quadratic(y, {.precision = Precision::Fixed}));
  graph.add(Quadratic(x)).add(Quadratic(y)).add(Bilinear(x, y, Key(1)));
  graph.parameter("x.log_precision").set(numbers({std::log(2.0)}, {1}));
  graph.parameter("y.log_precision").set(numbers({std::log(1.5)}, {1}));
  graph.parameter("x.y.weight").set(numbers({1.2}, {1, 1}));
  base.add(Bias(x)).add(Bias(y));
  base.to(f64());
  const double exact = std::log(2.0 * std::numbers::pi) - 0.5 * std::log(2.0 * 1.5 - 1.2 * 1.2);
  const PartitionEstimate found =
      anneal(graph, independent_base(base), BlockGibbs({{x}, {y}}), options(400, 30));
  EXPECT_LT(found.standard_error, 0.05);
  EXPECT_NEAR(found.log_z, exact, 4.0 * found.standard_error);
}

// An energy that nothing sums in closed form, two wells by a function, moved by Langevin steps: quadrature.
// Their step is small enough for its bias to be far below the noise.
TEST(AnnealTest, ADeepEnergyOverRealsEqualsQuadrature) {
  FactorGraph graph;
  const Variable x = graph.real("x", {1});
  FactorGraph base = graph;
  base.add(Quadratic(x, {.precision = Precision::Fixed})).add(Bias(x));
  base.to(f64());
  const auto wells = std::make_shared<const Function>([](const Value& at, const Context&) {
    return reshape(square(square(at) - 1.0) + 0.5 * at, {at.dim(0), 1});
  });
  graph.add(Network(wells, {x}));
  const double exact = quadrature(graph, x, State(), -4.0, 4.0, 4001).log_total;
  AnnealOptions how = options(600, 60);
  how.moves = 4;
  const BaseModel start = independent_base(base);
  const PartitionEstimate found = anneal(graph, start, Langevin({x}, {.step = 0.01}), how);
  EXPECT_LT(found.standard_error, 0.05);
  EXPECT_NEAR(found.log_z, exact, 4.0 * found.standard_error);
}

TEST(AnnealTest, WhatDoesNotFitIsRefused) {
  const Triangle made = triangle();
  const BaseModel base = independent_base(made.base);
  const BlockGibbs all({{made.x}, {made.y}, {made.z}});
  EXPECT_TRUE(contains(error_of([&] {
                         anneal(made.graph, base, BlockGibbs({{made.x}, {made.y}}), {});
                       }),
                       "z stays"));
  EXPECT_TRUE(contains(error_of([&] {
                         anneal(made.graph, base, all, {.temperatures = {0.0, 0.5, 0.5, 1.0}});
                       }),
                       "rise from 0 to 1"));
  FactorGraph other;
  other.add(Bias(other.binary("x", {2})));
  EXPECT_TRUE(contains(error_of([&] { anneal(made.graph, independent_base(other), all, {}); }),
                       "variables of the graph"));
  EXPECT_TRUE(contains(error_of([&] { anneal(made.graph, base, all, {.chains = 0}); }), "chains"));
  EXPECT_THROW(independent_base(made.graph), Error);
}

}  // namespace
}  // namespace basin::test
