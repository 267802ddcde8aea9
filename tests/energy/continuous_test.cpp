#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "energy/factors/penalties/box.h"
#include "energy/factors/quadratic.h"
#include "energy/sample/continuous/hmc.h"
#include "energy/sample/continuous/langevin.h"
#include "energy/sample/continuous/mala.h"
#include "energy/sample/continuous/nuts.h"
#include "energy/sample_ops.h"
#include "gaussian_targets.h"

namespace basin::test {
namespace {

/// Three correlated units in two variables.
GaussianTarget correlated() {
  return gaussian_target({2, 1}, {1.0, 0.0, 0.0, -0.4, 1.1, 0.0, 0.3, 0.4, 0.9}, {0.5, -1.0, 2.0}, f64());
}

State zeros(const Block& block, Index rows, Placement placement = f64()) {
  State state;
  for (const Variable& variable : block)
    state.set(variable, Tensor::zeros(batched(variable, rows), placement));
  return state;
}

constexpr double kErrors = 4.0;  // standard errors; of a dozen moments one run in 1,300 is further off
const SampleOptions kRun{.burn_in = 40, .draws = 40, .key = Key(11)};
const SampleOptions kFew{.burn_in = 20, .draws = 20, .key = Key(13)};
constexpr Index kRows = 1000;

TEST(ContinuousTest, ExactTransitionsHaveTheMomentsOfAGaussian) {
  if (is_guarded()) GTEST_SKIP() << "thousands of moves take a minute on guarded pages";
  const GaussianTarget target = correlated();
  const State start = zeros(target.block, kRows);
  const auto passes = [&](const Transition& transition, SampleOptions options = kRun) {
    const Verdict found = verdict(target, transition, start, options);
    EXPECT_LT(found.worst, kErrors) << transition.name();
    EXPECT_GE(found.samples, 1e4) << transition.name();
  };
  passes(Mala(target.block, {.step = 0.5}), {.burn_in = 60, .draws = 60, .thin = 2, .key = Key(12)});
  passes(Hmc(target.block, {.step = 0.5, .leapfrogs = 3}));
  passes(Hmc(target.block, {.step = 0.2, .leapfrogs = 3, .tune = {.moves = 30}}));
  passes(Hmc(target.block, {.step = 0.5,
                            .leapfrogs = 3,
                            .variances = {{"x", numbers({0.8, 0.7}, {2})}, {"y", numbers({1.5}, {1})}}}));
  passes(Nuts(target.block, {.step = 0.6}), kFew);
  passes(Nuts(target.block, {.step = 0.4,
                             .max_depth = 5,
                             .variances = {{"y", numbers({1.5}, {1})}},
                             .tune = {.moves = 20, .target = 0.7}}),
         kFew);
}

/// Leapfrog steps with an acceptance of their own.
class Proposing final : public Transition {
 public:
  enum class Rule { Right, NoKinetic, Always };
  Proposing(Block moved, double step, Index leapfrogs, Rule rule)
      : moved_("Proposing", std::move(moved)), step_(step), leapfrogs_(leapfrogs), rule_(rule) {}
  std::string name() const override { return "Proposing"; }
  Block moves() const override { return moved_.variables(); }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override {
    const Hamiltonian hamiltonian(moved_, graph, state, {});
    const Particle start = hamiltonian.start(key.fold("momentum"));
    Particle end = start;
    for (Index i = 0; i < leapfrogs_; ++i)
      end = hamiltonian.leapfrog(end, Tensor::full({state.batch(), 1}, step_, state.placement()));
    const Value fall = rule_ == Rule::NoKinetic ? start.potential.energy - end.potential.energy
                                                : hamiltonian.energy(start) - hamiltonian.energy(end);
    Value accepted = step(acceptance_of(fall) - RealBlock::uniforms(state, key.fold("accept")));
    if (rule_ == Rule::Always) accepted = ones_like(accepted);
    return moved_.with(graph, state, choose(accepted, end.position, start.position));
  }

 private:
  RealBlock moved_;
  double step_;
  Index leapfrogs_;
  Rule rule_;
};

TEST(ContinuousTest, AWrongAcceptanceFailsTheSameTest) {
  if (is_guarded()) GTEST_SKIP() << "thousands of moves take a minute on guarded pages";
  const GaussianTarget target = correlated();
  const State start = zeros(target.block, kRows);
  const auto worst = [&](Index leapfrogs, Proposing::Rule rule) {
    return verdict(target, Proposing(target.block, 0.7, leapfrogs, rule), start, kRun).worst;
  };
  EXPECT_LT(worst(2, Proposing::Rule::Right), kErrors);
  EXPECT_GT(worst(2, Proposing::Rule::NoKinetic), 3.0 * kErrors);
  EXPECT_GT(worst(2, Proposing::Rule::Always), 3.0 * kErrors);
  EXPECT_GT(worst(1, Proposing::Rule::NoKinetic), 3.0 * kErrors);  // Mala without the ratio of its proposals
}

TEST(ContinuousTest, TheAcceptanceOfMalaIsThatOfItsProposal) {
  const GaussianTarget target = correlated();
  constexpr Index kFew = 20;
  constexpr double kStep = 0.4;
  State start;
  for (const Variable& variable : target.block)
    start.set(variable, normal(Key(1).fold(variable.name), batched(variable, kFew), f64()));
  const Mala mala(target.block, {.step = kStep});
  const State end = mala(target.graph, start, Key(2));
  const RealBlock block("test", target.block);
  const Value x = block.vector(start);
  const Potential at = block.potential(target.graph, start, x);
  // The proposals, from the same normals.
  const Value proposal = x - kStep * at.slope +
                         std::sqrt(2.0 * kStep) * block.normals(target.graph, start, Key(2).fold("momentum"));
  const Potential there = block.potential(target.graph, start, proposal);
  const auto log_q = [&](const Value& to, const Value& from, const Value& slope) {
    return -1.0 / (4.0 * kStep) * sum_per_sample(square(to - from + kStep * slope));
  };
  const Value ratio =
      at.energy - there.energy + log_q(x, proposal, there.slope) - log_q(proposal, x, at.slope);
  const std::vector<double> expected = ratio.tensor().values(),
                            found = mala.info(end).at("acceptance").tensor().values(),
                            moved = block.vector(end).tensor().values(), from = x.tensor().values(),
                            to = proposal.tensor().values();
  const std::vector<double> u = RealBlock::uniforms(start, Key(2).fold("accept")).tensor().values();
  std::size_t accepted = 0;
  for (std::size_t n = 0; n < kFew; ++n) {
    EXPECT_NEAR(found[n], std::min(1.0, std::exp(expected[n])), 1e-12);
    accepted += u[n] < found[n];
    for (std::size_t i = 3 * n; i < 3 * n + 3; ++i)
      EXPECT_NEAR(moved[i], u[n] < found[n] ? to[i] : from[i], 1e-12);
  }
  EXPECT_TRUE(accepted > 5 && accepted < kFew);
  EXPECT_NEAR(mala.info(end).at("step_size").tensor().values()[0], kStep, 1e-12);
}

TEST(ContinuousTest, LeapfrogStepsCanBeTakenBackAndKeepEnergyToSecondOrder) {
  const GaussianTarget target = correlated();
  const State start = State()
                          .set(target.block[0], normal(Key(1), {5, 2}, f64()))
                          .set(target.block[1], normal(Key(2), {5, 1}, f64()));
  const RealBlock block("test", target.block);
  const Variances variances{{"x", numbers({0.5, 2.0}, {2})}};
  const Hamiltonian hamiltonian(block, target.graph, start, variances);
  const Particle begin = hamiltonian.start(Key(3));
  const auto error = [&](Index steps, double time) {
    Particle end = begin;
    for (Index i = 0; i < steps; ++i) end = hamiltonian.leapfrog(end, Tensor::full({5, 1}, time, f64()));
    const Value change = max(abs(hamiltonian.energy(end) - hamiltonian.energy(begin)), 0);
    for (Index i = 0; i < steps; ++i) end = hamiltonian.leapfrog(end, Tensor::full({5, 1}, -time, f64()));
    EXPECT_LT(max(max(abs(end.position - begin.position), 1), 0).item(), 1e-12);
    EXPECT_LT(max(max(abs(end.momentum - begin.momentum), 1), 0).item(), 1e-12);
    return change.item();
  };
  const double coarse = error(10, 0.1), fine = error(40, 0.025);
  EXPECT_NEAR(coarse / fine, 16.0, 2.0);
}

TEST(ContinuousTest, TuningFindsTheAcceptanceThatIsSoughtAndThenStops) {
  if (is_guarded()) GTEST_SKIP() << "thousands of moves take a minute on guarded pages";
  // Many units, so that acceptance falls gently with the step.
  FactorGraph graph;
  const Variable x = graph.real("x", {60});
  graph.add(Quadratic(x, {.precision = Precision::Fixed, .log_precision = 1.0}));
  const State start = zeros({x}, 100);
  for (const double first : {0.01, 3.0}) {
    const Hmc hmc({x}, {.step = first, .leapfrogs = 3, .jitter = 0.0, .tune = {.moves = 120}});
    EXPECT_EQ(hmc.adapting(start), 120);
    const SampleRun run = sample(hmc, graph, start, {.burn_in = 120, .draws = 20, .key = Key(5)});
    EXPECT_NEAR(run.mean_info("acceptance"), 0.8, 0.06) << first;
    const Tensor steps = run.info.at("step_size");
    EXPECT_EQ(steps.rows(0, 1).values(), steps.rows(19, 20).values());
    EXPECT_EQ(hmc.adapting(run.state), 0);
    EXPECT_EQ(run.mean_info("divergent"), 0.0);
  }
  EXPECT_TRUE(
      contains(error_of([&] { sample(Nuts({x}, {.tune = {.moves = 10}}), graph, start, {.draws = 8}); }),
               "[sample] Nuts({x}) tunes itself for 10 moves"));
}

TEST(ContinuousTest, ChainsThatBeginLaterTuneStepsOfTheirOwn) {
  const GaussianTarget target = correlated();
  const Hmc hmc(target.block, {.step = 0.3, .jitter = 0.0, .tune = {.moves = 4}});
  State state = iterate(hmc, target.graph, zeros(target.block, 3), 9, Key(1));
  EXPECT_EQ(hmc.adapting(state), 0);
  // As persistent chains do with one of a sample that comes for the first time: what is remembered is 0.
  const State held = state;
  for (const auto& [name, value] : held.memory()) state.remember(name, numbers({1, 0, 1}, {3}) * value);
  EXPECT_EQ(hmc.adapting(state), 4);
  const std::vector<double> before = hmc.info(iterate(hmc, target.graph, zeros(target.block, 3), 9, Key(1)))
                                         .at("step_size")
                                         .tensor()
                                         .values();
  const std::vector<double> after =
      hmc.info(hmc(target.graph, state, Key(2))).at("step_size").tensor().values();
  EXPECT_EQ(after[0], before[0]);
  EXPECT_NEAR(after[1], 0.3, 1e-12);
  EXPECT_EQ(after[2], before[2]);
}

TEST(ContinuousTest, ASliceMovesAsTheWholeWould) {
  const GaussianTarget target = correlated();
  const Tensor x = normal(Key(4), {6, 2}, f64()), y = normal(Key(5), {6, 1}, f64());
  const auto moved = [&](const Transition& transition, Index begin, Index end) {
    State state = State().in({.first_row = begin});
    state.set(target.block[0], x.rows(begin, end)).set(target.block[1], y.rows(begin, end));
    return units_of(target.block, iterate(transition, target.graph, state, 5, Key(6))).tensor();
  };
  const Mala mala(target.block, {.step = 0.3, .tune = {.moves = 3}});
  const Hmc hmc(target.block, {.step = 0.3, .tune = {.moves = 3}});
  const Nuts nuts(target.block, {.step = 0.3, .tune = {.moves = 3}});
  for (const Transition* transition :
       {static_cast<const Transition*>(&mala), static_cast<const Transition*>(&hmc),
        static_cast<const Transition*>(&nuts)}) {
    const std::vector<double> whole = moved(*transition, 0, 6).rows(2, 5).values(),
                              part = moved(*transition, 2, 5).values();
    for (std::size_t i = 0; i < part.size(); ++i) EXPECT_NEAR(part[i], whole[i], 1e-9) << transition->name();
  }
}

TEST(ContinuousTest, ADivergenceIsSaidAndRefused) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2});
  graph.add(Quadratic(x, {.precision = Precision::Fixed, .log_precision = 0.0}));
  // Row 0 begins where a long step gains little, row 1 far out: it comes to 1e6 times its energy.
  const State start = State().set(x, numbers({0.0, 0.0, 50.0, -50.0}, {2, 2}));
  const Hmc hmc({x}, {.step = 30.0, .leapfrogs = 2, .jitter = 0.0});
  const State after = hmc(graph, start, Key(1));
  EXPECT_EQ(hmc.info(after).at("divergent").tensor().values()[1], 1.0);
  EXPECT_EQ(after[x].tensor().rows(1, 2).values(), start[x].tensor().rows(1, 2).values());
  const Nuts nuts({x}, {.step = 30.0});
  const State end = nuts(graph, start, Key(1));
  EXPECT_EQ(nuts.info(end).at("divergent").tensor().values()[1], 1.0);
  EXPECT_EQ(nuts.info(end).at("depth").tensor().values()[1], 0.0);
  EXPECT_EQ(nuts.info(end).at("gradients").tensor().values()[1], 1.0);
  // An energy that is no number away from the start.
  FactorGraph roots;
  const Variable z = roots.real("z", {1});
  roots.add(Network(Function([](const Value& at, const Context&) { return log(at) * 50.0; }), {z}));
  const State one = State().set(z, Tensor::full({40, 1}, 1.0, f64()));
  for (const double first : {0.1, 5.0}) {
    const Nuts walk({z}, {.step = first});
    const State there = iterate(walk, roots, one, 3, Key(2));
    for (const double value : there[z].tensor().values()) EXPECT_GT(value, 0.0);
  }
}

TEST(ContinuousTest, WallsAreFeltByExactMovesAndRefusedByOthers) {
  FactorGraph graph;
  const Variable x = graph.real("x", {1});
  graph.add(Quadratic(x, {.precision = Precision::Fixed, .log_precision = 0.0})).add(Box(x, -0.5, 1.0));
  const State start = zeros({x}, 2000);
  EXPECT_TRUE(contains(error_of([&] { Langevin({x})(graph, start, Key(1)); }), "walls"));
  const Moments truth = quadrature(graph, x, {}, -0.5, 1.0);
  const auto mean = [&](const FactorGraph&, const State& state) {
    return sum_per_sample(state[x].detached());
  };
  const SampleRun run = sample(Hmc({x}, {.step = 0.4, .leapfrogs = 3}), graph, start,
                               {.burn_in = 50, .draws = 50, .key = Key(3), .watch = {{"x", mean}}});
  const Mixing found = run.mixing("x");
  EXPECT_NEAR(found.mean, truth.mean, kErrors * found.standard_error);
  EXPECT_GT(found.effective_samples, 1e4);
}

TEST(ContinuousTest, WhatCannotBeMovedIsAnError) {
  FactorGraph graph;
  const Variable b = graph.binary("b", {2}), x = graph.real("x", {2}), z = graph.non_negative("z", {2});
  EXPECT_TRUE(
      contains(error_of([&] { Hmc({b}); }), "[Hmc] expected real variables, received b, which is binary"));
  EXPECT_TRUE(contains(error_of([&] { Nuts({z}); }), "logarithm"));
  EXPECT_TRUE(contains(error_of([&] { Mala({x, x}); }), "twice"));
  EXPECT_TRUE(contains(error_of([&] { Nuts({}); }), "received none"));
  for (const double step : {0.0, -1.0, double{NAN}, double{INFINITY}}) {
    EXPECT_TRUE(contains(error_of([&] { Mala({x}, {.step = step}); }), "[Mala] expected a finite step > 0"));
    EXPECT_TRUE(contains(error_of([&] { Hmc({x}, {.step = step}); }), "[Hmc] expected a finite step > 0"));
    EXPECT_TRUE(contains(error_of([&] { Nuts({x}, {.step = step}); }), "[Nuts] expected a finite step > 0"));
  }
  EXPECT_TRUE(contains(error_of([&] { Mala({x}, {.step = -1.0}); }), "received -1"));
  EXPECT_TRUE(contains(error_of([&] { Hmc({x}, {.leapfrogs = 0}); }), "leapfrogs >= 1"));
  EXPECT_TRUE(contains(error_of([&] { Hmc({x}, {.jitter = 1.0}); }), "jitter < 1"));
  EXPECT_TRUE(contains(error_of([&] { Nuts({x}, {.max_depth = 0}); }), "max_depth"));
  EXPECT_TRUE(contains(error_of([&] { Nuts({x}, {.tune = {.moves = 5, .target = 1.0}}); }), "target < 1"));
  EXPECT_TRUE(contains(error_of([&] {
                         Hmc({x}, {.variances = {{"b", numbers({1, 1}, {2})}}});
                       }),
                       "those of b"));
  EXPECT_TRUE(contains(error_of([&] { Hmc({x}, {.variances = {{"x", numbers({1}, {1})}}}); }), "shape [2]"));
  EXPECT_TRUE(contains(error_of([&] { Hmc({x}, {.variances = {{"x", numbers({1, 0}, {2})}}}); }), "> 0"));
  EXPECT_TRUE(contains(error_of([&] { Langevin({x}, {.clip = 0.0}); }), "clip > 0"));
  EXPECT_TRUE(contains(error_of([&] { Langevin({x})(graph, zeros({x}, 2), Key(1)); }), "add factors"));
}

}  // namespace
}  // namespace basin::test
