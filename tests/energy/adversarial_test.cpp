#include <gtest/gtest.h>

#include <numeric>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/eliminate/recomputed.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/network.h"
#include "energy/factors/penalties/box.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/quadratic.h"
#include "energy/factors/squared_error.h"
#include "energy/likelihood/log_likelihood.h"
#include "energy/likelihood/pseudo_likelihood.h"
#include "energy/marginal/conditional.h"
#include "energy/sample/block_gibbs.h"
#include "modules/activation.h"
#include "modules/dropout.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

/// Energies that once gave wrong numbers without a word: the right one, by loops that share no code with the
/// library, or an Error.
namespace basin::test {
namespace {

using Numbers = std::vector<double>;

/// -log sum exp(-E) and min E over all bit vectors of a length.
struct Plain {
  double free = 0.0, lowest = INFINITY;
};

template <class Energy>
Plain over_bits(std::size_t bits, Energy energy) {
  double total = 0.0;
  Plain result;
  Numbers b(bits);
  for (std::size_t code = 0; code < (std::size_t{1} << bits); ++code) {
    for (std::size_t i = 0; i < bits; ++i) b[i] = static_cast<double>((code >> i) & 1);
    const double e = energy(b);
    total += std::exp(-e);
    result.lowest = std::min(result.lowest, e);
  }
  result.free = -std::log(total);
  return result;
}

Numbers values_of(const FactorGraph& graph, const std::string& name) {
  return graph.parameter(name).tensor().values();
}

void expect_near(const Value& received, const Numbers& expected, double tolerance = 1e-10) {
  const Numbers numbers = received.tensor().values();
  ASSERT_EQ(numbers.size(), expected.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_NEAR(numbers[i], expected[i], tolerance) << i;
}

/// v - h1 - h2, and the numbers in it.
struct DeepBoltzmann {
  DeepBoltzmann() {
    graph.add(Bias(v)).add(Bias(h1)).add(Bias(h2));
    graph.add(Bilinear(v, h1, Key(1))).add(Bilinear(h1, h2, Key(2)));
    randomise(graph, Key(3), 0.7);
    b = values_of(graph, "v.bias"), c = values_of(graph, "h1.bias"), d = values_of(graph, "h2.bias");
    w = values_of(graph, "v.h1.weight"), u = values_of(graph, "h1.h2.weight");
  }
  double energy(const double* x, const double* h, const double* k) const {
    double e = 0.0;
    for (std::size_t i = 0; i < 6; ++i) e -= b[i] * x[i];
    for (std::size_t j = 0; j < 4; ++j) e -= c[j] * h[j];
    for (std::size_t l = 0; l < 3; ++l) e -= d[l] * k[l];
    for (std::size_t i = 0; i < 6; ++i)
      for (std::size_t j = 0; j < 4; ++j) e -= x[i] * w[i * 4 + j] * h[j];
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t l = 0; l < 3; ++l) e -= h[j] * u[j * 3 + l] * k[l];
    return e;
  }
  Plain latents(const double* x) const {
    return over_bits(7, [&](const Numbers& z) { return energy(x, z.data(), z.data() + 4); });
  }
  FactorGraph graph;
  Variable v = graph.binary("v", {6}), h1 = graph.binary("h1", {4}), h2 = graph.binary("h2", {3});
  Numbers b, c, d, w, u;
};

TEST(AdversarialTest, InteractingLayersOfADeepBoltzmannMachine) {
  const DeepBoltzmann dbm;
  const Tensor data = bernoulli(Key(4), Tensor::full({5, 6}, 0.5, f64()));
  const State state = State().set(dbm.v, data);
  Numbers free, lowest;
  for (std::size_t n = 0; n < 5; ++n) {
    const Plain exact = dbm.latents(data.values().data() + n * 6);
    free.push_back(exact.free);
    lowest.push_back(exact.lowest);
  }
  for (const Block& latents : {Block{dbm.h1, dbm.h2}, Block{dbm.h2, dbm.h1}}) {
    for (const std::size_t bytes : {std::size_t{1} << 28, std::size_t{1}}) {
      expect_near(free_energy(dbm.graph, latents, state, {.bytes = bytes}), free);
      expect_near(min_energy(dbm.graph, latents, state, {.bytes = bytes}), lowest);
    }
  }
  EXPECT_TRUE(contains(
      error_of([&] {
        free_energy(dbm.graph, {dbm.h1, dbm.h2}, state, {.states = 4});
      }),
      "[free_energy] cannot eliminate {h1, h2} exactly: at a random point the energy of Bilinear(h1, h2)"));
  EXPECT_TRUE(contains(error_of([&] {
                         conditional(dbm.graph, {dbm.h1, dbm.h2}, state);
                       }),
                       "{h1, h2} interacts"));

  // What is made of it.
  EXPECT_NEAR(mean_free_energy(dbm.graph, {dbm.h1, dbm.h2}, state, 2),
              (free[0] + free[1] + free[2] + free[3] + free[4]) / 5.0, 1e-10);
  const double log_z = -over_bits(13, [&](const Numbers& z) {
                          return dbm.energy(z.data(), z.data() + 6, z.data() + 10);
                        }).free;
  EXPECT_NEAR(log_partition(dbm.graph).item(), log_z, 1e-10);
  EXPECT_NEAR(log_partition(dbm.graph, {.bytes = 1}).item(), log_z, 1e-10) << "a state at a time";
}

TEST(AdversarialTest, GradientsOfEnumeratedEnergiesStreamedOrNot) {
  const DeepBoltzmann dbm;
  const Block latents{dbm.h1, dbm.h2};
  const Tensor at = normal(Key(4), {3, 6}, f64());
  for (const std::size_t bytes : {std::size_t{1} << 28, std::size_t{1000}}) {
    const EliminateOptions options{.bytes = bytes};
    EXPECT_EQ(gradcheck(
                  [&](const std::vector<Value>& x) {
                    return free_energy(dbm.graph, latents, State().set(dbm.v, x[0]), options);
                  },
                  {at}),
              "")
        << bytes << ": of orders 1 and 2";
    std::vector<Value> leaves;
    for (const Parameter& parameter : dbm.graph.parameters()) leaves.push_back(parameter.value());
    const State state = State().set(dbm.v, at);
    const std::vector<Value> received = grad(sum(free_energy(dbm.graph, latents, state, options)), leaves);
    // d F / d u_jl = -sum_n E[h_j k_l | v_n].
    Numbers expected(12, 0.0);
    const Numbers data = at.values();
    for (std::size_t n = 0; n < 3; ++n) {
      const double free = dbm.latents(data.data() + n * 6).free;
      over_bits(7, [&](const Numbers& z) {
        const double p = std::exp(free - dbm.energy(data.data() + n * 6, z.data(), z.data() + 4));
        for (std::size_t j = 0; j < 4; ++j)
          for (std::size_t l = 0; l < 3; ++l) expected[j * 3 + l] -= p * z[j] * z[4 + l];
        return 0.0;
      });
    }
    expect_near(received.back(), expected);
    const Value low = min_energy(dbm.graph, latents, state, options);
    const Value same = min_energy(dbm.graph, latents, state);
    expect_near(grad(sum(low), leaves).back(), grad(sum(same), leaves).back().tensor().values());
  }
}

// The second evaluation of the states, for gradients, need not round as the first one did.
TEST(AdversarialTest, StreamedMinimaHaveGradientsWhateverRoundingDoes) {
  FactorGraph graph;
  const Variable x = graph.real("x", {1});
  const Numbers factors{2.0, 1.0, 5.0, 1.5, 1.25};
  for (const double rounding : {0.0, 1e-12, -1e-12}) {
    int calls = 0;
    const auto lowest = [&, rounding](const State& at, Index i) -> Value {
      const Numbers own(factors.begin() + 2 * i, factors.begin() + std::min<Index>(2 * i + 2, 5));
      const Value energies = at[x] * Value(numbers(own, {1, static_cast<Index>(own.size())}));
      return -max(-energies * (calls++ < 3 ? 1.0 : 1.0 + rounding), 1);
    };
    const Value leaf = Value::leaf(numbers({1.0, -1.0, 3.0}, {3, 1}));
    const Value low = -max(-recomputed(graph, State().set(x, leaf), 3, lowest), 1);
    expect_near(low, {1.0, -5.0, 3.0});
    expect_near(grad(sum(low), {leaf}).front(), {1.0, 5.0, 1.0});
  }
}

TEST(AdversarialTest, OneHotCodesOfKMeans) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2}), y = graph.categorical("y", {3});
  graph.add(SquaredError(x, Linear(3, 2, Key(1)), y));
  randomise(graph, Key(2));
  const Numbers w = values_of(graph, "y.x.weight"), b = values_of(graph, "y.x.bias");
  const Tensor data = normal(Key(3), {4, 2}, f64());
  Numbers free, lowest;
  for (std::size_t n = 0; n < 4; ++n) {
    double total = 0.0, least = INFINITY;
    for (std::size_t k = 0; k < 3; ++k) {
      double e = 0.0;
      for (std::size_t i = 0; i < 2; ++i)
        e += 0.5 * std::pow(data.values()[n * 2 + i] - w[k * 2 + i] - b[i], 2);
      total += std::exp(-e);
      least = std::min(least, e);
    }
    free.push_back(-std::log(total));
    lowest.push_back(least);
  }
  expect_near(free_energy(graph, {y}, State().set(x, data)), free);
  expect_near(min_energy(graph, {y}, State().set(x, data)), lowest);
  EXPECT_TRUE(
      contains(error_of([&] { conditional(graph, {y}, State().set(x, data)); }), "block {y} interacts"));
}

TEST(AdversarialTest, BinaryCodesUnderASquaredError) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2}), z = graph.binary("z", {3});
  graph.add(SquaredError(x, Linear(3, 2, Key(1)), z)).add(Bias(z)).add(Quadratic(z));
  randomise(graph, Key(2));
  const Numbers w = values_of(graph, "z.x.weight"), b = values_of(graph, "z.x.bias"),
                c = values_of(graph, "z.bias"), s = values_of(graph, "z.log_precision");
  const Numbers data{0.3, -1.2};
  const Plain exact = over_bits(3, [&](const Numbers& on) {
    double e = 0.0;
    for (std::size_t i = 0; i < 2; ++i) {
      double difference = data[i] - b[i];
      for (std::size_t j = 0; j < 3; ++j) difference -= on[j] * w[j * 2 + i];
      e += 0.5 * difference * difference;
    }
    for (std::size_t j = 0; j < 3; ++j) e += 0.5 * std::exp(s[j]) * on[j] * on[j] - c[j] * on[j];
    return e;
  });
  const State state = State().set(x, numbers(data, {1, 2}));
  EXPECT_NEAR(free_energy(graph, {z}, state).item(), exact.free, 1e-10);
  EXPECT_NEAR(min_energy(graph, {z}, state).item(), exact.lowest, 1e-10);
  FactorGraph large;
  const Variable t = large.real("t", {2}), many = large.binary("many", {40});
  large.add(SquaredError(t, Linear(40, 2, Key(1)), many));
  large.to(f64());
  EXPECT_TRUE(contains(error_of([&] {
                         free_energy(large, {many}, State().set(t, numbers(data, {1, 2})));
                       }),
                       "2^40 states of {many}"));
}

TEST(AdversarialTest, RealCodesWithAFullHessian) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2}), z = graph.real("z", {2});
  graph.add(SquaredError(x, Linear(2, 2, Key(1), {.bias = false}), z))
      .add(Quadratic(z, {.precision = Precision::Fixed}));
  randomise(graph, Key(2));
  const Numbers w = values_of(graph, "z.x.weight");  // [z, x]
  const Numbers data{0.8, -0.4};
  const State state = State().set(x, numbers(data, {1, 2}));
  EXPECT_TRUE(contains(error_of([&] { free_energy(graph, {z}, state); }),
                       "[free_energy] cannot eliminate {z} exactly"));
  // (W W' + I) z = W x by Cramer's rule.
  const double a00 = w[0] * w[0] + w[1] * w[1] + 1, a01 = w[0] * w[2] + w[1] * w[3],
               a11 = w[2] * w[2] + w[3] * w[3] + 1;
  const double r0 = w[0] * data[0] + w[1] * data[1], r1 = w[2] * data[0] + w[3] * data[1];
  const double det = a00 * a11 - a01 * a01, z0 = (r0 * a11 - a01 * r1) / det,
               z1 = (a00 * r1 - a01 * r0) / det;
  double expected = 0.5 * (z0 * z0 + z1 * z1);
  for (std::size_t i = 0; i < 2; ++i) expected += 0.5 * std::pow(data[i] - z0 * w[i] - z1 * w[2 + i], 2);
  const EliminateOptions sharp{.infer = {.max_steps = 5000, .tolerance = 1e-10}};
  EXPECT_NEAR(min_energy(graph, {z}, state, sharp).item(), expected, 1e-9);

  // With an L1, which has no closed form, the same; its second derivative would be wrong and throws.
  graph.add(L1(z, 0.1));
  EXPECT_NE(error_of([&] { free_energy(graph, {z}, state); }), "");
  const Value leaf = Value::leaf(numbers(data, {1, 2}));
  const Value low = min_energy(graph, {z}, State().set(x, leaf), sharp);
  const Value slope = grad(sum(low), {leaf}, {.differentiable = true})[0];
  for (std::size_t i = 0; i < 2; ++i) {
    Numbers up = data, down = data;
    up[i] += 1e-4, down[i] -= 1e-4;
    const auto at = [&](const Numbers& where) {
      return min_energy(graph, {z}, State().set(x, numbers(where, {1, 2})), sharp).item();
    };
    EXPECT_NEAR(slope.tensor().values()[i], (at(up) - at(down)) / 2e-4, 1e-5);
  }
  EXPECT_TRUE(contains(error_of([&] { grad(sum(slope * slope), {leaf}); }), "differentiated once"));
}

TEST(AdversarialTest, MinimaThatAreNotConvexOrNotFound) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2}), z = graph.real("z", {3});
  const auto relu = std::make_shared<Sequential>();
  relu->add(Linear(3, 2, Key(1), {.placement = f64()})).add(Activation(Activation::Kind::Relu));
  FactorGraph bent = graph;
  bent.add(SquaredError(x, relu, z)).add(L1(z, 0.1));
  const State state = State().set(x, normal(Key(1), {3, 2}, f64()));
  EXPECT_TRUE(contains(error_of([&] { min_energy(bent, {z}, state); }), "not known to be convex"));
  graph.add(SquaredError(x, Linear(3, 2, Key(1)), z)).add(L1(z, 0.1));
  graph.to(f64());
  EXPECT_TRUE(contains(
      error_of([&] { min_energy(graph, {z}, state, {.infer = {.max_steps = 1, .tolerance = 1e-12}}); }),
      "did not converge"));
  FactorGraph concave = graph;
  concave.add(Quadratic(z), -1.0);
  concave.to(f64());
  EXPECT_TRUE(contains(error_of([&] { min_energy(concave, {z}, state); }), "weight -1"));
  FactorGraph box;
  const Variable u = box.real("u", {2});
  box.add(Box(u, -1.0, 1.0)).add(Quadratic(u));
  box.to(f64());
  EXPECT_TRUE(contains(error_of([&] { free_energy(box, {u}, {}); }), "Box(u)"));
}

/// f(v, h) = relu(w.h + v - 3) for v [1] and h [2]: affine in h where v is far below 3, or far above.
class Kink final : public Module {
 public:
  Value forward(const Value& x, const Context&) const override {
    return relu(slice(x, 1, 0, 1) - 3.0 + slice(x, 1, 1, 2) * 0.7 + slice(x, 1, 2, 3) * 1.1);
  }
};

TEST(AdversarialTest, NetworksThatLeaveTheirLinearRegion) {
  FactorGraph graph;
  const Variable v = graph.real("v", {1}), h = graph.binary("h", {2});
  graph.add(Network(Kink(), {v, h})).add(Bias(h));
  graph.to(f64());
  const auto exact = [](double at) {
    return over_bits(2,
                     [&](const Numbers& on) { return std::max(0.0, at - 3.0 + 0.7 * on[0] + 1.1 * on[1]); })
        .free;
  };
  const auto received = [&](double at) {
    return free_energy(graph, {h}, State().set(v, numbers({at, at}, {2, 1})));
  };
  for (const double at : {-9.0, -8.0, -7.0, -9.0, -9.0}) expect_near(received(at), {exact(at), exact(at)});
  // In its linear region, too: no probe could tell that no other value of h leaves it.
  EXPECT_NE(error_of([&] { conditional(graph, {h}, State().set(v, numbers({-9.0}, {1, 1}))); }), "");
  for (const double at : {2.5, -9.0, 9.0, 1.5}) expect_near(received(at), {exact(at), exact(at)});
  EXPECT_TRUE(contains(error_of([&] {
                         conditional(graph, {h}, State().set(v, numbers({2.5}, {1, 1})));
                       }),
                       "is not a sum over the units of h"));
  const BlockGibbs gibbs({{h}});
  EXPECT_NE(error_of([&] { gibbs(graph, State().set(v, numbers({2.5}, {1, 1})), Key(1)); }), "");
}

TEST(AdversarialTest, WeightsThatChangeAfterAProbe) {
  const DeepBoltzmann dbm;
  const State state = State().set(dbm.v, numbers({1, 0, 1, 1, 0, 1}, {1, 6}));
  const FactorGraph weak = dbm.graph.weighted(
      [](std::size_t i, const FactorGraph::Term& term) { return i == 4 ? 1e-13 : term.weight; });
  EXPECT_NO_THROW(free_energy(weak, {dbm.h1, dbm.h2}, state));
  EXPECT_NE(error_of([&] { conditional(weak, {dbm.h1, dbm.h2}, state); }), "") << "couples at any weight";
  const FactorGraph strong = weak.weighted(
      [](std::size_t i, const FactorGraph::Term& term) { return i == 4 ? term.weight * 1e13 : term.weight; });
  EXPECT_NEAR(free_energy(strong, {dbm.h1, dbm.h2}, state).item(),
              dbm.latents(state[dbm.v].tensor().values().data()).free, 1e-10);
  const FactorGraph none = dbm.graph.weighted(
      [](std::size_t i, const FactorGraph::Term& term) { return i == 4 ? 0.0 : term.weight; });
  EXPECT_EQ(error_of([&] { conditional(none, {dbm.h1, dbm.h2}, state); }), "");
  EXPECT_NE(error_of([&] { conditional(dbm.graph, {dbm.h1, dbm.h2}, state); }), "");
}

/// Costs 2 for every bit that is on beyond a number; declares nothing.
class Beyond final : public Factor {
 public:
  Beyond(Block bits, double limit)
      : bits_(std::move(bits)), limit_("limit", Tensor::full({1}, limit, f64())) {}
  std::string name() const override { return "Beyond"; }
  std::vector<Variable> scope() const override { return bits_; }
  std::vector<Parameter> parameters() const override { return {limit_}; }
  Value energy(const State& state) const override {
    Value on = sum_per_sample(state[bits_.front()]);
    for (std::size_t i = 1; i < bits_.size(); ++i) on = on + sum_per_sample(state[bits_[i]]);
    return 2.0 * relu(on - broadcast_to(limit_.value(), on.shape()));
  }

 private:
  Block bits_;
  Parameter limit_;
};

TEST(AdversarialTest, WeightsThatCoupleOnlyAfterAProbe) {
  for (const Index bits : {4, 13}) {
    FactorGraph graph, clamped;
    const Variable b = graph.binary("b", {bits}), v = clamped.binary("v", {bits}),
                   x = clamped.binary("x", {1});
    graph.add(Beyond({b}, 100.0));
    clamped.add(Beyond({v, x}, 100.0));
    const State none = State().set(x, numbers({0}, {1, 1}));
    for (int call = 0; call < 12; ++call) {
      const double limit = call < 6 ? 100.0 : static_cast<double>(bits) - 1.5;
      graph.parameter("limit").tensor().fill(limit);
      clamped.parameter("limit").tensor().fill(limit);
      const Plain exact = over_bits(static_cast<std::size_t>(bits), [&](const Numbers& on) {
        return 2.0 * std::max(0.0, std::accumulate(on.begin(), on.end(), 0.0) - limit);
      });
      EXPECT_NEAR(log_partition(graph).item(), -exact.free, 1e-10) << bits << " bits, call " << call;
      EXPECT_NEAR(free_energy(clamped, {v}, none).item(), exact.free, 1e-10)
          << bits << " bits, call " << call;
    }
  }
}

TEST(AdversarialTest, CouplingsInACornerOfManyStates) {
  FactorGraph graph;
  const Variable b = graph.binary("b", {16}), x = graph.binary("x", {1});
  graph.add(Beyond({b}, 15.5));
  EXPECT_NE(error_of([&] { require_no_interaction(graph, {b}, {}); }), "");
  const State one = State().set(x, numbers({0}, {1, 1}));
  EXPECT_NEAR(free_energy(graph, {b}, one).item(), -std::log(65535.0 + std::exp(-1.0)), 1e-10);
}

TEST(AdversarialTest, LogPartitionWhereAllUnitsOfAPartAreEnumerated) {
  FactorGraph graph;
  const Variable b = graph.binary("b", {3}), y = graph.binary("y", {2});
  graph.add(Beyond({b}, 1.0)).add(Bias(y));
  graph.to(f64());
  EXPECT_NEAR(log_partition(graph).item(),
              std::log(4.0 + 3.0 * std::exp(-2.0) + std::exp(-4.0)) + std::log(4.0), 1e-10);
}

/// Says that it is affine, and is not.
class Liar final : public Factor {
 public:
  explicit Liar(Variable b) : variable_(std::move(b)) {}
  std::string name() const override { return "Liar"; }
  std::vector<Variable> scope() const override { return {variable_}; }
  Value energy(const State& state) const override { return square(sum_per_sample(state[variable_])); }
  Order order_in(const Variable&) const override { return Order::Affine; }

 private:
  Variable variable_;
};

TEST(AdversarialTest, DeclarationsAreTested) {
  FactorGraph graph;
  const Variable b = graph.binary("b", {3});
  graph.add(Liar(b));
  const Plain exact = over_bits(3, [](const Numbers& on) { return std::pow(on[0] + on[1] + on[2], 2); });
  EXPECT_NEAR(free_energy(graph, {b}, {}).item(), exact.free, 1e-5);
  EXPECT_TRUE(
      contains(error_of([&] { require_no_interaction(graph, {b}, {}); }), "the energy of Liar differs"));
}

TEST(AdversarialTest, EnumeratedReplicasDropWhatTheirSampleDrops) {
  FactorGraph graph;
  const Variable x = graph.real("x", {4}), y = graph.categorical("y", {3});
  Sequential net;
  net.add(Linear(7, 8, Key(1)))
      .add(Dropout(0.5))
      .add(Activation(Activation::Kind::Tanh))
      .add(Linear(8, 1, Key(2)));
  graph.add(Bias(y)).add(Network(std::move(net), {x, y}));
  randomise(graph, Key(3));
  Context noise;
  noise.key = Key(9);
  noise.first_row = 5;
  const Tensor data = normal(Key(4), {6, 4}, f64());
  const State state = State().in(noise).set(x, data);
  std::vector<Numbers> energies;
  for (std::size_t k = 0; k < 3; ++k) {
    Numbers hot(18, 0.0);
    for (std::size_t n = 0; n < 6; ++n) hot[n * 3 + k] = 1.0;
    energies.push_back(graph.energy(state.with(y, numbers(hot, {6, 3}))).tensor().values());
  }
  Numbers expected;
  for (std::size_t n = 0; n < 6; ++n)
    expected.push_back(
        -std::log(std::exp(-energies[0][n]) + std::exp(-energies[1][n]) + std::exp(-energies[2][n])));
  expect_near(free_energy(graph, {y}, state), expected);
  expect_near(free_energy(graph, {y}, state, {.bytes = 1}), expected);
  Context later = noise;
  later.first_row = 7;
  expect_near(free_energy(graph, {y}, State().in(later).set(x, data.rows(2, 6))),
              {expected.begin() + 2, expected.end()});
}

/// A Bilinear that counts the rows it is asked about.
class Counted final : public Factor {
 public:
  Counted(Variable v, Variable h, Index* rows) : inner_(std::move(v), std::move(h), Key(1)), rows_(rows) {}
  std::string name() const override { return inner_.name(); }
  std::vector<Variable> scope() const override { return inner_.scope(); }
  std::vector<Parameter> parameters() const override { return inner_.parameters(); }
  Order order_in(const Variable& variable) const override { return inner_.order_in(variable); }
  bool reads_context() const override { return false; }
  Value energy(const State& state) const override {
    *rows_ += state.batch();
    return inner_.energy(state);
  }

 private:
  Bilinear inner_;
  Index* rows_;
};

TEST(AdversarialTest, EnumerationCostsWhatItShould) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {8}), h = graph.binary("h", {50}), y = graph.categorical("y", {10});
  Index inputs = 0, labels = 0;
  graph.add(Counted(v, h, &inputs)).add(Counted(y, h, &labels));
  Context noise;  // training has a key
  noise.key = Key(1);
  const State state = State().in(noise).set(v, Tensor::zeros({20, 8}));
  (void)free_energy(graph, {h, y}, state);
  inputs = labels = 0;
  (void)free_energy(graph, {h, y}, state);
  EXPECT_EQ(inputs, 20) << "once a sample";
  EXPECT_EQ(labels, 10) << "once a label";
}

TEST(AdversarialTest, ClosedFormInsideEnumeration) {
  // p(y | v) of an RBM with a label and many hidden units; and layers of which every other is enumerated.
  FactorGraph graph;
  const Variable v = graph.binary("v", {5}), h = graph.binary("h", {40}), y = graph.categorical("y", {4});
  graph.add(Bias(y)).add(Bias(h)).add(Bilinear(v, h, Key(1))).add(Bilinear(y, h, Key(2)));
  randomise(graph, Key(3), 0.5);
  const Numbers w = values_of(graph, "v.h.weight"), u = values_of(graph, "y.h.weight"),
                c = values_of(graph, "h.bias"), d = values_of(graph, "y.bias"), x{1, 0, 1, 1, 0};
  double total = 0.0;
  for (std::size_t k = 0; k < 4; ++k) {
    double exponent = d[k];
    for (std::size_t j = 0; j < 40; ++j) {
      double input = c[j] + u[k * 40 + j];
      for (std::size_t i = 0; i < 5; ++i) input += x[i] * w[i * 40 + j];
      exponent += std::log1p(std::exp(input));
    }
    total += std::exp(exponent);
  }
  const State state = State().set(v, numbers(x, {1, 5}));
  EXPECT_NEAR(free_energy(graph, {h, y}, state).item(), -std::log(total), 1e-10);
  EXPECT_NEAR(free_energy(graph, {y, h}, state, {.states = 4, .bytes = 1}).item(), -std::log(total), 1e-10);

  FactorGraph deep;
  const Variable a = deep.binary("a", {3}), b = deep.binary("b", {9}), e = deep.binary("e", {4}),
                 f = deep.real("f", {2});
  deep.add(Bilinear(a, b, Key(1)))
      .add(Bilinear(b, e, Key(2)))
      .add(Bilinear(e, f, Key(3)))
      .add(Quadratic(f))
      .add(Bias(b));
  randomise(deep, Key(4));
  const Tensor at = bernoulli(Key(5), Tensor::full({3, 3}, 0.5, f64()));
  const std::vector<double> received =
      free_energy(deep, {b, e, f}, State().set(a, at), {.states = 16}).tensor().values();
  for (Index n = 0; n < 3; ++n) {
    double sum_of_states = 0.0;
    const State states = enumerate_states({b, e}, 0, 1 << 13, f64());
    const State all = State(states).set(a, repeated(at.rows(n, n + 1).values(), a, 1 << 13));
    for (const double free : free_energy(deep, {f}, all).tensor().values()) sum_of_states += std::exp(-free);
    EXPECT_NEAR(received[static_cast<std::size_t>(n)], -std::log(sum_of_states), 1e-9);
  }
}

TEST(AdversarialTest, PseudoLikelihoodOfADeepBoltzmannMachine) {
  const DeepBoltzmann dbm;
  const Tensor data = bernoulli(Key(4), Tensor::full({2, 6}, 0.5, f64()));
  Numbers each;  // of a sample, over its bits
  const Numbers all = data.values();
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t i = 0; i < 6; ++i) {
      Numbers x(all.begin() + static_cast<std::ptrdiff_t>(n * 6),
                all.begin() + static_cast<std::ptrdiff_t>(n * 6 + 6));
      const double free = dbm.latents(x.data()).free;
      x[i] = 1.0 - x[i];
      each.push_back(-std::log1p(std::exp(free - dbm.latents(x.data()).free)));
    }
  }
  const PseudoLikelihood received =
      pseudo_likelihood(dbm.graph, dbm.v, {dbm.h1, dbm.h2}, State().set(dbm.v, data), Key(1), {.error = 0.0});
  EXPECT_EQ(received.bits, 6);
  EXPECT_NEAR(received.mean, std::accumulate(each.begin(), each.end(), 0.0) / 2.0, 1e-10);
}

}  // namespace
}  // namespace basin::test
