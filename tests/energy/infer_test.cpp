#include "energy/infer.h"

#include <gtest/gtest.h>

#include "energy/proximal.h"
#include "energy/sparse_problem.h"
#include "energy/split.h"
#include "support/device.h"

namespace basin::test {
namespace {

class Lasso : public testing::TestWithParam<Domain> {};

TEST_P(Lasso, EveryTransitionFindsTheReference) {
  const bool non_negative = GetParam() == Domain::NonNegative;
  const SparseProblem problem = sparse_problem(10, 24, 7, 0.1, GetParam(), f64());
  const std::vector<double> reference = reference_codes(problem, non_negative);
  const auto check = [&](const Transition& transition, Index steps, const char* name) {
    const Inferred found =
        infer(problem.graph, problem.z, transition, problem.clamped, {.max_steps = steps, .tolerance = 1e-11, .fuse = Fuse::Off}, Key(3));
    EXPECT_EQ(found.stop, Stop::DualityGap) << name;
    EXPECT_EQ(found.unconverged, 0) << name;
    EXPECT_EQ(found.rule, "") << name;
    EXPECT_LT(largest_difference(found.state[problem.z].tensor().values(), reference), 1e-5) << name;
  };
  check(Ista(problem.z), 20000, "ista");
  check(Fista(problem.z), 3000, "fista");
  check(Fista(problem.z, {.restart = false}), 10000, "fista without restart");
  check(Ista(problem.z, {.rule = StepRule::Backtracking}), 20000, "ista, backtracking");
  check(Fista(problem.z, {.proximal = {.rule = StepRule::Backtracking}}), 5000, "fista, backtracking");
  check(CoordinateDescent(problem.z), 5000, "coordinate descent");
}

TEST_P(Lasso, FusedEqualsDerived) {
  for (const Placement placement : {f64(), f32()}) {
    const double tolerance = placement.dtype == Dtype::F64 ? 1e-11 : 1e-6;
    const SparseProblem problem = sparse_problem(20, 45, 40, 0.1, GetParam(), placement);
    const std::vector<double> reference = reference_codes(problem, GetParam() == Domain::NonNegative);
    const auto check = [&](const Transition& transition, const char* name) {
      const Inferred found =
          infer(problem.graph, problem.z, transition, problem.clamped, {.max_steps = 20000, .tolerance = tolerance}, Key(3));
      EXPECT_EQ(found.unconverged, 0) << name << warning(found, {});
      EXPECT_EQ(found.rule, "lasso") << name;
      EXPECT_LT(largest_difference(found.state[problem.z].tensor().values(), reference), placement.dtype == Dtype::F64 ? 1e-5 : 1e-3)
          << name;
    };
    check(CoordinateDescent(problem.z), "coordinate descent");
    check(Fista(problem.z), "fista");
    check(Ista(problem.z), "ista");
  }
}

INSTANTIATE_TEST_SUITE_P(Signs, Lasso, testing::Values(Domain::Real, Domain::NonNegative),
                         [](const auto& test) { return test.param == Domain::Real ? "Real" : "NonNegative"; });

}  // namespace
}  // namespace basin::test
