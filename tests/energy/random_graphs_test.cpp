#include <gtest/gtest.h>

#include <functional>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/eliminate/marginals.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/network.h"
#include "energy/factors/quadratic.h"
#include "energy/factors/score.h"
#include "energy/factors/sequences/chain.h"
#include "energy/factors/squared_error.h"
#include "energy/marginal/conditional.h"
#include "energy/sample_ops.h"
#include "modules/activation.h"
#include "modules/flatten.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

/// Graphs put together at random: whatever couples in them, numbers equal those of enumeration and
/// quadrature, or there is an Error.
namespace basin::test {
namespace {

/// An energy by a function of the state, which declares no order.
class Undeclared final : public Factor {
 public:
  Undeclared(Block scope, std::function<Value(const State&)> energy)
      : scope_(std::move(scope)), energy_(std::move(energy)) {}
  std::string name() const override { return "Undeclared"; }
  std::vector<Variable> scope() const override { return scope_; }
  Value energy(const State& state) const override { return energy_(state); }

 private:
  Block scope_;
  std::function<Value(const State&)> energy_;
};

/// Numbers from a key, one after the other.
class Dice {
 public:
  explicit Dice(Key key) : numbers_(uniform(key, {400}, {Dtype::F64, Device::Cpu}).values()) {}
  Index below(Index count) {
    return static_cast<Index>(numbers_[next_++ % numbers_.size()] * static_cast<double>(count));
  }
  double real() { return 4.0 * numbers_[next_++ % numbers_.size()] - 2.0; }

 private:
  std::vector<double> numbers_;
  std::size_t next_ = 0;
};

struct RandomGraph {
  explicit RandomGraph(std::uint64_t seed) : dice(Key(seed).fold("dice")) {
    const Key key(seed);
    all = {graph.binary("a", {1 + dice.below(3)}),
           graph.binary("b", {1 + dice.below(2)}),
           graph.categorical("y", dice.below(2) == 0 ? Shape{3} : Shape{3, 2}),
           graph.categorical("k", {2 + dice.below(2)}),
           x,
           z};
    graph.add(Quadratic(z)).add(Bias(z));
    for (std::uint64_t i = 0; i < 5; ++i) add(key.fold(i), "f" + std::to_string(i));
    randomise(graph, key.fold("weights"), 0.8);
    for (const Variable& variable : all) {
      if (variable == x) continue;
      if (variable == z ? dice.below(6) == 0 : dice.below(3) > 0) latents.push_back(variable);
    }
    for (const Variable& variable : all) {
      if (!contains(latents, variable)) rest.set(variable, value(variable, 3));
    }
  }

  /// Anything in the variable's domain.
  Value value(const Variable& variable, Index rows) {
    const Key key = Key(5).fold(static_cast<std::uint64_t>(dice.below(1000)));
    const Value draws = normal(key, batched(variable, rows), f64());
    if (variable.domain == Domain::Binary) return step(draws);
    return variable.domain == Domain::Categorical ? largest(draws, 1) : draws;
  }
  const Variable& any() { return all[static_cast<std::size_t>(dice.below(6))]; }

  void add(Key key, const std::string& label) {
    const Variable &p = any(), &q = any();
    const auto net = [&](Index from, Index to) {
      Sequential module;
      module.add(Flatten())
          .add(Linear(from, 4, key.fold("0")))
          .add(Activation(dice.below(2) == 0 ? Activation::Kind::Relu : Activation::Kind::Tanh))
          .add(Linear(4, to, key.fold("1")));
      return module;
    };
    const Variable y = all[2];
    switch (dice.below(9)) {
      case 0:
        if (!(p == q)) graph.add(Bilinear(p, q, key, {.label = label}));
        break;
      case 1:
        if (graph.factors<SquaredError>(p).empty() && !(p == x)) {
          Sequential module;
          module.add(Flatten()).add(Linear(p.size(), x.size(), key));
          graph.add(SquaredError(x, std::move(module), p));
        }
        break;
      case 2:
        if (p == q || dice.below(2) == 0) {
          graph.add(Network(net(p.size(), 1), {p}, {.label = label}));
        } else {
          graph.add(Network(net(p.size() + q.size(), 1), {p, q}, {.label = label}));
        }
        break;
      case 3:
        if (!(p == x)) graph.add(Score(p, net(x.size(), p.size()), x, {.label = label}));
        break;
      case 4:
        if (y.shape.size() == 2 && graph.factors<Chain>().empty()) graph.add(Chain(y));
        break;
      case 5:
        if (p.domain != Domain::Real) graph.add(Quadratic(p, {.precision = Precision::Fixed}), dice.real());
        break;
      case 6: {  // a kink that few states reach
        const double at = dice.real();
        graph.add(std::make_shared<const Undeclared>(
            Block{p}, [p, at](const State& s) { return relu(sum_per_sample(s[p]) - at) * 1.3; }));
        break;
      }
      case 7: {  // three of a kind
        const double c = dice.real();
        const Variable& r = any();
        Block scope{p};
        for (const Variable& other : {q, r})
          if (!contains(scope, other)) scope.push_back(other);
        graph.add(std::make_shared<const Undeclared>(scope, [p, q, r, c](const State& s) {
          const auto first = [&](const Variable& v) {
            return reshape(slice(flatten(s[v]), 1, 0, 1), {s.batch()});
          };
          return c * first(p) * first(q) * first(r);
        }));
        break;
      }
      default:
        graph.add(Bias(p, {.label = label}), dice.real());
    }
  }

  FactorGraph graph;
  Dice dice;
  Variable x = graph.real("x", {2}), z = graph.real("z", {1});
  Block all, latents;
  State rest;
};

/// log sum exp(-E) and min E over all latents at row n: discrete ones enumerated, z on a fine grid.
std::pair<double, double> exact(const RandomGraph& made, Index n) {
  Block discrete = made.latents;
  const bool real = std::erase(discrete, made.z) > 0;
  const Index states = state_count(discrete);
  constexpr Index kGrid = 2001;
  constexpr double kWidth = 40.0, kStep = 2.0 * kWidth / (kGrid - 1);
  const Index points = real ? kGrid : 1;
  double top = -INFINITY, total = 0.0;
  for (Index s = 0; s < states; ++s) {
    State at;
    const State one = enumerate_states(discrete, s, s + 1, f64());
    for (const Variable& variable : discrete)
      at.set(variable, repeated(one[variable].tensor().values(), variable, points));
    for (const Variable& variable : made.all) {
      if (made.rest.has(variable))
        at.set(variable, repeated(made.rest[variable].tensor().rows(n, n + 1).values(), variable, points));
    }
    if (real) {
      std::vector<double> grid;
      for (Index i = 0; i < kGrid; ++i) grid.push_back(-kWidth + kStep * static_cast<double>(i));
      at.set(made.z, numbers(grid, {kGrid, 1}));
    }
    for (const double energy : made.graph.energy(at).tensor().values()) {
      if (-energy > top) {
        total *= std::exp(top + energy);
        top = -energy;
      }
      total += std::exp(-energy - top) * (real ? kStep : 1.0);
    }
  }
  return {-top - std::log(total), -top};
}

TEST(RandomGraphsTest, EliminationIsExactOrAnError) {
  Index equal = 0;
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    RandomGraph made(seed);
    if (made.latents.empty()) continue;
    SCOPED_TRACE(seed);
    Value free, low;
    State best;
    const std::string error = error_of([&] {
      free = free_energy(made.graph, made.latents, made.rest);
      low = min_energy(made.graph, made.latents, made.rest);
    });
    if (!error.empty()) {
      EXPECT_TRUE(contains(made.latents, made.z)) << error;  // all else can be enumerated
      continue;
    }
    ++equal;
    const bool real = contains(made.latents, made.z);
    for (Index n = 0; n < 3; ++n) {
      const auto [expected, lowest] = exact(made, n);
      const auto row = static_cast<std::size_t>(n);
      EXPECT_NEAR(free.tensor().values()[row], expected, real ? 1e-6 : 1e-9);
      EXPECT_NEAR(low.tensor().values()[row], lowest, real ? 1e-2 : 1e-9);
    }
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{3000}}) {
      const Value streamed = free_energy(made.graph, made.latents, made.rest, {.bytes = bytes});
      EXPECT_LT(max(abs(streamed - free), 0).item(), 1e-9);
    }
    if (real) continue;
    best = most_probable(made.graph, made.latents, made.rest);
    EXPECT_LT(max(abs(made.graph.energy(best) - low), 0).item(), 1e-6);
    const std::vector<Value> means = marginals(made.graph, made.latents, made.rest);
    for (Index n = 0; n < 3; ++n) {
      State one;
      for (const Variable& variable : made.all) {
        if (made.rest.has(variable)) one.set(variable, made.rest[variable].tensor().rows(n, n + 1));
      }
      const Distribution all = distribution(made.graph, made.latents, one);
      for (std::size_t i = 0; i < made.latents.size(); ++i) {
        const std::vector<double> expected = all.mean(made.latents[i]),
                                  received = means[i].tensor().rows(n, n + 1).values();
        for (std::size_t j = 0; j < expected.size(); ++j) EXPECT_NEAR(received[j], expected[j], 1e-9);
      }
    }
  }
  EXPECT_GT(equal, 50);
}

TEST(RandomGraphsTest, ConditionalsAreExactOrAnError) {
  Index equal = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    RandomGraph made(seed);
    for (const Variable& variable : made.all) {
      if (!made.rest.has(variable)) made.rest.set(variable, made.value(variable, 3));
    }
    for (const Variable& b : made.all) {
      if (b == made.x || b == made.z) continue;
      std::vector<Conditional> found;
      if (!error_of([&] { found = conditional(made.graph, {b}, made.rest); }).empty()) continue;
      ++equal;
      for (Index n = 0; n < 3; ++n) {
        State one;
        for (const Variable& variable : made.all)
          if (!(variable == b)) one.set(variable, made.rest[variable].tensor().rows(n, n + 1));
        const std::vector<double> expected = distribution(made.graph, {b}, one).mean(b),
                                  received = found.front().mean().tensor().rows(n, n + 1).values();
        for (std::size_t j = 0; j < expected.size(); ++j)
          EXPECT_NEAR(received[j], expected[j], 1e-9) << seed << " " << b.name;
      }
    }
  }
  EXPECT_GT(equal, 100);
}

}  // namespace
}  // namespace basin::test
