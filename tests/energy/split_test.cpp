#include "energy/minimise/split.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/penalties/box.h"
#include "energy/factors/penalties/group_l2.h"
#include "energy/minimise/criterion.h"
#include "energy/oracle.h"
#include "energy/sparse_problem.h"
#include "modules/activation.h"
#include "support/device.h"

namespace basin::test {
namespace {

TEST(Split, SeparatesSmoothAndRough) {
  SparseProblem problem = sparse_problem(4, 6, 3, 0.2, Domain::Real, f64());
  problem.graph.add(Bias(problem.y));  // does not read z
  const Split split(problem.graph, problem.z);
  ASSERT_EQ(split.smooth().terms().size(), 1u);
  EXPECT_EQ(split.smooth().terms()[0].factor->name(), "SquaredError(y, z)");
  EXPECT_EQ(split.rough()->name(), "L1(z)");
  EXPECT_EQ(split.rough_weight(), 1.0);
  EXPECT_TRUE(split.is_least_squares());
  const State state = State(problem.clamped).set(problem.z, Tensor::from(numbers(18, 5), {3, 6}, f64()));
  const std::vector<double> whole = problem.graph.energy_touching({problem.z}, state).tensor().values();
  const std::vector<double> sum = (split.smooth_energy(state) + split.rough_energy(state)).tensor().values();
  EXPECT_LT(largest_difference(whole, sum), 1e-14);
}

TEST(Split, WeightsScaleTheProx) {
  SparseProblem problem = sparse_problem(4, 2, 1, 0.25, Domain::Real, f64());
  const Split split(problem.graph.scaled(2.0), problem.z);
  const Value moved = split.prox(Value(Tensor::from(std::vector<double>{1.0, -0.3}, {1, 2}, f64())),
                                 Tensor::full({1, 1}, 0.5, f64()));
  EXPECT_EQ(moved.tensor().values(), (std::vector<double>{0.75, 0.0 - (0.3 - 0.25)}));
}

TEST(Split, TwoProxesAreRefusedByName) {
  SparseProblem problem = sparse_problem(4, 6, 3, 0.2, Domain::Real, f64());
  problem.graph.add(GroupL2(problem.z, 2, 0.1));
  const std::string error = error_of([&] { Split(problem.graph, problem.z); });
  EXPECT_TRUE(contains(error, "L1(z)") && contains(error, "GroupL2(z)")) << error;
}

TEST(Split, RefusesDiscreteVariablesAndStrangers) {
  FactorGraph graph;
  const Variable h = graph.binary("h", {3});
  EXPECT_TRUE(contains(error_of([&] { Split(graph, h); }), "h, which is binary"));
  FactorGraph other;
  other.real("v", {1});
  const Variable u = other.real("u", {2});
  EXPECT_TRUE(contains(error_of([&] { Split(graph, u); }), "u is not of this graph"));
}

TEST(Split, KnowsWhatIsLeastSquares) {
  FactorGraph graph;
  const Variable y = graph.real("y", {3}), z = graph.real("z", {3});
  FactorGraph affine = graph, curved = graph, predicted = graph, biased = graph;
  affine.add(SquaredError(y, Linear(3, 3, Key(1)), z));
  curved.add(SquaredError(y, Activation(Activation::Kind::Tanh), z));
  predicted.add(SquaredError(z, Activation(Activation::Kind::Tanh), y));
  biased.add(SquaredError(y, Linear(3, 3, Key(1)), z)).add(Bias(z));
  EXPECT_TRUE(Split(affine, z).is_least_squares());
  EXPECT_FALSE(Split(curved, z).is_least_squares());
  EXPECT_TRUE(Split(predicted, z).is_least_squares());
  EXPECT_FALSE(Split(biased, z).is_least_squares());
  EXPECT_FALSE(Split(graph, z).is_least_squares());
}

TEST(Lipschitz, IsTheLargestEigenvalue) {
  // z W with W = diag(3, 1, 0.5): H = W W' has eigenvalue 9.
  FactorGraph graph;
  const Variable y = graph.real("y", {3}), z = graph.real("z", {3});
  const Linear decoder(3, 3, Key(1), {.bias = false, .placement = f64()});
  decoder.weight().tensor().copy_from(
      Tensor::from(std::vector<double>{3, 0, 0, 0, 1, 0, 0, 0, 0.5}, {3, 3}, f64()));
  graph.add(SquaredError(y, decoder, z), 2.0);
  const State state = State().set(y, Tensor::zeros({5, 3}, f64())).set(z, Tensor::zeros({5, 3}, f64()));
  EXPECT_NEAR(lipschitz(Split(graph, z), state, Key(2)), 1.01 * 18.0, 1e-6);
  EXPECT_TRUE(
      contains(error_of([&] { (void)lipschitz(Split(graph, z), state, Key(2), 0); }), "iterations >= 1"));
}

TEST(Lipschitz, TakesTheWorstSampleOfACurvedEnergy) {
  // f = 1/2 |tanh z|^2 has curvature 1 at z = 0, less elsewhere.
  FactorGraph graph;
  const Variable y = graph.real("y", {1}), z = graph.real("z", {1});
  graph.add(SquaredError(y, Activation(Activation::Kind::Tanh), z));
  const State state = State()
                          .set(y, Tensor::zeros({2, 1}, f64()))
                          .set(z, Tensor::from(std::vector<double>{0.6, 0.0}, {2, 1}, f64()));
  EXPECT_NEAR(lipschitz(Split(graph, z), state, Key(2)), 1.01, 1e-9);
}

TEST(Lipschitz, IsNeverBelowTheEdgeOfARandomSpectrum) {
  // Wishart: eigenvalues lie dense at the edge, where the power method stops 5 % below.
  const SparseProblem problem = sparse_problem(60, 120, 2, 0.1, Domain::Real, f64());
  std::vector<double> v(120, 1.0), r(60);
  double exact = 0.0;
  for (int i = 0; i < 3000; ++i) {
    std::fill(r.begin(), r.end(), 0.0);
    for (std::size_t k = 0; k < 120; ++k) {
      for (std::size_t j = 0; j < 60; ++j) r[j] += v[k] * problem.dictionary[k * 60 + j];
    }
    exact = 0.0;
    for (std::size_t k = 0; k < 120; ++k) {
      v[k] = 0.0;
      for (std::size_t j = 0; j < 60; ++j) v[k] += r[j] * problem.dictionary[k * 60 + j];
      exact += v[k] * v[k];
    }
    exact = std::sqrt(exact);
    for (double& x : v) x /= exact;
  }
  const State state = State(problem.clamped).set(problem.z, Tensor::zeros({2, 120}, f64()));
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const double found = lipschitz(Split(problem.graph, problem.z), state, Key(seed));
    EXPECT_GE(found, exact);
    EXPECT_LE(found, 1.0101 * exact);
  }
}

TEST(DualityGap, BoundsTheDistanceToTheMinimum) {
  for (const Domain domain : {Domain::Real, Domain::NonNegative}) {
    const SparseProblem problem = sparse_problem(8, 15, 6, 0.1, domain, f64());
    const Split split(problem.graph, problem.z);
    const Tensor best = Tensor::from(reference_codes(problem, domain == Domain::NonNegative), {6, 15}, f64());
    const State optimum = State(problem.clamped).set(problem.z, best);
    const std::vector<double> least = problem.graph.energy(optimum).tensor().values();
    for (const double gap : relative_duality_gap(gap_terms(split, optimum)).tensor().values())
      EXPECT_LT(gap, 1e-10);
    for (const double size : {1e-3, 1e-1, 1.0}) {
      const Value noise = abs(Value(Tensor::from(numbers(90, 9), {6, 15}, f64()))) * size;
      const State near = optimum.with(problem.z, (Value(best) + noise).detached());
      const std::vector<double> energy = problem.graph.energy(near).tensor().values();
      const std::vector<double> gap = relative_duality_gap(gap_terms(split, near)).tensor().values();
      for (std::size_t n = 0; n < gap.size(); ++n)
        EXPECT_GE(gap[n] * energy[n], (energy[n] - least[n]) * (1.0 - 1e-9)) << size;
    }
  }
}

TEST(DualityGap, OfTheTextbookFormula) {
  // P - Q with the dual point s (y - D z) written out.
  const SparseProblem problem = sparse_problem(5, 7, 1, 0.3, Domain::Real, f64());
  const std::vector<double> z = numbers(7, 3);
  double p = 0.0, yr = 0.0, rr = 0.0, dual = 0.0;
  std::vector<double> r = problem.signals;
  for (std::size_t i = 0; i < 7; ++i) {
    for (std::size_t j = 0; j < 5; ++j) r[j] -= z[i] * problem.dictionary[i * 5 + j];
    p += 0.3 * std::abs(z[i]);
  }
  for (std::size_t i = 0; i < 7; ++i) {
    double product = 0.0;
    for (std::size_t j = 0; j < 5; ++j) product += problem.dictionary[i * 5 + j] * r[j];
    dual = std::max(dual, std::abs(product));
  }
  for (std::size_t j = 0; j < 5; ++j) {
    yr += problem.signals[j] * r[j];
    rr += r[j] * r[j];
  }
  p += 0.5 * rr;
  const double s = std::max(0.0, std::min(yr / rr, 0.3 / dual));
  const double expected = (p - (s * yr - 0.5 * s * s * rr)) / p;
  const State state = State(problem.clamped).set(problem.z, Tensor::from(z, {1, 7}, f64()));
  EXPECT_NEAR(relative_duality_gap(gap_terms(Split(problem.graph, problem.z), state)).item(), expected,
              1e-12);
}

TEST(DualityGap, NeedsANorm) {
  FactorGraph graph;
  const Variable y = graph.real("y", {3}), z = graph.real("z", {3});
  graph.add(SquaredError(y, Linear(3, 3, Key(1), {.placement = f64()}), z)).add(Box(z, -1.0, 1.0));
  const State state = State().set(y, Tensor::zeros({1, 3}, f64())).set(z, Tensor::zeros({1, 3}, f64()));
  EXPECT_TRUE(contains(error_of([&] { (void)relative_duality_gap(gap_terms(Split(graph, z), state)); }),
                       "stop by StepSize"));
}

}  // namespace
}  // namespace basin::test
