#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/network.h"
#include "energy/factors/quadratic.h"
#include "energy/factors/squared_error.h"
#include "energy/marginal/conditional.h"
#include "modules/linear.h"
#include "oracle.h"

namespace basin::test {
namespace {

/// A sum over neighbours of products: couples the units of one variable.
class Chain final : public Module {
 public:
  Value forward(const Value& x, const Context&) const override {
    const Value flat = flatten(x);
    const Index n = flat.dim(1);
    return slice(flat, 1, 0, n - 1) * slice(flat, 1, 1, n);
  }
};

/// x^power, elementwise.
class Power final : public Module {
 public:
  explicit Power(int power) : power_(power) {}
  Value forward(const Value& x, const Context&) const override {
    Value y = x;
    for (int i = 1; i < power_; ++i) y = y * x;
    return y;
  }

 private:
  int power_;
};

std::string check(const FactorGraph& graph, const Block& block) {
  return error_of([&] { require_no_interaction(graph, block, {}); });
}

struct DeepBoltzmann {
  explicit DeepBoltzmann(double scale, Placement placement = f64()) {
    graph.add(Bias(v)).add(Bias(h1)).add(Bias(h2));
    graph.add(Bilinear(v, h1, Key(1), {.scale = scale})).add(Bilinear(h1, h2, Key(2), {.scale = scale}));
    graph.to(placement);
  }
  FactorGraph graph;
  Variable v = graph.binary("v", {6}), h1 = graph.binary("h1", {5}), h2 = graph.binary("h2", {4});
};

TEST(ConditionalCheckTest, LayersOfADeepBoltzmannMachine) {
  for (const Placement placement : {f64(), f32()}) {
    for (const double scale : {0.01, 1.0}) {
      const DeepBoltzmann dbm(scale, placement);
      EXPECT_EQ(check(dbm.graph, {dbm.h1}), "");
      EXPECT_EQ(check(dbm.graph, {dbm.v, dbm.h2}), "");
      EXPECT_TRUE(contains(check(dbm.graph, {dbm.h1, dbm.h2}),
                           "[conditional] block {h1, h2} interacts with itself;"));
      EXPECT_TRUE(contains(check(dbm.graph, {dbm.v, dbm.h1}), "block {v, h1} interacts"));
    }
  }
}

TEST(ConditionalCheckTest, ACouplingThatIsStillZeroIsFound) {
  const DeepBoltzmann dbm(0.0);
  EXPECT_EQ(check(dbm.graph, {dbm.h1}), "");
  EXPECT_EQ(check(dbm.graph, {dbm.v, dbm.h2}), "");
  EXPECT_TRUE(contains(check(dbm.graph, {dbm.h1, dbm.h2}), "parameter h1.h2.weight"));
}

TEST(ConditionalCheckTest, LargeLayersInF32) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {784}), h = graph.binary("h", {500}), y = graph.categorical("y", {10});
  graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1))).add(Bilinear(y, h, Key(2)));
  graph.to(f32());
  EXPECT_EQ(check(graph, {h}), "");
  EXPECT_EQ(check(graph, {v, y}), "");
  EXPECT_TRUE(contains(check(graph, {h, y}), "{h, y} interacts"));
}

TEST(ConditionalCheckTest, UnitsOfOneVariable) {
  for (const char* domain : {"binary", "categorical", "real", "non_negative"}) {
    FactorGraph graph;
    const std::string name = domain;
    const Variable x = name == "binary"        ? graph.binary("x", {4})
                       : name == "categorical" ? graph.categorical("x", {2, 2})
                       : name == "real"        ? graph.real("x", {4})
                                               : graph.non_negative("x", {4});
    if (name == "real" || name == "non_negative") {
      graph.add(Quadratic(x));
    }
    graph.add(Bias(x));
    randomise(graph, Key(5));
    EXPECT_EQ(check(graph, {x}), "") << name;
    graph.add(Network(Chain(), {x}), 0.1);
    EXPECT_TRUE(contains(check(graph, {x}), "block {x} interacts with itself")) << name;
  }
}

TEST(ConditionalCheckTest, RealAndBinaryCoupledInOneBlock) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2}), h = graph.binary("h", {2}), y = graph.real("y", {2});
  graph.add(Quadratic(x)).add(Quadratic(y)).add(Bilinear(x, h, Key(1)));
  graph.to(f64());
  EXPECT_EQ(check(graph, {x, y}), "");
  EXPECT_EQ(check(graph, {h, y}), "");
  EXPECT_TRUE(contains(check(graph, {x, h}), "{x, h} interacts"));
  graph.add(Bilinear(x, y, Key(1)));
  graph.to(f64());
  EXPECT_TRUE(contains(check(graph, {x, y}), "{x, y} interacts"));
}

TEST(ConditionalCheckTest, ADecoderCouplesItsCode) {
  FactorGraph graph;
  const Variable x = graph.real("x", {3}), z = graph.real("z", {2});
  graph.add(SquaredError(x, Linear(2, 3, Key(1)), z)).add(Quadratic(z));
  graph.to(f64());
  EXPECT_EQ(check(graph, {x}), "");
  EXPECT_TRUE(contains(check(graph, {z}), "{z} interacts")) << "the Hessian D'D is not diagonal";
}

TEST(ConditionalCheckTest, EnergiesOfHigherOrder) {
  for (const int power : {3, 4}) {
    FactorGraph graph;
    const Variable x = graph.real("x", {2});
    graph.add(Quadratic(x, {.precision = Precision::Fixed})).add(Network(Power(power), {x}));
    EXPECT_TRUE(contains(check(graph, {x}), "is not a sum over the units of x")) << power;
  }
  FactorGraph graph;
  const Variable b = graph.binary("b", {2});
  graph.add(Network(Power(2), {b}));
  EXPECT_TRUE(contains(check(graph, {b}), "is not a sum over the units of b"))
      << "b^2 = b on {0, 1}, but dE/db at 0 does not show it";
}

TEST(ConditionalCheckTest, EnergiesThatAreNotFinite) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {2});
  graph.add(Bias(v));
  graph.to(f64());
  graph.parameters()[0].tensor().fill(NAN);
  EXPECT_TRUE(contains(check(graph, {v}), "block {v} is not finite"));
}

}  // namespace
}  // namespace basin::test
