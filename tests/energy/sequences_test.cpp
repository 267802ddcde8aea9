// Likelihoods of every step of sequences, and the objective that carries states from batch to batch.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <numbers>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/factors/sequences/step_likelihood.h"
#include "energy/graph.h"
#include "energy/objectives/sequence_energy.h"
#include "energy/sample_ops.h"
#include "modules/linear.h"
#include "modules/sequences/recurrent.h"
#include "modules/sequential/sequential.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr Index kRows = 3, kSteps = 4, kSymbols = 3, kHidden = 2;

Tensor random(Shape shape, std::uint64_t stream = 0) {
  return normal(Key(8).fold(stream), std::move(shape), test::f64());
}
Value symbols(Index rows, Index steps, std::uint64_t stream) {
  return largest(random({rows, steps, kSymbols}, stream), 1);
}
Tensor host_numbers(const std::vector<double>& numbers) {
  return Tensor::from(numbers, {static_cast<Index>(numbers.size())}, {Dtype::F64, Device::Cpu});
}

Sequential net(Index in, Index out) {
  Sequential layers;
  layers.add(Recurrent(in, kHidden, Key(1), {.placement = test::f64()}))
      .add(Linear(kHidden, out, Key(2), {.placement = test::f64()}));
  return layers;
}

struct SymbolModel {
  FactorGraph graph;
  Variable x = graph.categorical("x", {0, kSymbols}), y = graph.categorical("next", {0, kSymbols});
  SymbolModel() { graph.add(StepLikelihood(y, net(kSymbols, kSymbols), x)); }
  State state(Index rows = kRows, Index steps = kSteps) const {
    return State().set(x, symbols(rows, steps, 1)).set(y, symbols(rows, steps, 2));
  }
};

/// Leaves of a graph, at random.
std::vector<Value> leaves(const FactorGraph& graph) {
  std::vector<Value> all;
  for (const Parameter& parameter : graph.parameters()) {
    parameter.tensor().copy_from(random(parameter.tensor().shape(), 20 + all.size()));
    all.push_back(parameter.value());
  }
  return all;
}

TEST(StepLikelihood, IsTheLikelihoodOfEverySequenceAlone) {
  const SymbolModel model;
  Context context;
  context.lengths = host_numbers({4, 2, 3});
  const State state = model.state().in(context);
  const std::vector<double> energies = model.graph.energy(state).tensor().values();
  for (Index n = 0; n < kRows; ++n) {
    const auto at = static_cast<std::size_t>(n);
    const auto length = static_cast<Index>(context.lengths.values()[at]);
    const auto own = [&](const Variable& variable) {
      return slice(slice(state[variable], 0, n, n + 1), 1, 0, length);
    };
    const State alone = State().set(model.x, own(model.x)).set(model.y, own(model.y));
    EXPECT_NEAR(energies[at], model.graph.energy(alone).item(), 1e-12);
    // By its definition.
    const auto factor = model.graph.factors<StepLikelihood>().front().factor;
    const Value p = softmax(factor->scores(alone));
    EXPECT_NEAR(energies[at], -sum(alone[model.y] * log(p)).item(), 1e-12);
  }
}

/// All sequences together have the probability 1: of symbols, and of bits that foretell themselves.
TEST(StepLikelihood, SumsToOne) {
  FactorGraph graph;
  const Variable x = graph.binary("x", {0, 2});
  graph.add(StepLikelihood(x, net(2, 2), x, {.delay = 1}));
  leaves(graph);
  std::vector<double> all;
  for (int code = 0; code < 64; ++code) {
    for (int bit = 0; bit < 6; ++bit) all.push_back(code >> bit & 1);
  }
  const Value bits = Tensor::from(all, {64, 3, 2}, test::f64());
  EXPECT_NEAR(sum(exp(-graph.energy(State().set(x, bits)))).item(), 1.0, 1e-12);

  const SymbolModel model;
  leaves(model.graph);
  std::vector<double> next;
  for (int code = 0; code < 9; ++code) {
    for (const int symbol : {code % 3, code / 3}) {
      for (int k = 0; k < 3; ++k) next.push_back(k == symbol ? 1.0 : 0.0);
    }
  }
  const State state = State()
                          .set(model.y, Tensor::from(next, {9, 2, 3}, test::f64()))
                          .set(model.x, broadcast_to(symbols(1, 2, 3), {9, 2, 3}));
  EXPECT_NEAR(sum(exp(-model.graph.energy(state))).item(), 1.0, 1e-12);
}

/// So has the density of real numbers: each step is normal about f, with unit variance.
TEST(StepLikelihood, IsANormalDensityOfRealNumbers) {
  FactorGraph graph;
  const Variable x = graph.real("x", {0, 2}), y = graph.real("y", {0, 2});
  const auto factor = std::make_shared<const StepLikelihood>(y, net(2, 2), x);
  graph.add(factor);
  leaves(graph);
  Context context;
  context.lengths = host_numbers({4, 2, 3});
  const State state =
      State().set(x, random({kRows, kSteps, 2}, 1)).set(y, random({kRows, kSteps, 2}, 2)).in(context);
  const std::vector<double> energies = graph.energy(state).tensor().values(),
                            numbers = state[y].tensor().values(),
                            means = factor->scores(state).tensor().values();
  const std::vector<double> lengths = context.lengths.values();
  for (std::size_t n = 0; n < lengths.size(); ++n) {
    double density = 1.0;
    const auto first = n * static_cast<std::size_t>(2 * kSteps);
    for (std::size_t i = first; i < first + 2 * static_cast<std::size_t>(lengths[n]); ++i) {
      const double distance = numbers[i] - means[i];
      density *= std::exp(-0.5 * distance * distance) / std::sqrt(2.0 * std::numbers::pi);
    }
    EXPECT_NEAR(energies[n], -std::log(density), 1e-12);
  }
}

TEST(StepLikelihood, Differentiates) {
  for (const Domain domain : {Domain::Categorical, Domain::Binary, Domain::Real}) {
    FactorGraph graph;
    const Variable x = graph.real("x", {0, 2}), y = graph.variable("y", domain, {0, kSymbols});
    graph.add(StepLikelihood(y, net(2, kSymbols), x, {.delay = 1}));
    std::vector<Value> at = leaves(graph);
    at.push_back(Value::leaf(random({kRows, kSteps, 2})));
    at.push_back(Value::leaf(random({kRows, kSteps, kSymbols}, 1)));
    Context context;
    context.lengths = host_numbers({4, 2, 3});
    EXPECT_EQ(
        gradcheck(
            [&] {
              return graph.energy(State().set(x, at[at.size() - 2]).set(y, at[at.size() - 1]).in(context));
            },
            at),
        "");
  }
}

TEST(StepLikelihood, ForetellsWithoutSeeing) {
  FactorGraph graph;
  const Variable x = graph.binary("x", {0, 2});
  const StepLikelihood factor(x, net(2, 2), x, {.delay = 1});
  std::vector<double> bits(16, 0.0);
  const auto scores = [&] {
    return factor.scores(State().set(x, Tensor::from(bits, {1, 8, 2}, test::f64()))).tensor().values();
  };
  const std::vector<double> before = scores();
  bits[6] = 1.0;  // of frame 3
  const std::vector<double> after = scores();
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(before[i], after[i]);
  EXPECT_NE(before[8], after[8]);
}

TEST(StepLikelihood, RefusesWhatItCannotSay) {
  FactorGraph graph;
  const Variable x = graph.binary("x", {0, 2}), flat = graph.binary("flat", {4}), y = graph.real("y", {0, 3}),
                 rate = graph.non_negative("rate", {0, 2});
  EXPECT_THROW(StepLikelihood(x, net(2, 2), x), Error);
  EXPECT_THROW(StepLikelihood(x, net(2, 2), x, {.delay = -1}), Error);
  EXPECT_THROW(StepLikelihood(flat, net(2, 2), x), Error);
  EXPECT_THROW(StepLikelihood(rate, net(2, 2), x), Error);
  EXPECT_THROW(StepLikelihood(y, net(2, 2), x), Error);
}

TEST(SequenceEnergy, IsTheMeanOverSteps) {
  const SymbolModel model;
  Context context;
  context.lengths = host_numbers({4, 2, 3});
  const State state = model.state().in(context);
  Carry carry;
  const Evaluation found = SequenceEnergy().evaluate(model.graph, state, carry, Key(1));
  EXPECT_NEAR(found.metrics.at("loss"), sum(model.graph.energy(state)).item() / 9.0, 1e-13);
  EXPECT_TRUE(carry.empty());
  FactorGraph none;
  const Variable v = none.binary("v", {2});
  EXPECT_THROW(step_count(none, State().set(v, random({2, 2}))), Error);
}

/// Two batches of the halves of sequences cost what the whole costs; a row that does not go on starts anew.
TEST(SequenceEnergy, CarriesStatesToTheSamplesThatFollow) {
  const SymbolModel model;
  leaves(model.graph);
  const State whole = model.state();
  const SequenceEnergy objective({.carried = true});
  const auto half = [&](Index begin, const std::vector<double>& ids) {
    Context context;
    context.ids = host_numbers(ids);
    return State()
        .set(model.x, slice(whole[model.x], 1, begin, begin + 2))
        .set(model.y, slice(whole[model.y], 1, begin, begin + 2))
        .in(context);
  };
  const auto loss = [&](const State& state, Carry& carry) {
    return objective.evaluate(model.graph, state, carry, Key(1)).metrics.at("loss");
  };
  const auto plain = [&](const State& state, Index row) {
    return model.graph.energy(rows_of(model.graph, state, row, row + 1)).item();
  };
  Carry carry;
  const double first = loss(half(0, {0, 10, 20}), carry);
  const Carry kept = carry;
  const double second = loss(half(2, {1, 11, 21}), carry);
  EXPECT_NEAR(0.5 * (first + second), sum(model.graph.energy(whole)).item() / 12.0, 1e-12);

  carry = kept;
  const double other = loss(half(2, {1, 12, 0}), carry);
  const State alone = half(2, {1, 12, 0});
  const double expected =
      plain(whole, 0) - plain(half(0, {0, 10, 20}), 0) + plain(alone, 1) + plain(alone, 2);
  EXPECT_NEAR(other, expected / 6.0, 1e-12);
  EXPECT_NE(other, second);
  State nameless = half(2, {1, 12, 0});
  nameless.in({});
  EXPECT_THROW(loss(nameless, carry), Error);
}

/// A carried start is no function of the parameters: gradients are those of the stretch alone.
TEST(SequenceEnergy, GradientsEndAtTheStart) {
  const SymbolModel model;
  leaves(model.graph);
  Carry carry;
  const SequenceEnergy objective({.carried = true});
  Context context;
  context.ids = host_numbers({0, 5, 9});
  objective.evaluate(model.graph, model.state().in(context), carry, Key(1));
  context.ids = host_numbers({1, 6, 10});
  const State next = model.state().in(context);
  const Carry kept = carry;
  const Evaluation found = objective.evaluate(model.graph, next, carry, Key(1));
  const std::vector<Parameter> parameters = model.graph.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::vector<double> gradient = found.gradients[i].dense().values();
    const Tensor& numbers = parameters[i].tensor();
    const std::vector<double> before = numbers.values();
    const auto moved = [&](double by) {
      std::vector<double> at = before;
      at[0] += by;
      numbers.copy_from(Tensor::from(at, numbers.shape(), numbers.placement()));
      Carry again = kept;
      const double loss = objective.evaluate(model.graph, next, again, Key(1)).metrics.at("loss");
      numbers.copy_from(Tensor::from(before, numbers.shape(), numbers.placement()));
      return loss;
    };
    EXPECT_NEAR(gradient[0], (moved(1e-5) - moved(-1e-5)) / 2e-5, 1e-8) << parameters[i].name();
  }
}

}  // namespace
}  // namespace basin
