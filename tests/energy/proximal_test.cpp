#include "energy/minimise/proximal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/factors/penalties/box.h"
#include "energy/factors/penalties/group_l2.h"
#include "energy/minimise/infer.h"
#include "energy/minimise/split.h"
#include "energy/oracle.h"
#include "energy/sparse_problem.h"
#include "modules/activation.h"
#include "modules/sequential/sequential.h"
#include "support/device.h"

namespace basin::test {
namespace {

double shortest_step(const State& after) {
  const std::vector<double> steps = after.recall("proximal.step").tensor().values();
  return *std::min_element(steps.begin(), steps.end());
}

/// y [N, n] explained by an orthonormal dictionary (a rotation in each pair of coordinates): z* = prox of W
/// y.
struct Orthonormal {
  explicit Orthonormal(Domain domain, Index n = 6, Index samples = 4)
      : y(graph.real("y", {n})), z(graph.variable("z", domain, {n})) {
    std::vector<double> w(static_cast<std::size_t>(n * n), 0.0);
    for (Index i = 0; i < n; i += 2) {
      const double angle = 0.3 + static_cast<double>(i);
      const auto at = [&](Index a, Index b) -> double& {
        return w[static_cast<std::size_t>((i + a) * n + i + b)];
      };
      at(0, 0) = at(1, 1) = std::cos(angle);
      at(0, 1) = std::sin(angle);
      at(1, 0) = -std::sin(angle);
    }
    const Tensor weight = Tensor::from(w, {n, n}, f64());
    Linear decoder(n, n, Key(1), {.bias = false, .placement = f64()});
    decoder.weight().tensor().copy_from(weight);
    graph.add(SquaredError(y, decoder, z));
    clamped.set(y, Tensor::from(numbers(samples * n, 4), {samples, n}, f64()));
    projected = matmul(clamped[y], weight, {.transpose_b = true}).tensor().values();
  }
  FactorGraph graph;
  Variable y, z;
  State clamped;
  std::vector<double> projected;
};

std::vector<double> found(const Orthonormal& problem, const Transition& transition, Fuse fuse,
                          Stop stop = Stop::Auto) {
  const Inferred result = infer(problem.graph, problem.z, transition, problem.clamped,
                                {.max_steps = 400, .tolerance = 1e-12, .stop = stop, .fuse = fuse}, Key(1));
  EXPECT_EQ(result.unconverged, 0);
  return result.state[problem.z].tensor().values();
}

TEST(Proximal, L1WithAnOrthonormalDictionaryIsAShrinkage) {
  for (const Domain domain : {Domain::Real, Domain::NonNegative}) {
    Orthonormal problem(domain);
    problem.graph.add(L1(problem.z, 0.2));
    std::vector<double> expected;
    for (const double b : problem.projected) {
      expected.push_back(std::max(0.0, b - 0.2) - (domain == Domain::Real ? std::max(0.0, -b - 0.2) : 0.0));
    }
    for (const Fuse fuse : {Fuse::Off, Fuse::Auto}) {
      EXPECT_LT(largest_difference(found(problem, Ista(problem.z), fuse), expected), 1e-9);
      EXPECT_LT(largest_difference(found(problem, Fista(problem.z), fuse), expected), 1e-9);
      EXPECT_LT(largest_difference(found(problem, CoordinateDescent(problem.z), fuse), expected), 1e-9);
    }
  }
}

TEST(Proximal, GroupL2WithAnOrthonormalDictionaryIsAGroupShrinkage) {
  for (const Domain domain : {Domain::Real, Domain::NonNegative}) {
    Orthonormal problem(domain);
    problem.graph.add(GroupL2(problem.z, 3, 0.5));
    std::vector<double> expected = problem.projected;
    int silent = 0;
    for (auto group = expected.begin(); group != expected.end(); group += 3) {
      double square = 0.0;
      for (auto b = group; b != group + 3; ++b) {
        if (domain == Domain::NonNegative) *b = std::max(*b, 0.0);
        square += *b * *b;
      }
      const double kept = std::max(0.0, 1.0 - 0.5 / std::sqrt(square));
      silent += kept == 0.0 ? 1 : 0;
      for (auto b = group; b != group + 3; ++b) *b *= kept;
    }
    EXPECT_GT(silent, 0);
    EXPECT_LT(silent, 8);
    // Its dual norm gives a gap.
    const Inferred result =
        infer(problem.graph, problem.z, Fista(problem.z), problem.clamped, {.tolerance = 1e-12}, Key(1));
    EXPECT_EQ(result.stop, Stop::DualityGap);
    EXPECT_LT(largest_difference(result.state[problem.z].tensor().values(), expected), 1e-6);
    EXPECT_TRUE(
        contains(error_of([&] { found(problem, CoordinateDescent(problem.z), Fuse::Auto); }), "GroupL2(z)"));
  }
}

TEST(Proximal, GroupsOfMaps) {
  // Two maps of 2 x 2: groups of the two channels at one place.
  FactorGraph graph;
  const Variable z = graph.real("z", {2, 2, 2});
  const GroupL2 factor(z, 2, 1.0, {.axis = 0});
  const State state =
      State().set(z, Tensor::from(std::vector<double>{3, 0, 0, 1, 4, 0, 2, 0}, {1, 2, 2, 2}, f64()));
  EXPECT_NEAR(factor.energy(state).item(), 5.0 + 0.0 + 2.0 + 1.0, 1e-12);
  const Value moved = *factor.prox(z, state[z], Tensor::full({1, 1, 1, 1}, 1.0, f64()));
  EXPECT_LT(largest_difference(moved.tensor().values(), {2.4, 0, 0, 0, 3.2, 0, 1, 0}), 1e-12);
  EXPECT_NEAR(factor.dual_norm(z, state[z])->item(), 5.0, 1e-12);
}

TEST(Proximal, ABoxHoldsTheQuadraticMinimum) {
  // min 1/2 |y - z W|^2 over 0 <= z <= 1 in three dimensions, by enumeration of what is at a bound.
  const std::vector<double> w{1.0, 0.4, 0.0, 0.3, 0.9, -0.5, 0.0, 0.6, 1.1}, y{0.9, 1.5, -0.8};
  const auto energy = [&](const std::vector<double>& z) {
    double sum = 0.0;
    for (std::size_t j = 0; j < 3; ++j) {
      double r = y[j];
      for (std::size_t i = 0; i < 3; ++i) r -= z[i] * w[i * 3 + j];
      sum += 0.5 * r * r;
    }
    return sum;
  };
  double best = INFINITY;
  std::vector<double> expected;
  for (int code = 0; code < 27; ++code) {
    std::vector<double> z(3);
    std::vector<std::size_t> free;
    for (std::size_t i = 0, c = static_cast<std::size_t>(code); i < 3; ++i, c /= 3) {
      z[i] = c % 3 == 1 ? 1.0 : 0.0;
      if (c % 3 == 2) free.push_back(i);
    }
    for (int sweep = 0; sweep < 5000; ++sweep) {  // exact line searches over the free ones
      for (const std::size_t i : free) {
        double product = 0.0, square = 0.0;
        for (std::size_t j = 0; j < 3; ++j) {
          double r = y[j];
          for (std::size_t k = 0; k < 3; ++k) r -= z[k] * w[k * 3 + j];
          product += r * w[i * 3 + j];
          square += w[i * 3 + j] * w[i * 3 + j];
        }
        z[i] += product / square;
      }
    }
    const bool inside = std::all_of(z.begin(), z.end(), [](double x) { return x >= 0.0 && x <= 1.0; });
    if (inside && energy(z) < best) {
      best = energy(z);
      expected = z;
    }
  }
  FactorGraph graph;
  const Variable target = graph.real("y", {3}), z = graph.real("z", {3});
  Linear decoder(3, 3, Key(1), {.bias = false, .placement = f64()});
  decoder.weight().tensor().copy_from(Tensor::from(w, {3, 3}, f64()));
  graph.add(SquaredError(target, decoder, z)).add(Box(z, 0.0, 1.0));
  const State state = State().set(target, Tensor::from(y, {1, 3}, f64()));
  for (const bool coordinates : {false, true}) {
    const Fista fista(z);
    const CoordinateDescent descent(z);
    const Transition& transition = coordinates ? static_cast<const Transition&>(descent) : fista;
    const Inferred result =
        infer(graph, z, transition, state, {.max_steps = 2000, .tolerance = 1e-13}, Key(1));
    EXPECT_EQ(result.stop, Stop::StepSize);
    EXPECT_LT(largest_difference(result.state[z].tensor().values(), expected), 1e-9);
    EXPECT_NEAR(graph.energy(result.state).item(), best, 1e-12);
  }
  EXPECT_EQ(graph.energy(state.with(z, Tensor::full({1, 3}, 1.5, f64()))).item(), INFINITY);
  EXPECT_TRUE(std::isnan(graph.energy(state.with(z, Tensor::full({1, 3}, NAN, f64()))).item()));
}

TEST(Proximal, ANonNegativeVariableAloneHasItsWall) {
  // Non-negative least squares with an orthonormal dictionary: max(0, W y).
  const Orthonormal problem(Domain::NonNegative);
  std::vector<double> expected = problem.projected;
  for (double& b : expected) b = std::max(b, 0.0);
  EXPECT_LT(largest_difference(found(problem, Fista(problem.z), Fuse::Auto), expected), 1e-9);
  EXPECT_LT(largest_difference(found(problem, CoordinateDescent(problem.z), Fuse::Auto), expected), 1e-9);
}

TEST(Proximal, BacktrackingStaysWithinTheCurvature) {
  // H has eigenvalues 36 and 1: steps found by halving lie in (1/72, 1], and the energy never rises.
  FactorGraph graph;
  const Variable y = graph.real("y", {2}), z = graph.real("z", {2});
  Linear decoder(2, 2, Key(1), {.bias = false, .placement = f64()});
  decoder.weight().tensor().copy_from(Tensor::from(std::vector<double>{6, 0, 0, 1}, {2, 2}, f64()));
  graph.add(SquaredError(y, decoder, z)).add(L1(z, 0.1));
  State state = State()
                    .set(y, Tensor::from(std::vector<double>{1, 2, -3, 0.1}, {2, 2}, f64()))
                    .set(z, Tensor::zeros({2, 2}, f64()));
  const Ista ista(z, {.rule = StepRule::Backtracking});
  std::vector<double> before = graph.energy(state).tensor().values();
  double smallest = INFINITY;
  for (std::uint64_t i = 0; i < 30; ++i) {
    state = ista(graph, state, Key(i));
    smallest = std::min(smallest, shortest_step(state));
    const std::vector<double> after = graph.energy(state).tensor().values();
    for (std::size_t n = 0; n < 2; ++n) EXPECT_LE(after[n], before[n] + 1e-12);
    before = after;
  }
  EXPECT_GT(smallest, 1.0 / 72.0 - 1e-9);
  EXPECT_LE(smallest, 1.0 / 36.0 + 1e-9);
}

TEST(Proximal, BacktrackingIsNotMisledByRounding) {
  // With a small lambda the residual is a small difference of large numbers; steps must not shrink by its
  // noise.
  for (const double lambda : {1e-2, 1e-3, 1e-4}) {
    const SparseProblem problem = sparse_problem(64, 128, 8, lambda, Domain::Real, f32());
    const double bound =
        lipschitz(Split(problem.graph, problem.z),
                  State(problem.clamped).set(problem.z, Tensor::zeros({8, 128}, f32())), Key(2));
    State state = State(problem.clamped).set(problem.z, Tensor::zeros({8, 128}, f32()));
    const Fista fista(problem.z, {.rule = StepRule::Backtracking});
    double smallest = INFINITY;
    for (std::uint64_t i = 0; i < 600; ++i) {
      state = fista(problem.graph, state, Key(i));
      state.set(problem.z, state[problem.z].detached());
      smallest = std::min(smallest, shortest_step(state));
    }
    EXPECT_GT(smallest * bound, 0.5) << lambda;
  }
}

TEST(Proximal, BacktrackingOfAnotherEnergyIsNotMisledByRounding) {
  // The same behind a module that is not known to be affine.
  FactorGraph graph;
  const Variable y = graph.real("y", {24}), z = graph.real("z", {16});
  graph
      .add(SquaredError(y,
                        Sequential()
                            .add(Linear(16, 24, Key(1), {.placement = f32()}))
                            .add(Activation(Activation::Kind::Tanh)),
                        z))
      .add(L1(z, 1e-4));
  State state =
      State().set(y, Tensor::from(numbers(4 * 24, 3), {4, 24}, f32())).set(z, Tensor::zeros({4, 16}, f32()));
  const Fista fista(z, {.rule = StepRule::Backtracking});
  double smallest = INFINITY;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    state = fista(graph, state, Key(i));
    state.set(z, state[z].detached());
    smallest = std::min(smallest, shortest_step(state));
  }
  EXPECT_GT(smallest, 1e-3);
}

TEST(Proximal, BacktrackingWorksWhereCurvatureIsNotConstant) {
  // min_z 1/2 (tanh(z) - 0.5)^2 + 0.1 z over z >= 0: (tanh z - 0.5)(1 - tanh^2 z) + 0.1 = 0.
  FactorGraph graph;
  const Variable y = graph.real("y", {1}), z = graph.non_negative("z", {1});
  graph.add(SquaredError(y, Activation(Activation::Kind::Tanh), z)).add(L1(z, 0.1));
  const State state = State().set(y, Tensor::full({1, 1}, 0.5, f64()));
  const Inferred result =
      infer(graph, z, Fista(z, {.rule = StepRule::Backtracking}), state, {.tolerance = 1e-12}, Key(1));
  const double t = std::tanh(result.state[z].item());
  EXPECT_GT(t, 0.1);
  EXPECT_NEAR((t - 0.5) * (1.0 - t * t) + 0.1, 0.0, 1e-8);
}

TEST(Proximal, RestartHelpsWhereMomentumOvershoots) {
  const SparseProblem problem = sparse_problem(30, 20, 10, 0.02, Domain::Real, f64());
  const auto steps = [&](bool restart) {
    const Inferred result =
        infer(problem.graph, problem.z, Fista(problem.z, {.restart = restart}), problem.clamped,
              {.max_steps = 5000, .tolerance = 1e-9, .fuse = Fuse::Off}, Key(1));
    EXPECT_EQ(result.unconverged, 0);
    return sum(result.steps).item();
  };
  EXPECT_LT(steps(true), 0.6 * steps(false));
}

TEST(Proximal, AFixedStepIsTaken) {
  const SparseProblem problem = sparse_problem(5, 8, 2, 0.1, Domain::Real, f64());
  const State state = State(problem.clamped).set(problem.z, Tensor::zeros({2, 8}, f64()));
  const Ista ista(problem.z, {.step = 0.25});
  const State moved = ista(problem.graph, state, Key(1));
  EXPECT_EQ(shortest_step(moved), 0.25);
  // From zero: shrink(0.25 D'y, 0.025).
  std::vector<double> expected;
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t i = 0; i < 8; ++i) {
      double b = 0.0;
      for (std::size_t j = 0; j < 5; ++j)
        b += 0.25 * problem.dictionary[i * 5 + j] * problem.signals[n * 5 + j];
      expected.push_back(std::max(0.0, b - 0.025) - std::max(0.0, -b - 0.025));
    }
  }
  EXPECT_LT(largest_difference(moved[problem.z].tensor().values(), expected), 1e-14);
  EXPECT_TRUE(contains(error_of([&] { Ista(problem.z, {.step = 0.0}); }), "step > 0"));
  EXPECT_TRUE(contains(error_of([&] { Fista(problem.z, {.step = -1.0}); }), "step > 0"));
}

TEST(Proximal, MovesAreDifferentiable) {
  // d sum(z_2) / d theta of two ISTA steps by finite differences, theta the dictionary.
  const SparseProblem problem = sparse_problem(4, 6, 3, 0.1, Domain::Real, f64());
  const Parameter dictionary = problem.graph.parameters().front();
  const State start = State(problem.clamped).set(problem.z, Tensor::zeros({3, 6}, f64()));
  const auto total = [&] {
    return sum(square(iterate(Ista(problem.z, {.step = 0.3}), problem.graph, start, 2, Key(1))[problem.z]));
  };
  const std::vector<double> slope = grad(total(), {dictionary.value()}).front().tensor().values();
  const std::vector<double> values = dictionary.tensor().values();
  for (std::size_t i = 0; i < values.size(); i += 5) {
    const auto at = [&](double shift) {
      std::vector<double> moved = values;
      moved[i] += shift;
      dictionary.tensor().copy_from(Tensor::from(moved, dictionary.tensor().shape(), f64()));
      const double result = total().item();
      dictionary.tensor().copy_from(Tensor::from(values, dictionary.tensor().shape(), f64()));
      return result;
    };
    EXPECT_NEAR(slope[i], (at(1e-6) - at(-1e-6)) / 2e-6, 1e-7) << i;
  }
}

TEST(Proximal, SaysWhatItCannotDo) {
  FactorGraph flat;
  const Variable v = flat.real("v", {2});
  flat.add(L1(v, 1.0));
  const State zeros = State().set(v, Tensor::zeros({1, 2}, f64()));
  EXPECT_TRUE(contains(error_of([&] { (void)Ista(v)(flat, zeros, Key(1)); }), "give a fixed step"));
  EXPECT_TRUE(contains(error_of([&] { (void)CoordinateDescent(v)(flat, zeros, Key(1)); }), "use Fista"));
  FactorGraph graph;
  const Variable z = graph.real("z", {6});
  const Variable bits = graph.binary("bits", {6});
  EXPECT_TRUE(contains(error_of([&] { GroupL2(z, 4, 0.1); }), "groups of 4"));
  EXPECT_TRUE(contains(error_of([&] { GroupL2(z, 2, -0.1); }), "lambda >= 0"));
  EXPECT_TRUE(contains(error_of([&] { GroupL2(z, 2, 0.1, {.axis = 1}); }), "axis"));
  EXPECT_TRUE(contains(error_of([&] { GroupL2(bits, 2, 0.1); }), "binary"));
  EXPECT_TRUE(contains(error_of([&] { Box(z, 1.0, 0.0); }), "low <= high"));
  EXPECT_TRUE(contains(error_of([&] { Box(z, NAN, 0.0); }), "low <= high"));
  EXPECT_TRUE(contains(error_of([&] { Box(bits, 0.0, 1.0); }), "binary"));
}

}  // namespace
}  // namespace basin::test
