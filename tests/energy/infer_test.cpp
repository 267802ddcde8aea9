#include "energy/minimise/infer.h"

#include <gtest/gtest.h>

#include "energy/factors/penalties/l1.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/split.h"
#include "energy/sparse_problem.h"
#include "modules/images/conv2d.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/guard/guard_backend.h"
#include "tensor/random.h"

namespace basin::test {
namespace {

class Lasso : public testing::TestWithParam<Domain> {};

TEST_P(Lasso, EveryTransitionFindsTheReference) {
  const bool non_negative = GetParam() == Domain::NonNegative;
  const SparseProblem problem = sparse_problem(10, 24, 7, 0.1, GetParam(), f64());
  const std::vector<double> reference = reference_codes(problem, non_negative);
  const auto check = [&](const Transition& transition, Index steps, const char* name) {
    const Inferred found = infer(problem.graph, problem.z, transition, problem.clamped,
                                 {.max_steps = steps, .tolerance = 1e-11, .fuse = Fuse::Off}, Key(3));
    EXPECT_EQ(found.stop, Stop::DualityGap) << name;
    EXPECT_EQ(found.unconverged, 0) << name;
    EXPECT_EQ(found.rules, Rules{}) << name;
    EXPECT_LT(largest_difference(found.state[problem.z].tensor().values(), reference), 1e-5) << name;
  };
  check(Ista(problem.z), 20000, "ista");
  check(Fista(problem.z), 3000, "fista");
  check(Fista(problem.z, {.restart = false}), 10000, "fista without restart");
  check(Ista(problem.z, {.rule = StepRule::Backtracking}), 20000, "ista, backtracking");
  check(Fista(problem.z, {.rule = StepRule::Backtracking}), 5000, "fista, backtracking");
  check(CoordinateDescent(problem.z), 5000, "coordinate descent");
}

TEST_P(Lasso, FusedEqualsDerived) {
  for (const Placement placement : {f64(), f32()}) {
    // In f32 a gap of 1e-6 is of the size of its rounding, which differs from compiler to compiler.
    const InferOptions options = {.max_steps = 20000,
                                  .tolerance = placement.dtype == Dtype::F64 ? 1e-11 : 5e-6};
    const SparseProblem problem = sparse_problem(20, 45, 40, 0.1, GetParam(), placement);
    const std::vector<double> reference = reference_codes(problem, GetParam() == Domain::NonNegative);
    const auto check = [&](const Transition& transition, const char* name) {
      const Inferred found = infer(problem.graph, problem.z, transition, problem.clamped, options, Key(3));
      EXPECT_EQ(found.unconverged, 0) << name << warning(found, options);
      EXPECT_EQ(found.rules, Rules{"lasso"}) << name;
      EXPECT_LT(largest_difference(found.state[problem.z].tensor().values(), reference),
                placement.dtype == Dtype::F64 ? 1e-5 : 2e-3)
          << name;
    };
    if (!rules_of_descent().empty()) check(CoordinateDescent(problem.z), "coordinate descent");
    check(Fista(problem.z), "fista");
    check(Ista(problem.z), "ista");
  }
}

INSTANTIATE_TEST_SUITE_P(Signs, Lasso, testing::Values(Domain::Real, Domain::NonNegative),
                         [](const auto& test) {
                           return test.param == Domain::Real ? "Real" : "NonNegative";
                         });

TEST(Infer, NoSamplesAreNoWork) {
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    SparseProblem problem = sparse_problem(10, 24, 3, 0.1, Domain::Real, f32());
    problem.clamped.set(problem.y, Tensor({0, 10}, f32()));
    const Inferred found =
        infer(problem.graph, problem.z, Fista(problem.z), problem.clamped, {.fuse = fuse}, Key(1));
    EXPECT_EQ(found.state[problem.z].shape(), (Shape{0, 24}));
    EXPECT_EQ(found.unconverged, 0);
    EXPECT_EQ(found.measure.size(), 0);
  }
}

TEST(Infer, TransitionsOfAnotherVariableAreErrors) {
  const SparseProblem problem = sparse_problem(10, 24, 3, 0.1, Domain::Real, f32());
  EXPECT_THROW(infer(problem.graph, problem.z, Fista(problem.y), problem.clamped, {}, Key(1)), Error);
}

TEST(Infer, NegativeStartsOfNonNegativeCodesAreCutOff) {
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    const SparseProblem problem = sparse_problem(10, 24, 3, 0.1, Domain::NonNegative, f64());
    const std::vector<double> reference = reference_codes(problem, true);
    std::vector<double> start = reference;
    for (double& code : start) code -= 1e-3;
    const State state = State(problem.clamped).set(problem.z, Tensor::from(start, {3, 24}, f64()));
    for (const Index steps : {0, 5000}) {
      const Inferred found = infer(problem.graph, problem.z, Fista(problem.z), state,
                                   {.max_steps = steps, .tolerance = 1e-10, .fuse = fuse}, Key(1));
      for (const double code : found.state[problem.z].tensor().values()) EXPECT_GE(code, 0.0);
      if (steps == 0) continue;
      EXPECT_LT(largest_difference(found.state[problem.z].tensor().values(), reference), 1e-4);
    }
    // A NaN is no small number to be cut off.
    start[5] = NAN;
    EXPECT_THROW(
        infer(problem.graph, problem.z, Fista(problem.z),
              State(state).set(problem.z, Tensor::from(start, {3, 24}, f64())), {.fuse = fuse}, Key(1)),
        Error);
  }
}

TEST(Infer, DownloadsAtChecksAlone) {
  // Of the derived path and of a rule's mover, on the device that counts.
  FactorGraph graph;
  const Placement guard{Dtype::F32, Device::Guard};
  const Variable y = graph.real("y", {1, 6, 16}), z = graph.real("z", {2, 6, 16});
  graph.add(SquaredError(
      y, ConvTranspose2d(2, 1, {3, 3}, Key(1), {.padding = {1, 1}, .bias = false, .placement = guard}), z));
  graph.add(L1(z, 0.1));
  const State state = State().set(y, normal(Key(2), {3, 1, 6, 16}, guard));
  const Fista fista(z, {.step = 0.01});
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    for (const Stop stop : {Stop::DualityGap, Stop::StepSize}) {
      const auto downloads = [&](Index steps, Index check_every) {
        const auto before = guard_work().downloads;
        infer(graph, z, fista, state,
              {.max_steps = steps, .tolerance = 0.0, .stop = stop, .check_every = check_every, .fuse = fuse},
              Key(3));
        return guard_work().downloads - before;
      };
      EXPECT_EQ(downloads(20, 10), downloads(60, 30));
      EXPECT_LE(downloads(20, 10), downloads(20, 20) + 1);
    }
  }
}

TEST(Infer, StepsAreMeasuredBesideTheCodes) {
  // Non-negative least squares: the same relative error whatever the data's unit.
  for (const double scale : {1.0, 1e-5, 1e5}) {
    FactorGraph graph;
    const Variable y = graph.real("y", {12}), z = graph.non_negative("z", {8});
    graph.add(SquaredError(y, Linear(8, 12, Key(1), {.bias = false, .placement = f64()}), z));
    std::vector<double> data = numbers(4 * 12, 3);
    for (double& number : data) number *= scale;
    const State state = State().set(y, Tensor::from(data, {4, 12}, f64()));
    const auto codes = [&](double tolerance) {
      const Inferred found =
          infer(graph, z, Fista(z), state, {.max_steps = 20000, .tolerance = tolerance}, Key(1));
      EXPECT_EQ(found.stop, Stop::StepSize);
      EXPECT_EQ(found.unconverged, 0);
      return found.state[z].tensor().values();
    };
    EXPECT_LT(largest_difference(codes(1e-6), codes(1e-13)), 1e-4 * scale) << scale;
  }
}

TEST(Infer, GoodReconstructionsHaveGapsToo) {
  // Signals of norm 1 and a tiny lambda: in f32 the smooth energy is all rounding.
  const SparseProblem problem = sparse_problem(64, 128, 10, 1e-5, Domain::Real, f32());
  const InferOptions options{.max_steps = 50000, .tolerance = 0.05};
  const Inferred found = infer(problem.graph, problem.z, Fista(problem.z), problem.clamped, options, Key(1));
  EXPECT_EQ(found.rules, Rules{"lasso"});
  EXPECT_EQ(found.unconverged, 0) << warning(found, options);
}

TEST(Infer, CoordinateDescentRefusesMapsThatItCannotHandle) {
  FactorGraph graph;
  const Variable y = graph.real("y", {1, 48, 48}), z = graph.real("z", {16, 56, 56});
  graph.add(SquaredError(y, ConvTranspose2d(16, 1, {9, 9}, Key(1), {.padding = {8, 8}, .bias = false}), z))
      .add(L1(z, 0.1));
  const State state = State().set(y, Tensor::full({1, 1, 48, 48}, 1.0, f32()));
  EXPECT_THROW(infer(graph, z, CoordinateDescent(z), state, {}, Key(1)), Error);
}

}  // namespace
}  // namespace basin::test
