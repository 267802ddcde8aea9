#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "autograd/ops.h"
#include "bipartite_graphs.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/continuous/langevin.h"
#include "energy/sample/discrete/gibbs_with_gradients.h"
#include "energy/sample/discrete/metropolis.h"
#include "energy/sample/parallel_tempering.h"
#include "energy/sample/simulated_annealing.h"
#include "formula.h"
#include "moments.h"
#include "tensor/guard/guard_backend.h"

namespace basin::test {
namespace {

constexpr double kErrors = 4.0;     // standard errors, of a few dozen moments
constexpr double kEffective = 1e4;  // samples, at least

/// An RBM of two modes, all units 0 or all 1, between which sweeps pass seldom: a hidden unit leaves them
/// with probability sigma(-8).
struct Bimodal {
  FactorGraph graph;
  Variable v = graph.binary("v", {4}), h = graph.binary("h", {3});
  BlockGibbs sweep{{{h}, {v}}};

  Bimodal() {
    graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
    graph.to(f64());
    graph.parameter("v.bias").set(Tensor::full({4}, -6.0, f64()));
    graph.parameter("h.bias").set(Tensor::full({3}, -8.1, f64()));
    graph.parameter("v.h.weight").set(Tensor::full({4, 3}, 4.0, f64()));
  }
  Distribution exact(double beta = 1.0) const { return distribution(graph.scaled(beta), {v, h}); }
  State start(Index chains = 200) const {
    return State().set(v, Tensor::zeros({chains, 4}, f64())).set(h, Tensor::zeros({chains, 3}, f64()));
  }
  MomentErrors errors(const Transition& move, Index draws) const {
    return moment_errors(move, graph, start(), exact(), {v, h},
                         {.burn_in = 100, .draws = draws, .key = Key(2)});
  }
};

double total(const Info& info, const std::string& name) { return sum(info.at(name)).item(); }

TEST(ParallelTemperingTest, MixesWhereItsTransitionDoesNotAndStaysExact) {
  if (is_guarded()) GTEST_SKIP() << "many draws; moves of slices are tested on every device";
  const Bimodal target;
  const ParallelTempering move(target.sweep, {.ladder = even_ladder(0.2, 4)});
  const MomentErrors errors = target.errors(move, 700);
  EXPECT_LT(errors.worst, kErrors);
  EXPECT_GE(errors.effective_samples, kEffective);
  const State end = iterate(move, target.graph, target.start(), 100, Key(3)),
              stuck = iterate(target.sweep, target.graph, target.start(), 100, Key(3));
  EXPECT_GT(total(move.info(end), "round_trips"), 2.0 * 200.0);
  const auto at_one = [&](const State& state) { return mean(state[target.v]).item(); };
  EXPECT_LT(at_one(stuck), 0.1) << "nothing to show";
  EXPECT_GT(at_one(end), 0.35);
}

/// Parallel tempering whose two coldest replicas change places, whatever their energies: test of the test.
class Wrong final : public Transition {
 public:
  explicit Wrong(const ParallelTempering& move) : move_(move) {}
  std::string name() const override { return "Wrong"; }
  Block moves() const override { return move_.moves(); }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override {
    State moved = move_(graph, state, key);
    for (const Variable& z : moves()) {
      const std::string held = "tempering.of." + z.name;
      const Value hotter = moved.recall(held), mine = moved[z];
      if (!hotter.defined()) continue;
      const Index last = hotter.dim(1) - 1;
      const Value row = slice(hotter, 1, last, last + 1);
      moved.set(z, reshape(row, mine.shape()));
      moved.remember(held, concat({slice(hotter, 1, 0, last), reshape(mine, row.shape())}, 1));
    }
    return moved;
  }

 private:
  const ParallelTempering& move_;
};

TEST(ParallelTemperingTest, AWrongSwapFailsTheSameTest) {
  if (is_guarded()) GTEST_SKIP() << "many draws; moves of slices are tested on every device";
  const Bimodal target;
  const ParallelTempering move(target.sweep, {.ladder = {0.2, 0.5, 1.0}});
  EXPECT_GT(target.errors(Wrong(move), 700).worst, 2.0 * kErrors);
}

/// The hottest replicas as a transition of their own.
class Hottest final : public Transition {
 public:
  explicit Hottest(const ParallelTempering& move) : move_(move) {}
  std::string name() const override { return "Hottest"; }
  Block moves() const override { return move_.moves(); }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override {
    State inner = state;
    for (const Variable& z : moves()) {
      if (const Value cold = state.recall("cold." + z.name); cold.defined()) inner.set(z, cold);
    }
    State moved = move_(graph, inner, key);
    for (const Variable& z : moves()) {
      moved.remember("cold." + z.name, moved[z]);
      moved.set(z, reshape(slice(moved.recall("tempering.of." + z.name), 1, 0, 1), moved[z].shape()));
    }
    return moved;
  }

 private:
  const ParallelTempering& move_;
};

TEST(ParallelTemperingTest, HotterReplicasAreExactToo) {
  if (is_guarded()) GTEST_SKIP() << "many draws; moves of slices are tested on every device";
  const Bimodal target;
  const ParallelTempering move(Metropolis({target.v, target.h}, {.proposals = 4}),
                               {.ladder = {0.3, 0.6, 1.0}});
  const MomentErrors errors =
      moment_errors(Hottest(move), target.graph, target.start(), target.exact(0.3), {target.v, target.h},
                    {.burn_in = 50, .draws = 500, .key = Key(4)});
  EXPECT_LT(errors.worst, kErrors);
  EXPECT_GE(errors.effective_samples, kEffective);
}

void expect_same(const State& a, const State& b, double tolerance) {
  ASSERT_EQ(a.memory().size(), b.memory().size());
  for (const auto& [name, value] : a.memory())
    EXPECT_LT(largest_difference(value.tensor(), b.recall(name).tensor()), tolerance) << name;
}

TEST(ParallelTemperingTest, FusedEqualsDerived) {
  for (const Domain visible : {Domain::Binary, Domain::Categorical}) {
    for (const Domain hidden : {Domain::Binary, Domain::Categorical}) {
      for (const bool first : {true, false}) {
        const Pair pair = bipartite(visible, hidden, Precision::PerUnit, first);
        const State start = State()
                                .in({.first_row = 3})
                                .set(pair.v, samples(pair.v, 6, Key(1)))
                                .set(pair.h, samples(pair.h, 6, Key(2)));
        for (const std::vector<Block>& blocks :
             {std::vector<Block>{{pair.h}, {pair.v}}, std::vector<Block>{{pair.v}, {pair.h}}}) {
          ParallelTemperingOptions options{.ladder = even_ladder(0.0, 4), .moves = 2, .burn_in = 2};
          const ParallelTempering fused(BlockGibbs(blocks), options);
          options.fuse = Fuse::Off;
          const ParallelTempering derived(BlockGibbs(blocks), options);
          ASSERT_EQ(fused.rules(pair.graph), Rules{"tempered_bipartite"});
          ASSERT_TRUE(derived.rules(pair.graph).empty());
          const State a = iterate(fused, pair.graph, start, 4, Key(5)),
                      b = iterate(derived, pair.graph, start, 4, Key(5));
          expect_same(a, b, 1e-10);
          for (const Variable& variable : {pair.v, pair.h})
            EXPECT_EQ(a[variable].tensor().values(), b[variable].tensor().values());
        }
      }
    }
  }
  // A scale of its own changes no variance in the kernel: such units go by the derivatives.
  const Pair real = bipartite(Domain::Real, Domain::Binary);
  EXPECT_TRUE(ParallelTempering(BlockGibbs({{real.h}, {real.v}})).rules(real.graph).empty());
  EXPECT_TRUE(ParallelTempering(Metropolis({real.h})).rules(real.graph).empty());
}

TEST(ParallelTemperingTest, ASliceMovesAsTheWholeWould) {
  const Bimodal target;
  const ParallelTempering move(target.sweep, {.ladder = even_ladder(0.1, 3), .burn_in = 3});
  const State start =
      State().set(target.v, samples(target.v, 5, Key(1))).set(target.h, samples(target.h, 5, Key(2)));
  State part = State().in({.first_row = 3});
  for (const Variable& variable : {target.v, target.h})
    part.set(variable, start[variable].tensor().rows(3, 5));
  const State whole = iterate(move, target.graph, start, 5, Key(1)),
              slice = iterate(move, target.graph, part, 5, Key(1));
  for (const auto& [name, value] : slice.memory())
    EXPECT_EQ(value.tensor().values(), whole.recall(name).tensor().rows(3, 5).values()) << name;
  EXPECT_EQ(slice[target.v].tensor().values(), whole[target.v].tensor().rows(3, 5).values());
}

// As persistent chains beside clamped variables are, of samples that come for the first time.
TEST(ParallelTemperingTest, ChainsWhoseMemoryIsZeroBeginAsOthersDo) {
  FactorGraph graph;
  const Variable x = graph.binary("x", {2}), v = graph.categorical("v", {1, 3}), h = graph.binary("h", {3});
  graph.add(Bias(v)).add(Bilinear(v, h, Key(1))).add(Bilinear(x, h, Key(2)));
  randomise(graph, Key(3));
  const ParallelTempering move(BlockGibbs({{h}, {v}}), {.ladder = even_ladder(0.1, 3), .burn_in = 2});
  const State start =
      State().set(x, samples(x, 4, Key(4))).set(v, samples(v, 4, Key(5))).set(h, samples(h, 4, Key(6)));
  const State begun = move(graph, start, Key(7));
  State mixed = start;  // rows 0 and 1 have begun
  for (const auto& [name, value] : begun.memory())
    mixed.remember(name, concat({slice(value, 0, 0, 2), zeros_like(slice(value, 0, 2, 4))}, 0));
  const State end = move(graph, mixed, Key(8)), fresh = move(graph, start, Key(8));
  for (const auto& [name, value] : fresh.memory())
    EXPECT_EQ(end.recall(name).tensor().rows(2, 4).values(), value.tensor().rows(2, 4).values()) << name;
  EXPECT_EQ(end[v].tensor().rows(2, 4).values(), fresh[v].tensor().rows(2, 4).values());
}

TEST(ParallelTemperingTest, AdaptedLaddersSwapEquallyOften) {
  if (is_guarded()) GTEST_SKIP() << "many draws; moves of slices are tested on every device";
  // A ladder far too wide at one end, on a target whose energy varies most at high temperatures.
  const Bimodal target;
  const std::vector<double> given{0.02, 0.9, 0.95, 1.0};
  const auto spread = [&](Index burn_in) {
    const ParallelTempering move(target.sweep, {.ladder = given, .burn_in = burn_in});
    State state = iterate(move, target.graph, target.start(400), 300, Key(1));
    // Counts from here on alone.
    for (const char* name : {"tempering.swaps", "tempering.calls"})
      state.remember(name,
                     zeros_like(state.recall(name)) + (std::string(name) == "tempering.calls" ? 300.0 : 0.0));
    const State end = iterate(move, target.graph, state, 100, Key(2));
    const std::vector<double> ladder = burn_in > 0 ? end.recall("tempering.ladder").tensor().values() : given;
    EXPECT_EQ(ladder[0], 0.02);
    EXPECT_EQ(ladder[3], 1.0);
    double low = INFINITY, high = 0.0;
    for (Index k = 0; k < 3; ++k) {
      const double swaps = sum(slice(end.recall("tempering.swaps"), 1, k, k + 1)).item() / (400.0 * 50.0);
      low = std::min(low, swaps);
      high = std::max(high, swaps);
    }
    if (burn_in > 0) {  // it has come to rest
      EXPECT_EQ(largest_difference(end.recall("tempering.ladder").tensor(),
                                   state.recall("tempering.ladder").tensor()),
                0.0);
    }
    return high - low;
  };
  EXPECT_GT(spread(0), 0.4);
  EXPECT_LT(spread(250), 0.2);
}

// Always the guard device, which counts.
TEST(ParallelTemperingTest, NothingWaitsForTheDevice) {
  const Placement placement{Dtype::F32, Device::Guard};
  const Pair pair = bipartite(Domain::Binary, Domain::Binary);
  pair.graph.to(placement);
  const State start = State()
                          .set(pair.v, samples(pair.v, 3, Key(1)).to(placement))
                          .set(pair.h, samples(pair.h, 3, Key(1)).to(placement));
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    const ParallelTempering move(BlockGibbs({{pair.h}, {pair.v}}),
                                 {.ladder = even_ladder(0.0, 4), .burn_in = 2, .fuse = fuse});
    const State begun = move(pair.graph, start, Key(1));  // probes once
    const std::uint64_t before = guard_work().downloads;
    iterate(move, pair.graph, begun, 3, Key(2));
    EXPECT_EQ(guard_work().downloads, before);
  }
}

// Two wells of a real number, apart by more than Langevin steps cross.
TEST(ParallelTemperingTest, TakesAnyTransition) {
  FactorGraph graph;
  const Variable x = graph.real("x", {1});
  graph.add(Formula({x}, [=](const State& s) { return 10.0 * square(square(s[x]) - 1.0); }));
  const State start = State().set(x, Tensor::full({400, 1}, 1.0, f64()));
  const Langevin inner({x}, {.step = 0.004});
  const auto left = [&](const Transition& move) {
    const State end = iterate(move, graph, start, 150, Key(1));
    return mean(step(-1.0 * end[x])).item();
  };
  EXPECT_LT(left(inner), 0.01);
  EXPECT_GT(left(ParallelTempering(inner, {.ladder = geometric_ladder(0.05, 5), .moves = 5})), 0.3);
}

TEST(ParallelTemperingTest, BadLaddersAndStatesAreErrors) {
  const Bimodal target;
  const auto refused = [&](const std::vector<double>& ladder) {
    return error_of([&] { ParallelTempering(target.sweep, {.ladder = ladder}); });
  };
  for (const std::vector<double>& ladder : {std::vector<double>{},
                                            {1.0},
                                            {0.5, 0.4, 1.0},
                                            {0.5, 0.5, 1.0},
                                            {0.5, 0.9},
                                            {-0.1, 1.0},
                                            {0.5, NAN, 1.0},
                                            {0.5, 1.0, 1.2}})
    EXPECT_TRUE(contains(refused(ladder),
                         "[ParallelTempering] expected at least two inverse temperatures that rise"));
  EXPECT_TRUE(contains(refused({0.5, 0.4, 1.0}), "received {0.5, 0.4, 1}"));
  EXPECT_TRUE(contains(error_of([&] { ParallelTempering(target.sweep, {.moves = 0}); }), "moves >= 1"));
  EXPECT_TRUE(contains(error_of([&] { even_ladder(0.5, 1); }), "at least 2"));
  EXPECT_TRUE(contains(error_of([&] { geometric_ladder(0.0, 3); }), "in (0, 1)"));
  const ParallelTempering move(target.sweep, {.ladder = even_ladder(0.0, 3)});
  const State begun = move(target.graph, target.start(2), Key(1));
  EXPECT_TRUE(contains(error_of([&] {
                         ParallelTempering(target.sweep, {.ladder = even_ladder(0.0, 4)})(target.graph, begun,
                                                                                          Key(1));
                       }),
                       "remembered replicas of"));
  State without;  // what the first block draws needs no value
  without.set(target.v, Tensor::zeros({2, 4}, f64()));
  EXPECT_EQ(move(target.graph, without, Key(1))[target.h].tensor().values(),
            begun[target.h].tensor().values());
  const ParallelTempering other(Metropolis({target.v, target.h}));
  EXPECT_TRUE(contains(error_of([&] { other(target.graph, without, Key(1)); }), "h has no value"));
}

TEST(SimulatedAnnealingTest, FindsTheLowestEnergy) {
  // A glass of twelve bits.
  FactorGraph graph;
  const Variable x = graph.binary("x", {12});
  const Value j = numbers(normal(Key(7), {144}, {Dtype::F64, Device::Cpu}).values(), {12, 12});
  graph.add(Formula({x}, [=](const State& s) {
    const Value spins = 2.0 * s[x] - 1.0;
    return matmul(spins, j) * spins;
  }));
  const State states = distribution(graph, {x}).states;
  const double lowest = -max(-graph.energy(states), 0).item();
  const State start = State().set(x, Tensor::zeros({50, 12}, f64()));
  const auto found = [&](const Transition& move) {
    const State end = move(graph, start, Key(1));
    const Value energy = graph.energy(end);
    EXPECT_LT(largest_difference(energy.tensor(), move.info(end).at("energy").tensor()), 1e-9);
    return sum(step(lowest + 1e-9 - energy)).item();
  };
  const SimulatedAnnealing by_flips(Metropolis({x}, {.proposals = 12}),
                                    {.temperatures = cooling(10.0, 0.3, 40)}),
      by_gradients(GibbsWithGradients({x}, {.proposals = 6}), {.temperatures = cooling(10.0, 0.3, 40)});
  EXPECT_GT(found(by_flips), 40.0) << "of 50";
  EXPECT_GT(found(by_gradients), 40.0);
  // The best that it met, also where it goes on to worse states.
  const SimulatedAnnealing hot(Metropolis({x}), {.temperatures = {100.0, 100.0, 100.0}});
  const State before = by_flips(graph, start, Key(1)), after = hot(graph, before, Key(2));
  EXPECT_LE(max(graph.energy(after) - graph.energy(before), 0).item(), 0.0);
}

TEST(SimulatedAnnealingTest, BadSchedulesAreErrors) {
  FactorGraph graph;
  const Variable x = graph.binary("x", {2});
  const auto refused = [&](const std::vector<double>& temperatures) {
    return error_of([&] { SimulatedAnnealing(Metropolis({x}), {.temperatures = temperatures}); });
  };
  for (const std::vector<double>& temperatures :
       {std::vector<double>{}, {1.0, 2.0}, {1.0, 0.0}, {INFINITY, 1.0}, {1.0, NAN}})
    EXPECT_TRUE(contains(refused(temperatures), "temperatures > 0 that do not rise"));
  EXPECT_TRUE(contains(error_of([&] { SimulatedAnnealing(Metropolis({x}), {.moves = 0}); }), "moves >= 1"));
  EXPECT_TRUE(contains(error_of([&] { cooling(1.0, 2.0, 3); }), "that fall"));
}

}  // namespace
}  // namespace basin::test
