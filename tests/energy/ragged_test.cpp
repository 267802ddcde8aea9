// Units of sequences of several lengths: what stands past an end is no unit.
#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/eliminate/marginals.h"
#include "energy/eliminate/sample_eliminated.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/network.h"
#include "energy/factors/score.h"
#include "energy/factors/sequences/chain.h"
#include "energy/factors/sequences/step_likelihood.h"
#include "energy/likelihood/log_likelihood.h"
#include "energy/likelihood/pseudo_likelihood.h"
#include "energy/objectives/contrast/contrast.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/mean_field.h"
#include "modules/linear.h"
#include "modules/sequences/recurrent.h"
#include "modules/sequences/steps.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

namespace basin::test {
namespace {

constexpr Index kRows = 3, kSteps = 4;
const std::vector<Index> kLengths{4, 2, 1};

Sequential net(Index out) {
  Sequential layers;
  layers.add(Recurrent(2, 3, Key(1), {.placement = f64()})).add(Linear(3, out, Key(2), {.placement = f64()}));
  return layers;
}

Context lengths() {
  Context context;
  context.lengths = Tensor::from(std::vector<double>{4.0, 2.0, 1.0}, {kRows}, {Dtype::F64, Device::Cpu});
  return context;
}

/// Row n as a batch of its own without padding; of the variables, all are sequences.
State alone(const FactorGraph& graph, const State& state, Index n) {
  State row;
  for (const Variable& variable : graph.variables()) {
    if (!state.has(variable)) continue;
    const Value own = slice(state[variable], 0, n, n + 1);
    row.set(variable, slice(own, 1, 0, kLengths[static_cast<std::size_t>(n)]).detached());
  }
  return row;
}

void expect_rows(const std::vector<double>& received, const FactorGraph& graph, const State& state,
                 const std::function<double(const State&)>& of_row) {
  for (Index n = 0; n < kRows; ++n)
    EXPECT_NEAR(received[static_cast<std::size_t>(n)], of_row(alone(graph, state, n)), 1e-10) << n;
}

struct Steps {
  explicit Steps(Domain domain) {
    y = graph.variable("y", domain, {0, 3});
    graph.add(StepLikelihood(y, net(3), x));
    randomise(graph, Key(3));
    state = State().in(lengths()).set(x, normal(Key(4), {kRows, kSteps, 2}, f64()));
    const Value draws = normal(Key(5), {kRows, kSteps, 3}, f64());
    full = state.with(y, domain == Domain::Categorical ? largest(draws, 1)
                         : domain == Domain::Binary    ? step(draws)
                                                       : draws);
  }
  FactorGraph graph;
  Variable x = graph.real("x", {0, 2}), y;
  State state, full;
};

TEST(Ragged, EliminatedUnitsEndWithTheirSequences) {
  for (const Domain domain : {Domain::Categorical, Domain::Binary, Domain::Real}) {
    const Steps steps(domain);
    SCOPED_TRACE(to_string(domain));
    for (const double free : free_energy(steps.graph, {steps.y}, steps.state).tensor().values())
      EXPECT_NEAR(free, 0.0, 1e-12) << "each step is normalised";
    expect_rows(min_energy(steps.graph, {steps.y}, steps.state).tensor().values(), steps.graph, steps.state,
                [&](const State& row) { return min_energy(steps.graph, {steps.y}, row).item(); });
    const MeanField means({steps.y});
    const State q = means(steps.graph, steps.state, Key(1));
    for (const double free : variational_free_energy(steps.graph, {steps.y}, q).tensor().values())
      EXPECT_NEAR(free, 0.0, 1e-12);
    Carry carry;
    EXPECT_NEAR(
        ExactLikelihood({steps.y}).evaluate(steps.graph, steps.full, carry, Key(1)).metrics.at("loss"),
        mean(steps.graph.energy(steps.full)).item(), 1e-12)
        << "-log p(y | x)";
  }
}

/// Beside hidden units, which the padding of a sequence may not reach.
TEST(Ragged, HiddenUnitsSeeWhatASequenceHas) {
  FactorGraph graph;
  const Variable x = graph.real("x", {kSteps, 2}), y = graph.binary("y", {kSteps, 2}),
                 h = graph.binary("h", {2});
  graph.add(StepLikelihood(y, net(2), x)).add(Bilinear(y, h, Key(3))).add(Bias(h));
  randomise(graph, Key(4));
  const State state = State().in(lengths()).set(x, normal(Key(5), {kRows, kSteps, 2}, f64()));
  const std::vector<double> free = free_energy(graph, {y, h}, state).tensor().values();
  for (const Index n : {1, 2}) {
    Context own;
    const Index length = kLengths[static_cast<std::size_t>(n)];
    own.lengths = Tensor::full({1}, static_cast<double>(length), {Dtype::F64, Device::Cpu});
    double total = 0.0;
    for (int code = 0; code < 1 << (2 * length + 2); ++code) {
      std::vector<double> bits(2 * kSteps, 1.0);  // padding, which nothing may read
      for (Index i = 0; i < 2 * length; ++i) bits[static_cast<std::size_t>(i)] = code >> (i + 2) & 1;
      const std::vector<double> hidden{static_cast<double>(code & 1), static_cast<double>(code >> 1 & 1)};
      const State at = State()
                           .in(own)
                           .set(x, slice(state[x], 0, n, n + 1).detached())
                           .set(y, numbers(bits, {1, kSteps, 2}))
                           .set(h, numbers(hidden, {1, 2}));
      total += std::exp(-graph.energy(at).item());
    }
    EXPECT_NEAR(free[static_cast<std::size_t>(n)], -std::log(total), 1e-10);
  }
}

TEST(Ragged, MeanFieldOfAChainEndsWithIt) {
  FactorGraph graph;
  const Variable s = graph.real("s", {0, 2}), x = graph.categorical("x", {0, 3});
  graph.add(Chain(x, Linear(2, 3, Key(1)), s));
  randomise(graph, Key(2));
  const State state = State().in(lengths()).set(s, normal(Key(3), {kRows, kSteps, 2}, f64()));
  const auto bound = [&](const State& of) {
    const State q = iterate(MeanField({x}), graph, of, 20, Key(1));
    return variational_free_energy(graph, {x}, q);
  };
  const std::vector<double> received = bound(state).tensor().values(),
                            free = free_energy(graph, {x}, state).tensor().values();
  expect_rows(received, graph, state, [&](const State& row) { return bound(row).item(); });
  for (std::size_t n = 0; n < free.size(); ++n) EXPECT_GE(received[n], free[n] - 1e-12);
}

TEST(Ragged, MetricsDoNotCountPadding) {
  FactorGraph graph;
  const Variable x = graph.real("x", {0, 2}), y = graph.binary("y", {0, 2}), h = graph.binary("h", {0, 3});
  graph.add(StepLikelihood(y, net(2), x)).add(Score(h, net(3), x));
  randomise(graph, Key(1));
  const State state = State()
                          .in(lengths())
                          .set(x, normal(Key(2), {kRows, kSteps, 2}, f64()))
                          .set(y, step(Value(normal(Key(3), {kRows, kSteps, 2}, f64()))));
  const Contrast contrast({y}, Chains(BlockGibbs({{h}, {y}})));
  Carry carry;
  const auto received = contrast.evaluate(graph, state, carry, Key(1)).metrics;
  double error = 0.0, hidden = 0.0;
  for (Index n = 0; n < kRows; ++n) {
    Carry own;
    const auto row = contrast.evaluate(graph, alone(graph, state, n), own, Key(1)).metrics;
    const double steps = static_cast<double>(kLengths[static_cast<std::size_t>(n)]);
    error += row.at("reconstruction_error") / kRows;
    hidden += row.at("hidden_mean") * steps / 7.0;
  }
  EXPECT_NEAR(received.at("reconstruction_error"), error, 1e-12);
  EXPECT_NEAR(received.at("hidden_mean"), hidden, 1e-12);
}

TEST(Ragged, WhatWouldCountPaddingIsRefused) {
  FactorGraph graph;
  const Variable x = graph.categorical("x", {kSteps, 3});
  graph.add(Chain(x)).add(Bias(x));
  randomise(graph, Key(1));
  const State state =
      State().in(lengths()).set(x, largest(Value(normal(Key(2), {kRows, kSteps, 3}, f64())), 1));
  const auto refused = [&](const Contrast& contrast) {
    return error_of([&] {
      Carry carry;
      contrast.evaluate(graph, state, carry, Key(1));
    });
  };
  EXPECT_TRUE(contains(refused(ExactLikelihood({x})), "a clamped variable beside sequences"));
  EXPECT_TRUE(contains(refused(Contrast({x}, Chains(BlockGibbs({{x}}), {.persistent = 2}))),
                       "a clamped variable beside sequences"));
  EXPECT_TRUE(contains(error_of([&] { average_log_likelihood(graph, {}, state, 1.0); }), "without lengths"));

  const Steps steps(Domain::Binary);
  EXPECT_TRUE(contains(error_of([&] { pseudo_likelihood(steps.graph, steps.y, {}, steps.full, Key(1)); }),
                       "of one length"));

  FactorGraph coupled;
  const Variable y = coupled.binary("y", {kSteps, 2}), r = coupled.real("r", {1});
  coupled.add(
      Network(Sequential().add(Recurrent(2, 2, Key(1))).add(LastStep()).add(Linear(2, 1, Key(2))), {y}));
  coupled.add(Bilinear(r, y, Key(3)));
  coupled.to(f64());
  EXPECT_TRUE(
      contains(error_of([&] {
                 free_energy(coupled, {y}, State().in(lengths()).set(r, Tensor::zeros({3, 1}, f64())));
               }),
               "several lengths are not enumerated"));
}

}  // namespace
}  // namespace basin::test
