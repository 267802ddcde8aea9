#include "training/measures/density.h"

#include <gtest/gtest.h>

#include <cmath>

#include "energy/factors/bias.h"
#include "energy/factors/quadratic.h"
#include "support/contains.h"
#include "support/device.h"
#include "support/error_of.h"

namespace basin::test {
namespace {

/// A round Gaussian of variance 1/2 whose log Z is known.
TEST(DensityMeasureTest, ZOfAGaussianByAGridAndTheLikeliestInverseTemperature) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2});
  graph.add(Quadratic(x, {.precision = Precision::Fixed, .log_precision = std::log(2.0)}));
  const EnergyTable table = energy_table(free_energy_of(graph, x), {.reach = 6.0, .side = 200}, {});
  EXPECT_NEAR(table.log_partition(1.0), std::log(M_PI), 1e-5);
  EXPECT_NEAR(table.log_partition(2.0), std::log(M_PI / 2.0), 1e-5);
  // mean E = 1 / beta of two numbers: samples of mean energy 0.5 are those of beta = 2.
  EXPECT_NEAR(table.inverse_temperature({0.2, 0.8}), 2.0, 1e-3);
}

TEST(DensityMeasureTest, ZOfBitsIsTheSumOfAllStates) {
  FactorGraph graph;
  const Variable x = graph.binary("x", {3});
  graph.add(Bias(x));
  graph.parameters().front().tensor().copy_from(Tensor::from(std::vector<double>{1.0, -2.0, 0.5}, {3}));
  const EnergyTable table = energy_table(free_energy_of(graph, x), {}, {});
  double log_z = 0.0;
  for (const double b : {1.0, -2.0, 0.5}) log_z += std::log1p(std::exp(b));
  EXPECT_NEAR(table.log_partition(1.0), log_z, 1e-5);
}

TEST(DensityMeasureTest, AreaUnderTheCurveCountsPairs) {
  EXPECT_DOUBLE_EQ(area_under_curve({1.0, 2.0}, {1.0, 3.0}), (0.5 + 1.0 + 0.0 + 1.0) / 4.0);
  EXPECT_DOUBLE_EQ(area_under_curve({5.0}, {1.0, 3.0}), 0.0);
}

TEST(DensityMeasureTest, OtherSamplesAreRefused) {
  FactorGraph graph;
  const Variable x = graph.real("x", {3});
  graph.add(Quadratic(x));
  EXPECT_TRUE(
      contains(error_of([&] { (void)energy_table(free_energy_of(graph, x), {}, {}); }), "two real numbers"));
}

}  // namespace
}  // namespace basin::test
