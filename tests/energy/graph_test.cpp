#include "energy/graph.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/quadratic.h"
#include "oracle.h"

namespace basin::test {
namespace {

/// Breaks a factor's contract on request.
class Broken final : public Factor {
 public:
  explicit Broken(Variable v) : v_(std::move(v)) {}
  std::string name() const override { return "Broken(v)"; }
  std::vector<Variable> scope() const override { return {v_}; }
  Value energy(const State& state) const override { return sum(state[v_]); }

 private:
  Variable v_;
};

struct GraphTest : testing::Test {
  GraphTest() {
    graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
    randomise(graph, Key(2));
    state.set(v, normal(Key(3), {4, 3}, f64())).set(h, normal(Key(4), {4, 2}, f64()));
  }
  FactorGraph graph;
  Variable v = graph.real("v", {3}), h = graph.real("h", {2});
  State state;
};

void expect_near(const std::vector<double>& received, const std::vector<double>& expected) {
  ASSERT_EQ(received.size(), expected.size());
  for (std::size_t i = 0; i < received.size(); ++i) {
    EXPECT_NEAR(received[i], expected[i], 1e-12);
  }
}

TEST_F(GraphTest, EnergyIsTheWeightedSumOfItsTerms) {
  FactorGraph weighted = graph;
  weighted.add(Quadratic(v), 3.0);
  weighted.to(f64());
  std::vector<double> expected(4, 0.0);
  for (const FactorGraph::Term& term : weighted.terms()) {
    const std::vector<double> part = term.factor->energy(state).tensor().values();
    for (std::size_t n = 0; n < 4; ++n) expected[n] += term.weight * part[n];
  }
  expect_near(weighted.energy(state).tensor().values(), expected);
  EXPECT_EQ(graph.terms().size(), 3U) << "a copy shares factors but not the list of them";
}

TEST_F(GraphTest, AnswersWhatItsFactorsAre) {
  FactorGraph weighted = graph;
  weighted.add(Quadratic(v), 3.0).add(Quadratic(h), 0.0);
  ASSERT_EQ(weighted.factors<Quadratic>().size(), 2U) << "of weight 0 too";
  ASSERT_EQ(weighted.factors<Quadratic>(v).size(), 1U);
  EXPECT_EQ(weighted.factors<Quadratic>(v)[0].factor->variable(), v);
  EXPECT_EQ(weighted.factors<Quadratic>(v)[0].weight, 3.0);
  EXPECT_EQ(weighted.factors<Bilinear>(h)[0].factor->name(), "Bilinear(v, h)");
  std::vector<std::string> names;
  for (const FactorGraph::Term& term : weighted.touching(h)) names.push_back(term.factor->name());
  EXPECT_EQ(names, (std::vector<std::string>{"Bias(h)", "Bilinear(v, h)"})) << "of weight 0 not";
  EXPECT_EQ(weighted.touching({v, h}).size(), 4U);
  const std::vector<Parameter> parameters = weighted.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_EQ(weighted.index_of(weighted.parameter(parameters[i].name())), i);
  }
  EXPECT_THROW(weighted.parameter("v.boas"), Error);
  EXPECT_THROW(weighted.index_of(Parameter("stranger", Tensor::zeros({1}, f64()))), Error);
}

TEST_F(GraphTest, EnergyTouchingLeavesOutWhatDoesNotReadTheVariables) {
  const double bias = graph.terms()[0].factor->energy(state).tensor().values()[2];
  const double whole = graph.energy(state).tensor().values()[2];
  EXPECT_NEAR(graph.energy_touching({h}, state).tensor().values()[2], whole - bias, 1e-12);
  FactorGraph apart;
  const Variable a = apart.real("a", {1}), b = apart.real("b", {1});
  apart.add(Quadratic(a)).add(Quadratic(b));
  apart.to(f64());
  EXPECT_NEAR(apart.energy_touching({a}, State().set(a, numbers({2.0}, {1, 1}))).item(), 2.0, 1e-12)
      << "b needs no value";
}

TEST_F(GraphTest, ScaledAndSummedGraphs) {
  const std::vector<double> once = graph.energy(state).tensor().values();
  FactorGraph both = graph.scaled(0.25);
  both.add_all(graph.scaled(0.5));
  std::vector<double> expected;
  for (const double e : once) expected.push_back(0.75 * e);
  expect_near(both.energy(state).tensor().values(), expected);
  EXPECT_EQ(both.parameters().size(), 3U) << "shared parameters count once";
  FactorGraph twice = graph;
  twice.add_all(twice);
  EXPECT_EQ(twice.terms().size(), 6U);
}

TEST_F(GraphTest, FactorsWithoutWeightAreLeftOut) {
  FactorGraph off;
  const Variable x = off.real("x", {1});
  off.add(Broken(x), 0.0);
  EXPECT_EQ(off.energy(State().set(x, numbers({1.0, 2.0}, {2, 1}))).tensor().values(),
            std::vector<double>(2, 0.0));
}

TEST_F(GraphTest, AnEnergyOfNothingIsWhereTheParametersAre) {
  const FactorGraph none = graph.scaled(0.0);
  EXPECT_EQ(none.energy({}).placement(), f64());
  EXPECT_EQ(none.energy(State().set(v, Tensor::zeros({2, 3}, f32()))).placement(), f32());
}

TEST_F(GraphTest, MovesItsParametersTogether) {
  EXPECT_EQ(graph.placement(), f64());
  graph.to(f32());
  EXPECT_EQ(graph.placement(), f32());
  for (const Parameter& parameter : graph.parameters()) {
    EXPECT_EQ(parameter.tensor().placement(), f32());
  }
  EXPECT_EQ(FactorGraph().placement(), Placement{});
}

TEST_F(GraphTest, FindsVariablesByName) {
  EXPECT_EQ(graph.find("h"), h);
  EXPECT_TRUE(contains(error_of([&] { (void)graph.find("w"); }), "(v, h), received w"));
  EXPECT_TRUE(graph.has(v));
  FactorGraph other;
  EXPECT_FALSE(graph.has(other.real("v", {4}))) << "same name and place, another shape";
}

TEST_F(GraphTest, RefusesBadVariables) {
  EXPECT_TRUE(contains(error_of([&] { graph.binary("v", {3}); }), "received v a second time"));
  EXPECT_TRUE(contains(error_of([&] { graph.binary("", {3}); }), "empty"));
  EXPECT_TRUE(contains(error_of([&] { graph.binary("a", {3, -1}); }), "[3, -1]"));
  EXPECT_TRUE(contains(error_of([&] { graph.binary("a", {0, 3, 0}); }), "[0, 3, 0]"));
  EXPECT_TRUE(contains(error_of([&] { graph.categorical("a", {3, 1}); }), "at least 2 categories"));
  EXPECT_TRUE(contains(error_of([&] { graph.categorical("a", {}); }), "at least 2 categories"));
}

TEST_F(GraphTest, RefusesFactorsThatDoNotFit) {
  FactorGraph other;
  other.real("x", {1});
  other.real("y", {1});
  const Variable foreign = other.real("z", {1});
  EXPECT_TRUE(contains(error_of([&] { graph.add(Bias(foreign)); }), "Bias(z) reads variable z"));
  EXPECT_TRUE(contains(error_of([&] { graph.add(Bias(v)); }), "v.bias"));
  EXPECT_EQ(error_of([&] { graph.add(Bias(v, {.label = "second"})); }), "");
  EXPECT_TRUE(contains(error_of([&] { graph.add(Quadratic(v), NAN); }), "finite weight"));
  EXPECT_TRUE(contains(error_of([&] { graph.add(std::shared_ptr<const Factor>()); }), "null"));
  EXPECT_TRUE(contains(error_of([&] { graph.add_all(other); }), "same variables (v, h)"));
  EXPECT_TRUE(contains(error_of([&] { Bilinear(v, v, Key(1)); }), "two different variables"));
}

TEST_F(GraphTest, RefusesEnergiesThatAreNotOnePerSample) {
  graph.add(Broken(v));
  EXPECT_TRUE(contains(error_of([&] { (void)graph.energy(state); }),
                       "[Broken(v)] expected one energy per sample, [4], received shape []"));
  EXPECT_TRUE(
      contains(error_of([&] { (void)graph.energy(State().set(v, state[v])); }), "variable h has no value"));
}

}  // namespace
}  // namespace basin::test
