#include "energy/state.h"

#include <gtest/gtest.h>

#include "energy/graph.h"
#include "oracle.h"

namespace basin::test {
namespace {

struct StateTest : testing::Test {
  FactorGraph graph;
  Variable v = graph.binary("v", {2, 3}), h = graph.real("h", {4});
};

TEST_F(StateTest, HoldsValuesByVariable) {
  State state;
  EXPECT_TRUE(state.empty());
  state.set(h, Tensor::full({5, 4}, 2.0, f64()));
  EXPECT_FALSE(state.empty());
  EXPECT_TRUE(state.has(h));
  EXPECT_FALSE(state.has(v));
  EXPECT_EQ(state.batch(), 5);
  EXPECT_EQ(state.placement(), f64());
  EXPECT_EQ(state[h].tensor().values(), std::vector<double>(20, 2.0));
}

TEST_F(StateTest, WithLeavesTheOriginalAlone) {
  const State first = State().set(h, Tensor::zeros({1, 4}, f64()));
  const State second = first.with(h, Tensor::full({1, 4}, 1.0, f64()));
  EXPECT_EQ(first[h].tensor().values()[0], 0.0);
  EXPECT_EQ(second[h].tensor().values()[0], 1.0);
}

TEST_F(StateTest, TheOnlyVariableMayChangeItsBatch) {
  State state = State().set(h, Tensor::zeros({2, 4}, f64()));
  state.set(h, Tensor::zeros({7, 4}, f64()));
  EXPECT_EQ(state.batch(), 7);
}

TEST_F(StateTest, RefusesWrongShapesNamingTheVariable) {
  State state;
  EXPECT_TRUE(contains(error_of([&] {
                         state.set(v, Tensor::zeros({5, 6}, f64()));
                       }),
                       "v to be [N, ...] with samples of shape [2, 3]"));
  EXPECT_TRUE(contains(error_of([&] { state.set(h, Tensor::zeros({4}, f64())); }), "received shape [4]"));
  EXPECT_TRUE(contains(error_of([&] { state.set(h, Tensor::zeros({}, f64())); }), "[state]"));
  EXPECT_TRUE(contains(error_of([&] { state.set(h, Value()); }), "undefined"));
  state.set(h, Tensor::zeros({5, 4}, f64()));
  EXPECT_TRUE(contains(error_of([&] {
                         state.set(v, Tensor::zeros({6, 2, 3}, f64()));
                       }),
                       "expected 5 samples of v"));
}

TEST_F(StateTest, RefusesToReadWhatIsNotThere) {
  State state;
  EXPECT_TRUE(contains(error_of([&] { (void)state[v]; }), "variable v has no value"));
  EXPECT_TRUE(contains(error_of([&] { (void)state.batch(); }), "no batch size"));
  EXPECT_TRUE(contains(error_of([&] { (void)state.placement(); }), "no placement"));
}

}  // namespace
}  // namespace basin::test
