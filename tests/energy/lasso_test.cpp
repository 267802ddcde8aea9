#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <tuple>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/penalties/group_l2.h"
#include "energy/minimise/criterion.h"
#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "energy/oracle.h"
#include "energy/sparse_problem.h"
#include "modules/activation.h"
#include "support/device.h"
#include "tensor/threads.h"

namespace basin::test {
namespace {

constexpr Index kSignal = 9, kAtoms = 21, kSamples = 37;

/// The energy of predictive sparse decomposition with all that the rule knows: weights, a bias, columns that
/// are not of norm 1.
struct Full {
  explicit Full(Domain domain, Placement placement)
      : y(graph.real("y", {kSignal})), z(graph.variable("z", domain, {kAtoms})) {
    const auto fill = [&](const Parameter& parameter, std::uint64_t seed, double scale) {
      std::vector<double> values = numbers(parameter.tensor().size(), seed);
      for (double& value : values) value *= scale;
      parameter.tensor().copy_from(Tensor::from(values, parameter.tensor().shape(), placement));
    };
    const Linear decoder(kAtoms, kSignal, Key(1), {.placement = placement});
    fill(decoder.weight(), 11, 1.5);
    fill(*decoder.bias(), 12, 0.2);
    const Linear encoder(kSignal, kAtoms, Key(2), {.placement = placement});
    fill(encoder.weight(), 13, 0.3);
    graph.add(SquaredError(y, decoder, z, {.weight = 1.3}), 0.7);
    graph.add(SquaredError(z, encoder, y, {.weight = 0.5}), 1.2);
    graph.add(L1(z, 0.5), 0.8);
    clamped.set(y, Tensor::from(numbers(kSamples * kSignal, 14), {kSamples, kSignal}, placement));
  }
  FactorGraph graph;
  Variable y, z;
  State clamped;
};

class LassoRule : public testing::TestWithParam<std::tuple<Domain, bool>> {
 protected:
  Domain domain() const { return std::get<0>(GetParam()); }
  Placement placement() const { return std::get<1>(GetParam()) ? f64() : f32(); }
};

TEST_P(LassoRule, FindsTheCodesOfTheDerivedPath) {
  const Full full(domain(), placement());
  const Full exact(domain(), f64());
  const Inferred derived = infer(exact.graph, exact.z, Fista(exact.z), exact.clamped,
                                 {.max_steps = 20000, .tolerance = 1e-12, .fuse = Fuse::Off}, Key(3));
  ASSERT_EQ(derived.unconverged, 0);
  const std::vector<double> expected = derived.state[exact.z].tensor().values();
  ASSERT_GT(sum(abs(derived.state[exact.z])).item(), 1.0);
  const auto check = [&](const Transition& transition, double tolerance, double difference,
                         const char* name) {
    const Inferred fused = infer(full.graph, full.z, transition, full.clamped,
                                 {.max_steps = 50000, .tolerance = tolerance}, Key(3));
    EXPECT_EQ(fused.rules, Rules{"lasso"}) << name;
    EXPECT_EQ(fused.stop, Stop::DualityGap) << name;
    EXPECT_EQ(fused.unconverged, 0) << name;
    EXPECT_EQ(fused.state[full.z].placement(), placement()) << name;
    EXPECT_LT(largest_difference(fused.state[full.z].tensor().values(), expected), difference) << name;
    // The gap it reports is the gap of its codes.
    const std::vector<double> gap =
        relative_duality_gap(gap_terms(Split(full.graph, full.z), fused.state)).tensor().values();
    EXPECT_LT(largest_difference(gap, fused.measure.values()), placement().dtype == Dtype::F64 ? 1e-12 : 5e-6)
        << name;
    for (const double step : fused.steps.values()) EXPECT_GT(step, 0.0) << name;
  };
  const bool fine = placement().dtype == Dtype::F64;
  if (!rules_of_descent().empty())
    check(CoordinateDescent(full.z), fine ? 1e-12 : 1e-7, fine ? 1e-5 : 1e-3, "coordinate descent");
  check(Fista(full.z), fine ? 1e-12 : 1e-6, fine ? 1e-5 : 2e-3, "fista");
  check(Ista(full.z), fine ? 1e-12 : 1e-6, fine ? 1e-5 : 2e-3, "ista");
}

TEST_P(LassoRule, GradientStepsAreThoseOfTheDerivedPath) {
  const Full full(domain(), placement());
  const auto compare = [&](const Transition& transition, Index steps, const char* name) {
    InferOptions options{.max_steps = steps, .stop = Stop::Never};
    const Inferred fused = infer(full.graph, full.z, transition, full.clamped, options, Key(3));
    options.fuse = Fuse::Off;
    const Inferred derived = infer(full.graph, full.z, transition, full.clamped, options, Key(3));
    EXPECT_EQ(fused.rules, Rules{"lasso"});
    EXPECT_EQ(derived.rules, Rules{});
    EXPECT_EQ(fused.steps.values(), derived.steps.values()) << name;
    EXPECT_EQ(fused.unconverged, 0);
    EXPECT_LT(
        largest_difference(fused.state[full.z].tensor().values(), derived.state[full.z].tensor().values()),
        placement().dtype == Dtype::F64 ? 1e-12 : 2e-5)
        << name;
  };
  for (const Index steps : {0, 1, 2, 7, 25}) {
    compare(Ista(full.z), steps, "ista");
    compare(Fista(full.z), steps, "fista");
    compare(Fista(full.z, {.restart = false}), steps, "fista without restart");
    compare(Fista(full.z, {.step = 0.02}), steps, "fista, fixed step");
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, LassoRule,
                         testing::Combine(testing::Values(Domain::Real, Domain::NonNegative),
                                          testing::Values(true, false)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param) == Domain::Real ? "Real"
                                                                                      : "NonNegative") +
                                  (std::get<1>(test.param) ? "F64" : "F32");
                         });

TEST(LassoCodes, OfManySamplesEqualTheReference) {
  // More samples than a thread's working set holds, so that samples leave it and others enter.
  const SparseProblem problem = sparse_problem(16, 40, 700, 0.15, Domain::Real, f32());
  const std::vector<double> reference = reference_codes(problem, false);
  const CoordinateDescent descent(problem.z);
  const Fista fista(problem.z);
  for (const Transition* transition :
       {static_cast<const Transition*>(&descent), static_cast<const Transition*>(&fista)}) {
    const Inferred result = infer(problem.graph, problem.z, *transition, problem.clamped,
                                  {.max_steps = 20000, .tolerance = 1e-6}, Key(1));
    EXPECT_EQ(result.unconverged, 0);
    EXPECT_LT(largest_difference(result.state[problem.z].tensor().values(), reference), 1e-3);
  }
}

TEST(LassoCodes, ToTenThousandthsAndAMillionth) {
  // The figures a lasso solver is held to: gap <= 1e-6, codes within 1e-4; f64, where that gap can say so
  // much about codes.
  const SparseProblem problem = sparse_problem(30, 50, 20, 0.1, Domain::Real, f64());
  const std::vector<double> reference = reference_codes(problem, false);
  const Inferred result = infer(problem.graph, problem.z, CoordinateDescent(problem.z), problem.clamped,
                                {.max_steps = 20000, .tolerance = 1e-9}, Key(1));
  EXPECT_EQ(result.unconverged, 0);
  EXPECT_LE(max(result.measure, 0).item(), 1e-6);
  EXPECT_LT(largest_difference(result.state[problem.z].tensor().values(), reference), 1e-4);
}

TEST(LassoCodes, CoordinateDescentIsTheSameOnAnyThreads) {
  const SparseProblem problem = sparse_problem(16, 40, 100, 0.1, Domain::Real, f32());
  const auto codes = [&](int threads) {
    set_thread_count(threads);
    return infer(problem.graph, problem.z, CoordinateDescent(problem.z), problem.clamped, {.tolerance = 1e-4},
                 Key(1))
        .state[problem.z]
        .tensor()
        .values();
  };
  const int before = thread_count();
  const std::vector<double> one = codes(1), two = codes(2);
  set_thread_count(before);
  EXPECT_EQ(one, two);
}

TEST(LassoCodes, WarmStartsAreKeptAndContinued) {
  const SparseProblem problem = sparse_problem(16, 40, 20, 0.1, Domain::Real, f32());
  const CoordinateDescent descent(problem.z);
  const Fista fista(problem.z);
  for (const Transition* transition :
       {static_cast<const Transition*>(&descent), static_cast<const Transition*>(&fista)}) {
    const InferOptions options{.max_steps = 5000, .tolerance = 1e-4};
    const Inferred cold = infer(problem.graph, problem.z, *transition, problem.clamped, options, Key(1));
    const std::vector<double> codes = cold.state[problem.z].tensor().values();
    const Inferred warm = infer(problem.graph, problem.z, *transition, cold.state, options, Key(1));
    EXPECT_EQ(sum(warm.steps).item(), 0.0);
    EXPECT_LT(largest_difference(warm.state[problem.z].tensor().values(), codes), 1e-6);
    // A start that is near needs fewer steps, and is not written to.
    const Tensor near = (cold.state[problem.z] * 0.98).tensor();
    const std::vector<double> given = near.values();
    const Inferred continued =
        infer(problem.graph, problem.z, *transition, cold.state.with(problem.z, near), options, Key(1));
    EXPECT_EQ(continued.unconverged, 0);
    EXPECT_LT(sum(continued.steps).item(), sum(cold.steps).item());
    EXPECT_EQ(near.values(), given);
  }
}

TEST(LassoCodes, LambdaAboveItsMaximumSilencesAll) {
  for (const Domain domain : {Domain::Real, Domain::NonNegative}) {
    const SparseProblem problem = sparse_problem(12, 20, 9, 0.1, domain, f32());
    double most = 0.0;
    for (std::size_t n = 0; n < 9; ++n) {
      for (std::size_t i = 0; i < 20; ++i) {
        double b = 0.0;
        for (std::size_t j = 0; j < 12; ++j)
          b += problem.dictionary[i * 12 + j] * problem.signals[n * 12 + j];
        most = std::max(most, domain == Domain::Real ? std::abs(b) : b);
      }
    }
    const std::optional<double> reported = largest_useful_weight(problem.graph, problem.z, problem.clamped);
    ASSERT_TRUE(reported);
    EXPECT_NEAR(*reported, most, 1e-6);
    for (const double factor : {0.98, 1.02}) {
      FactorGraph graph;
      const Variable y = graph.real("y", {12}), z = graph.variable("z", domain, {20});
      const Split split(problem.graph, problem.z);
      for (const FactorGraph::Term& term : split.smooth().terms()) graph.add(term.factor, term.weight);
      graph.add(L1(z, factor * most));
      for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
        const Inferred result =
            infer(graph, z, Fista(z), problem.clamped, {.tolerance = 1e-6, .fuse = fuse}, Key(1));
        EXPECT_EQ(result.unconverged, 0);
        EXPECT_EQ(sum(abs(result.state[z])).item() > 0.0, factor < 1.0);
      }
      const Inferred result =
          infer(graph, z, CoordinateDescent(z), problem.clamped, {.tolerance = 1e-6}, Key(1));
      EXPECT_EQ(sum(abs(result.state[z])).item() > 0.0, factor < 1.0);
    }
  }
  FactorGraph graph;
  const Variable v = graph.real("v", {2});
  graph.add(SquaredError(v, Linear(2, 2, Key(1)), v));
  EXPECT_FALSE(largest_useful_weight(graph, v, State().set(v, Tensor::zeros({1, 2}, f32()))));
}

TEST(LassoCodes, AnAtomOfZerosIsNeverUsed) {
  SparseProblem problem = sparse_problem(12, 20, 9, 0.1, Domain::Real, f32());
  std::fill_n(problem.dictionary.begin() + 3 * 12, 12, 0.0);
  problem.graph.parameters().front().tensor().copy_from(Tensor::from(problem.dictionary, {20, 12}, f32()));
  const std::vector<double> reference = reference_codes(problem, false);
  // Also from a start that uses it.
  const State used = State(problem.clamped).set(problem.z, Tensor::full({9, 20}, 0.5, f32()));
  for (const State& state : {problem.clamped, used}) {
    for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
      const Inferred result = infer(problem.graph, problem.z, CoordinateDescent(problem.z), state,
                                    {.max_steps = 3000, .tolerance = 1e-6, .fuse = fuse}, Key(1));
      EXPECT_LT(largest_difference(result.state[problem.z].tensor().values(), reference), 2e-3);
      EXPECT_EQ(sum(abs(slice(result.state[problem.z], 1, 3, 4))).item(), 0.0);
    }
  }
}

TEST(LassoCodes, NumbersThatAreNotFiniteAreReported) {
  const SparseProblem problem = sparse_problem(12, 20, 9, 0.1, Domain::Real, f32());
  std::vector<double> signals = problem.signals;
  signals[4 * 12 + 5] = NAN;
  const State broken = State().set(problem.y, Tensor::from(signals, {9, 12}, f32()));
  const CoordinateDescent descent(problem.z);
  const Fista fista(problem.z);
  for (const Transition* transition :
       {static_cast<const Transition*>(&descent), static_cast<const Transition*>(&fista)}) {
    for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
      const std::string error =
          error_of([&] { infer(problem.graph, problem.z, *transition, broken, {.fuse = fuse}, Key(1)); });
      EXPECT_TRUE(contains(error, "z or its energy is not finite") && contains(error, "sample 4")) << error;
    }
  }
}

TEST(LassoCodes, StepsThatRunOutAreReported) {
  const SparseProblem problem = sparse_problem(16, 40, 20, 0.05, Domain::Real, f32());
  const CoordinateDescent descent(problem.z);
  const Fista fista(problem.z);
  for (const Transition* transition :
       {static_cast<const Transition*>(&descent), static_cast<const Transition*>(&fista)}) {
    for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
      const InferOptions options{.max_steps = 9, .tolerance = 1e-6, .fuse = fuse};
      const Inferred result = infer(problem.graph, problem.z, *transition, problem.clamped, options, Key(1));
      EXPECT_EQ(result.unconverged, 20);
      for (const double step : result.steps.values()) EXPECT_EQ(step, 9.0);
      const std::string text = warning(result, options);
      EXPECT_TRUE(contains(text, "20 of 20 samples") && contains(text, "within 9 iterations") &&
                  contains(text, "wanted 1e-06"))
          << text;
    }
  }
}

TEST(LassoPattern, IsRecognisedByTypesAlone) {
  FactorGraph graph;
  const Variable y = graph.real("y", {4}), u = graph.real("u", {2}), z = graph.real("z", {3}),
                 map = graph.real("map", {3, 1}), t = graph.real("t", {3});
  const auto recognised = [&](const std::function<void(FactorGraph&)>& build, const Variable& latent) {
    FactorGraph copy = graph;
    build(copy);
    return inference_rules(copy, latent, Fista(latent), {}) == Rules{"lasso"};
  };
  const SquaredError decodes(y, Linear(3, 4, Key(1)), z), labels(u, Linear(3, 2, Key(2)), z);
  EXPECT_TRUE(recognised([&](FactorGraph& g) { g.add(decodes).add(L1(z, 0.1)); }, z));
  EXPECT_TRUE(recognised([&](FactorGraph& g) { g.add(decodes).add(labels).add(L1(z, 0.1)); }, z));
  EXPECT_TRUE(recognised([&](FactorGraph& g) { g.add(decodes).add(L1(z, 0.1)).add(Bias(y)); }, z));
  EXPECT_FALSE(recognised([&](FactorGraph& g) { g.add(decodes).add(L1(z, 0.1)).add(Bias(z)); }, z));
  EXPECT_FALSE(recognised([&](FactorGraph& g) { g.add(decodes).add(GroupL2(z, 3, 0.1)); }, z));
  EXPECT_FALSE(recognised([&](FactorGraph& g) { g.add(decodes).add(L1(z, 0.0)); }, z));
  EXPECT_FALSE(recognised([&](FactorGraph& g) { g.add(decodes); }, z));
  EXPECT_FALSE(recognised(
      [&](FactorGraph& g) { g.add(SquaredError(z, Linear(4, 3, Key(1)), y)).add(L1(z, 0.1)); }, z));
  EXPECT_FALSE(recognised(
      [&](FactorGraph& g) { g.add(SquaredError(t, Linear(1, 1, Key(1)), map)).add(L1(map, 0.1)); }, map));
}

TEST(LassoPattern, SeveralDecodersShareTheCode) {
  FactorGraph graph;
  const Variable y = graph.real("y", {4}), u = graph.real("u", {2}), z = graph.real("z", {6});
  graph.add(SquaredError(y, Linear(6, 4, Key(1), {.placement = f64()}), z));
  graph.add(SquaredError(u, Linear(6, 2, Key(2), {.placement = f64()}), z, {.weight = 3.0}));
  graph.add(L1(z, 0.05));
  const State state = State()
                          .set(y, Tensor::from(numbers(20, 1), {5, 4}, f64()))
                          .set(u, Tensor::from(numbers(10, 2), {5, 2}, f64()));
  InferOptions options{.max_steps = 5000, .tolerance = 1e-11};
  const Inferred fused = infer(graph, z, CoordinateDescent(z), state, options, Key(1));
  options.fuse = Fuse::Off;
  const Inferred derived = infer(graph, z, Fista(z), state, options, Key(1));
  EXPECT_EQ(fused.rules, rules_of_descent());
  EXPECT_EQ(fused.unconverged + derived.unconverged, 0);
  EXPECT_LT(largest_difference(fused.state[z].tensor().values(), derived.state[z].tensor().values()), 1e-4);
}

TEST(LassoPattern, WhatTheRuleLacksTakesTheDerivedPath) {
  const SparseProblem problem = sparse_problem(6, 10, 3, 0.1, Domain::Real, f64());
  const auto rule = [&](const Transition& transition, Stop stop) {
    const Inferred result =
        infer(problem.graph, problem.z, transition, problem.clamped, {.max_steps = 5, .stop = stop}, Key(1));
    EXPECT_EQ(inference_rules(problem.graph, problem.z, transition, {.stop = stop}), result.rules);
    return result.rules;
  };
  EXPECT_EQ(rule(Fista(problem.z), Stop::StepSize), Rules{});
  EXPECT_EQ(rule(Fista(problem.z, {.rule = StepRule::Backtracking}), Stop::Auto), Rules{});
  EXPECT_EQ(rule(Fista(problem.z), Stop::Auto), Rules{"lasso"});
}

}  // namespace
}  // namespace basin::test
