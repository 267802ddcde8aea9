#include "energy/sample/mean_field.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "bipartite_graphs.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/sequences/chain.h"
#include "energy/factors/squared_error.h"
#include "energy/factors/tempered.h"
#include "energy/sample/unrolled_mean_field.h"
#include "formula.h"
#include "modules/linear.h"
#include "tensor/guard/guard_backend.h"

namespace basin::test {
namespace {

/// v - h1 - h2 of bits.
struct Deep {
  FactorGraph graph;
  Variable v, h1, h2;
};

Deep deep(double scale = 1.0) {
  Deep made;
  made.v = made.graph.binary("v", {4});
  made.h1 = made.graph.binary("h1", {3});
  made.h2 = made.graph.binary("h2", {2});
  made.graph.add(Bias(made.v)).add(Bias(made.h1)).add(Bias(made.h2));
  made.graph.add(Bilinear(made.v, made.h1, Key(1))).add(Bilinear(made.h1, made.h2, Key(2)));
  randomise(made.graph, Key(5), scale);
  return made;
}

State one_sample(const Deep& made) { return State().set(made.v, numbers({1, 0, 1, 1}, {1, 4})); }

double bound(const Deep& made, const State& state) {
  return variational_free_energy(made.graph, {made.h1, made.h2}, state).item();
}

TEST(MeanFieldTest, EachUpdateLowersABoundOfTheFreeEnergy) {
  const Deep made = deep();
  const MeanField move({made.h1, made.h2});
  const double exact = -distribution(made.graph, {made.h1, made.h2}, one_sample(made)).log_total;
  State state = move(made.graph, one_sample(made), Key(0));
  double before = bound(made, state);
  for (int i = 0; i < 20; ++i) {
    state = move(made.graph, state, Key(0));
    const double after = bound(made, state);
    EXPECT_LE(after, before + 1e-12);
    EXPECT_GE(after, exact);
    before = after;
  }
  EXPECT_LT(before - exact, 0.5);  // of energies of several nats
  const State next = move(made.graph, state, Key(0));
  EXPECT_LT(largest_difference(next[made.h1].tensor(), state[made.h1].tensor()), 1e-6);
}

// Always the guard device, which counts: curvatures are looked at once, not at every iteration.
TEST(MeanFieldTest, IterationsDoNotWaitForTheDevice) {
  const Placement placement{Dtype::F64, Device::Guard};
  const Pair pair = bipartite(Domain::Binary, Domain::Real);
  pair.graph.to(placement);
  const State batch = State().set(pair.v, samples(pair.v, 3, Key(1)).to(placement));
  const auto downloads = [&](Index iterations) {
    const std::uint64_t before = guard_work().downloads;
    iterate(MeanField({pair.h}), pair.graph, batch, iterations, Key(0));
    return guard_work().downloads - before;
  };
  downloads(1);  // probes once
  EXPECT_EQ(downloads(1), 1u);
  EXPECT_EQ(downloads(10), 1u);
}

// Members that do not interact: q is p, F(q) is F, and so are the gradients in the parameters.
TEST(MeanFieldTest, IsExactForUnitsThatDoNotInteract) {
  for (const Domain domain : kDomains) {
    const Pair pair = bipartite(Domain::Binary, domain);
    const State batch = State().set(pair.v, samples(pair.v, 3, Key(1)));
    const State state = MeanField({pair.h})(pair.graph, batch, Key(0));
    const Value approximate = variational_free_energy(pair.graph, {pair.h}, state);
    const Value exact = free_energy(pair.graph, {pair.h}, batch);
    for (std::size_t n = 0; n < 3; ++n)
      EXPECT_NEAR(approximate.tensor().values()[n], exact.tensor().values()[n], 1e-10) << to_string(domain);
    std::vector<Value> leaves;
    for (const Parameter& parameter : pair.graph.parameters()) leaves.push_back(parameter.value());
    const std::vector<Value> a = grad(sum(approximate), leaves), b = grad(sum(exact), leaves);
    for (std::size_t i = 0; i < leaves.size(); ++i)
      EXPECT_LT(largest_difference(a[i].tensor(), b[i].tensor()), 1e-9) << to_string(domain) << " " << i;
  }
}

// E = 1/2 e^s z^2 - b z - z w h of a real z and a bit h, both free: E_q[E] by hand.
TEST(MeanFieldTest, AddsTheVarianceOfRealUnits) {
  FactorGraph graph;
  const Variable z = graph.real("z", {1}), h = graph.binary("h", {1});
  graph.add(Bias(z)).add(Bias(h)).add(Quadratic(z)).add(Bilinear(z, h, Key(1)));
  randomise(graph, Key(4));
  const State state = iterate(MeanField({z, h}), graph, State(), 50, Key(0));
  const double b = graph.parameter("z.bias").tensor().item(), c = graph.parameter("h.bias").tensor().item(),
               h2 = std::exp(graph.parameter("z.log_precision").tensor().item()),
               w = graph.parameter("z.h.weight").tensor().item();
  const double m = state[z].item(), q = state[h].item(), variance = 1.0 / h2;
  EXPECT_NEAR(m, (b + w * q) / h2, 1e-12);
  const double energy = 0.5 * h2 * (m * m + variance) - b * m - c * q - m * w * q;
  const double entropy = 0.5 * (1.0 + std::log(2.0 * std::numbers::pi * variance)) - q * std::log(q) -
                         (1.0 - q) * std::log(1.0 - q);
  const Value value = variational_free_energy(graph, {z, h}, state);
  EXPECT_NEAR(value.item(), energy - entropy, 1e-9);
  const Value slope = grad(sum(value), {graph.parameter("z.log_precision").value()}).front();
  EXPECT_NEAR(slope.item(), 0.5 * h2 * (m * m + variance), 1e-9);
}

// Diagonally quadratic in each variable, the others held, but E_q[E] is not E(m) + 1/2 sum h Var_q.
TEST(MeanFieldTest, CurvaturesThatOtherUnitsMoveAreErrors) {
  FactorGraph graph;
  const Variable y = graph.real("y", {2}), z = graph.real("z", {2}), b = graph.binary("b", {2});
  graph.add(Quadratic(y)).add(Quadratic(z)).add(Bias(b));
  randomise(graph, Key(1));
  const auto refused = [&](const Block& scope, const std::function<Value(const State&)>& formula) {
    FactorGraph with = graph;
    with.add(std::make_shared<const Formula>(scope, formula));
    const State batch = State().set(y, numbers({1.0, 2.0}, {1, 2}));
    return error_of([&] { MeanField({y, z, b})(with, batch, Key(0)); });
  };
  for (const std::string& error : {
           refused({y, z}, [&](const State& s) { return square(s[y]) * square(s[z]); }),
           refused({y, z}, [&](const State& s) { return square(s[y]) * s[z]; }),
           refused({b, z}, [&](const State& s) { return s[b] * square(s[z]); }),
       })
    EXPECT_TRUE(contains(error, "the curvature of Formula in ")) << error;
  EXPECT_EQ(refused({y, z, b}, [&](const State& s) { return s[b] * s[y] * s[z] + square(s[z]); }), "");
  // A gate that is still closed opens after a step.
  const Parameter gate("gate", numbers({0.0}, {1}));
  class Gated final : public Factor {
   public:
    Gated(Variable bits, Variable real, Parameter weight)
        : b_(std::move(bits)), z_(std::move(real)), gate_(std::move(weight)) {}
    std::string name() const override { return "Gated"; }
    std::vector<Variable> scope() const override { return {b_, z_}; }
    std::vector<Parameter> parameters() const override { return {gate_}; }
    Value energy(const State& s) const override {
      return sum_per_sample(gate_.value() * s[b_] * square(s[z_]));
    }

   private:
    Variable b_, z_;
    Parameter gate_;
  };
  FactorGraph gated = graph;
  gated.add(std::make_shared<const Gated>(b, z, gate));
  const std::string error = error_of([&] { MeanField({z, b})(gated, State(), Key(0)); });
  EXPECT_TRUE(contains(error, "gate")) << error;
}

TEST(MeanFieldTest, RowsMayHaveTheirOwnTemperature) {
  FactorGraph graph;
  const Variable x = graph.categorical("x", {3, 2}), s = graph.real("s", {3, 2});
  graph.add(Chain(x, Linear(2, 2, Key(1)), s));
  randomise(graph, Key(2));
  const Tensor sources = normal(Key(3), {2, 3, 2}, f64());
  const State batch = State().set(s, sources);
  const MeanField move({x});
  const Tensor rows = move(tempered(graph, numbers({1.0, 0.5}, {2})), batch, Key(0))[x].tensor();
  const Tensor cold = move(graph, batch, Key(0))[x].tensor(),
               warm = move(graph.scaled(0.5), batch, Key(0))[x].tensor();
  EXPECT_LT(largest_difference(rows.rows(0, 1), cold.rows(0, 1)), 1e-12);
  EXPECT_LT(largest_difference(rows.rows(1, 2), warm.rows(1, 2)), 1e-12);
}

TEST(MeanFieldTest, SequencesAreDrawnAsLongAsTheyAre) {
  FactorGraph graph;
  const Variable x = graph.categorical("x", {0, 2}), s = graph.real("s", {0, 2});
  graph.add(Chain(x, Linear(2, 2, Key(1)), s));
  randomise(graph, Key(2));
  const Tensor sources = normal(Key(3), {40, 3, 2}, f64());
  const MeanField move({x});
  const auto drawn = [&](const State& batch) {
    return move.drawn(move(graph, batch, Key(0)), Key(4))[x].tensor();
  };
  const Tensor whole = drawn(State().set(s, sources));
  EXPECT_EQ(sum(Value(whole), {2}).tensor().values(), std::vector<double>(120, 1.0));
  EXPECT_EQ(drawn(State().in({.first_row = 30}).set(s, sources.rows(30, 40))).values(),
            whole.rows(30, 40).values());
}

TEST(MeanFieldTest, EnergiesOfAnotherFormAreErrors) {
  FactorGraph graph;
  const Variable y = graph.real("y", {2}), z = graph.binary("z", {2});
  graph.add(SquaredError(y, Linear(2, 2, Key(1), {.placement = f64()}), z));
  const State batch = State().set(y, numbers({1.0, 2.0}, {1, 2}));
  EXPECT_TRUE(contains(error_of([&] { MeanField({z})(graph, batch, Key(0)); }), "each unit of z"));
  EXPECT_TRUE(contains(error_of([&] { MeanField({}); }), "a variable"));
  EXPECT_TRUE(contains(error_of([&] { MeanField({z}, {.iterations = 0}); }), "iterations >= 1"));
  EXPECT_TRUE(contains(error_of([&] { MeanField({z, z}); }), "z twice"));
  const Deep made = deep();
  EXPECT_TRUE(contains(error_of([&] {
                         bound(made, one_sample(made).set(made.h1, numbers({1, 1, 1}, {1, 3})));
                       }),
                       "iterate it first"));
}

// Two bits that must differ, strongly: parallel updates swap (a, a) for (b, b) for ever, damped ones do not.
TEST(MeanFieldTest, DampedParallelUpdatesReachTheSequentialFixedPoint) {
  FactorGraph graph;
  const Variable a = graph.binary("a", {1}), b = graph.binary("b", {1});
  graph.add(Bias(a)).add(Bias(b)).add(Bilinear(a, b, Key(1)));
  graph.to(f64());
  graph.parameter("a.bias").set(numbers({4.0}, {1}));
  graph.parameter("b.bias").set(numbers({3.9}, {1}));
  graph.parameter("a.b.weight").set(numbers({-6.0}, {1, 1}));
  const auto at = [&](const MeanFieldOptions& options, Index moves) {
    return iterate(MeanField({a, b}, options), graph, State(), moves, Key(0));
  };
  const State sequential = at({}, 200);
  const MeanFieldOptions parallel{.updates = Updates::Parallel};
  const State even = at(parallel, 200), odd = at(parallel, 201);
  EXPECT_GT(largest_difference(even[a].tensor(), odd[a].tensor()), 0.5) << "nothing to damp";
  const State damped = at({.updates = Updates::Parallel, .damping = 0.5}, 200);
  for (const Variable& each : {a, b})
    EXPECT_LT(largest_difference(damped[each].tensor(), sequential[each].tensor()), 1e-6) << each.name;
  EXPECT_TRUE(contains(error_of([&] { MeanField({a}, {.damping = 1.0}); }), "damping in [0, 1)"));
}

TEST(MeanFieldTest, ParallelUpdatesTakeTheOldMeans) {
  const Deep made = deep();
  const State start = one_sample(made)
                          .set(made.h1, numbers({0.2, 0.9, 0.4}, {1, 3}))
                          .set(made.h2, numbers({0.7, 0.1}, {1, 2}));
  const State moved =
      MeanField({made.h1, made.h2}, {.updates = Updates::Parallel})(made.graph, start, Key(0));
  for (const Variable& each : {made.h1, made.h2}) {
    const Tensor alone = MeanField({each})(made.graph, start, Key(0))[each].tensor();
    EXPECT_LT(largest_difference(moved[each].tensor(), alone), 1e-14) << each.name;
  }
}

// Natural parameters on the way from q_i to its best fall with every step, also of numbers.
TEST(MeanFieldTest, DampedSequentialUpdatesLowerTheBound) {
  FactorGraph graph;
  const Variable z = graph.real("z", {2}), h = graph.binary("h", {3});
  graph.add(Bias(z)).add(Bias(h)).add(Quadratic(z)).add(Bilinear(z, h, Key(1)));
  randomise(graph, Key(4));
  const MeanField move({z, h}, {.damping = 0.6});
  State state = move(graph, State(), Key(0));
  double before = variational_free_energy(graph, {z, h}, state).item();
  const State rest = iterate(MeanField({z, h}), graph, State(), 200, Key(0));
  for (int i = 0; i < 60; ++i) {
    state = move(graph, state, Key(0));
    const double after = variational_free_energy(graph, {z, h}, state).item();
    EXPECT_LE(after, before + 1e-12) << i;
    before = after;
  }
  EXPECT_NEAR(before, variational_free_energy(graph, {z, h}, rest).item(), 1e-6);
}

TEST(UnrolledMeanFieldTest, IsTheUpdatesWithHistory) {
  const Deep made = deep();
  for (const MeanFieldOptions& options :
       {MeanFieldOptions{.iterations = 4}, MeanFieldOptions{.iterations = 4, .updates = Updates::Parallel},
        MeanFieldOptions{.iterations = 4, .updates = Updates::Parallel, .damping = 0.3}}) {
    const MeanField move({made.h1, made.h2}, options);
    const UnrolledMeanField net(made.graph, made.v, made.h2, move);
    const Tensor v = numbers({1, 0, 1, 1, 0, 0, 1, 0}, {2, 4});
    const State expected = iterate(move, made.graph, State().set(made.v, v), 4, Key(0));
    EXPECT_LT(largest_difference(net.forward(v).tensor(), expected[made.h2].tensor()), 1e-14);
    // Of every parameter, through all updates: against central differences.
    const auto loss = [&] { return sum(square(net.forward(v) - 0.3)); };
    std::vector<Value> leaves;
    for (const Parameter& parameter : net.parameters()) leaves.push_back(parameter.value());
    const std::vector<Value> slopes = grad(loss(), leaves);
    for (std::size_t p = 0; p < leaves.size(); ++p) {
      Parameter parameter = net.parameters()[p];
      const std::vector<double> own = parameter.tensor().values(), slope = slopes[p].tensor().values();
      const Shape shape = parameter.tensor().shape();
      for (std::size_t i = 0; i < own.size(); i += 2) {
        const auto moved = [&](double by) {
          std::vector<double> other = own;
          other[i] += by;
          parameter.set(numbers(other, shape));
          return loss().item();
        };
        constexpr double kStep = 1e-5;
        EXPECT_NEAR(slope[i], (moved(kStep) - moved(-kStep)) / (2.0 * kStep), 1e-8) << parameter.name();
        parameter.set(numbers(own, shape));
      }
    }
  }
}

TEST(UnrolledMeanFieldTest, LearnsByDescent) {
  const Deep made = deep(0.3);
  const UnrolledMeanField net(made.graph, made.v, made.h2,
                              MeanField({made.h1, made.h2}, {.iterations = 3, .updates = Updates::Parallel}));
  const Tensor v = numbers({1, 0, 1, 1, 0, 1, 0, 0}, {2, 4}), target = numbers({1, 0, 0, 1}, {2, 2});
  const auto loss = [&] { return mean(square(net.forward(v) - target)); };
  const double before = loss().item();
  for (int i = 0; i < 100; ++i) {
    std::vector<Value> leaves;
    for (const Parameter& parameter : net.parameters()) leaves.push_back(parameter.value());
    const std::vector<Value> slopes = grad(loss(), leaves);
    for (std::size_t p = 0; p < leaves.size(); ++p)
      Parameter(net.parameters()[p]).set((leaves[p] - 2.0 * slopes[p]).tensor());
  }
  EXPECT_LT(loss().item(), 0.2 * before);
  EXPECT_TRUE(contains(error_of([&] {
                         UnrolledMeanField(made.graph, made.h1, made.h2, MeanField({made.h1, made.h2}));
                       }),
                       "[UnrolledMeanField] expected"));
}

}  // namespace
}  // namespace basin::test
