#include "energy/objectives/contrast/contrast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <condition_variable>
#include <future>
#include <mutex>
#include <utility>

#include "autograd/ops.h"
#include "bipartite_graphs.h"
#include "energy/factors/tempered.h"
#include "energy/marginal/bipartite.h"
#include "energy/marginal/conditional.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/objectives/sum_objective.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample_ops.h"

namespace basin::test {
namespace {

/// x - h - y: a model of y given x with latents.
struct Conditioned {
  FactorGraph graph;
  Variable x, y, h;
};

Conditioned conditioned() {
  Conditioned made;
  made.x = made.graph.binary("x", {3});
  made.y = made.graph.categorical("y", {3});
  made.h = made.graph.binary("h", {2});
  made.graph.add(Bias(made.y)).add(Bias(made.h));
  made.graph.add(Bilinear(made.x, made.h, Key(1))).add(Bilinear(made.y, made.h, Key(2)));
  randomise(made.graph, Key(3));
  return made;
}

State batch_of(const Conditioned& made, std::vector<double> ids = {}) {
  State batch = State().set(made.x, numbers({1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1}, {4, 3}));
  batch.set(made.y, numbers({1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0}, {4, 3}));
  Context context;
  if (!ids.empty()) context.ids = Tensor::from(ids, {4}, {Dtype::F64, Device::Cpu});
  return batch.in(context);
}

std::vector<std::vector<double>> all_of(const Evaluation& evaluation, const FactorGraph& graph) {
  std::vector<std::vector<double>> all;
  const std::vector<Parameter> parameters = graph.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i)
    all.push_back(evaluation.gradients[i].to_tensor(parameters[i].tensor().shape()).values());
  return all;
}

void expect_near(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b,
                 double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].size(), b[i].size());
    for (std::size_t j = 0; j < a[i].size(); ++j) EXPECT_NEAR(a[i][j], b[i][j], tolerance) << i << " " << j;
  }
}

TEST(ContrastTest, ConditionalLikelihoodWithLatentsIsThatOfEnumeration) {
  const Conditioned made = conditioned();
  const State batch = batch_of(made);
  Carry carry;
  const double loss =
      ConditionalLikelihood({made.y}).evaluate(made.graph, batch, carry, Key(0)).metrics.at("loss");
  double expected = 0.0;
  for (Index n = 0; n < 4; ++n) {
    const State x = State().set(made.x, batch[made.x].tensor().rows(n, n + 1));
    const State xy = State(x).set(made.y, batch[made.y].tensor().rows(n, n + 1));
    expected += (distribution(made.graph, {made.y, made.h}, x).log_total -
                 distribution(made.graph, {made.h}, xy).log_total) /
                4.0;
  }
  EXPECT_NEAR(loss, expected, 1e-12);
}

// Chains of y given each x, many of each: the exact conditional gradient in expectation.
TEST(ContrastTest, ChainsOfSamplesKeepWhatIsClamped) {
  constexpr Index kChains = 500;
  const Conditioned made = conditioned();
  Carry carry;
  const Evaluation exact =
      ConditionalLikelihood({made.y}).evaluate(made.graph, batch_of(made), carry, Key(0));
  const Chains chains(BlockGibbs({{made.h}, {made.y}}), {.steps = 20, .persistent = kChains});
  const Contrast contrast({made.y}, chains);
  const Evaluation sampled = contrast.evaluate(made.graph, batch_of(made, {5, 0, 2, 9}), carry, Key(1));
  EXPECT_EQ(carry.at("particles.y").shape(), (Shape{10 * kChains, 3}));
  EXPECT_EQ(carry.at("chains.begun").values(), (std::vector<double>{1, 0, 1, 0, 0, 1, 0, 0, 0, 1}));
  expect_near(all_of(exact, made.graph), all_of(sampled, made.graph), 4.0 * 0.5 / std::sqrt(4.0 * kChains));
}

TEST(ContrastTest, ChainsOfASampleAreFoundAgainInAnotherOrder) {
  const Conditioned made = conditioned();
  const Contrast still({made.y}, Chains(BlockGibbs({{made.h}, {made.y}}), {.persistent = 1}));
  Carry carry;
  still.evaluate(made.graph, batch_of(made, {0, 1, 2, 3}), carry, Key(1));
  Carry before;
  for (const auto& [name, tensor] : carry) before[name] = tensor.clone();
  // One sample of another set comes first; those of before are two and three. Moves of row n draw as row n.
  still.evaluate(made.graph, batch_of(made, {4, 0, 1, 5}), carry, Key(2));
  const Tensor held = before.at("particles.y");
  EXPECT_EQ(carry.at("particles.y").rows(2, 4).values(), held.rows(2, 4).values());
  State by_hand = State().set(made.x, batch_of(made)[made.x]);
  by_hand.set(made.y, concat({Value(held.rows(3, 4)), Value(held.rows(0, 2)), Value(held.rows(3, 4))}, 0));
  const State moved = iterate(BlockGibbs({{made.h}, {made.y}}), made.graph, by_hand, 1, Key(2).fold("gibbs"));
  EXPECT_EQ(carry.at("particles.y").rows(0, 2).values(), moved[made.y].tensor().rows(1, 3).values());
  const std::string error = error_of([&] { still.evaluate(made.graph, batch_of(made), carry, Key(3)); });
  EXPECT_TRUE(contains(error, "numbers of the samples")) << error;
}

// Several chains of h a sample given x and y, then what follows in the negative phase.
TEST(ContrastTest, ManyPersistentChainsInThePositivePhase) {
  const Conditioned made = conditioned();
  const Chains positive(BlockGibbs({{made.h}}), {.persistent = 2});
  const BlockGibbs sweep({{made.h}, {made.y}});
  const State batch = batch_of(made, {0, 1, 2, 3});
  Carry carry;
  const Evaluation evaluation =
      Contrast({made.y}, positive, Chains(sweep)).evaluate(made.graph, batch, carry, Key(1));
  State state = State().set(made.x, replicated(batch[made.x], 2));
  state.set(made.h, carry.at("positive.particles.h"));
  const Value error = replicated(batch[made.y], 2) - conditional(made.graph, {made.y}, state).front().mean();
  EXPECT_NEAR(evaluation.metrics.at("reconstruction_error"), sum(square(error)).item() / 8.0, 1e-12);
  Carry other;
  const std::string refused = error_of([&] {
    Contrast({made.y}, positive, Chains(sweep, {.persistent = 1})).evaluate(made.graph, batch, other, Key(1));
  });
  EXPECT_TRUE(contains(refused, "one row a sample")) << refused;
}

struct Deep {
  FactorGraph graph;
  Variable v, h1, h2;
};

Deep deep() {
  Deep made;
  made.v = made.graph.binary("v", {3});
  made.h1 = made.graph.binary("h1", {2});
  made.h2 = made.graph.binary("h2", {2});
  made.graph.add(Bias(made.v)).add(Bias(made.h1)).add(Bias(made.h2));
  made.graph.add(Bilinear(made.v, made.h1, Key(1))).add(Bilinear(made.h1, made.h2, Key(2)));
  randomise(made.graph, Key(3));
  return made;
}

// Sampled phases of a deep Boltzmann machine, each row its own chain, against enumeration.
TEST(ContrastTest, BothPhasesMayBeSampled) {
  constexpr Index kRows = 1500;
  const Deep made = deep();
  std::vector<double> data;
  for (Index n = 0; n < kRows; ++n) data.insert(data.end(), {n % 2 == 0 ? 1.0 : 0.0, 1.0, 0.0});
  const State batch = State().set(made.v, numbers(data, {kRows, 3}));
  Carry carry;
  const Evaluation exact = ExactLikelihood({made.v}).evaluate(made.graph, batch, carry, Key(0));
  const Contrast sampled(
      {made.v}, Chains(BlockGibbs({{made.h1}, {made.h2}}), {.steps = 20}),
      Chains(BlockGibbs({{made.h1}, {made.v, made.h2}}), {.steps = 30, .persistent = kRows}));
  const Evaluation evaluation = sampled.evaluate(made.graph, batch, carry, Key(4));
  expect_near(all_of(exact, made.graph), all_of(evaluation, made.graph),
              4.0 * 0.5 * std::sqrt(2.0) / std::sqrt(static_cast<double>(kRows)));
  EXPECT_TRUE(carry.contains("particles.h2"));
  // One block eliminated, the rest sampled: the same expectation.
  const Contrast half({made.v}, Exact{},
                      Chains(BlockGibbs({{made.h1}, {made.v, made.h2}}),
                             {.steps = 30, .persistent = kRows, .eliminated = Block{made.h1}}));
  Carry other;
  expect_near(all_of(exact, made.graph), all_of(half.evaluate(made.graph, batch, other, Key(5)), made.graph),
              4.0 * 0.5 / std::sqrt(static_cast<double>(kRows)));
}

/// x <- x + p, p <- 0.9 p + a draw: a transition with a memory.
class Drift final : public Transition {
 public:
  explicit Drift(Variable x) : x_(std::move(x)) {}
  std::string name() const override { return "Drift"; }
  Block moves() const override { return {x_}; }
  State operator()(const FactorGraph&, const State& state, Key key) const override {
    const Value x = state[x_], old = state.recall("drift");
    const Value draw = normal(key, x.shape(), x.placement());
    const Value p = old.defined() ? 0.9 * old + draw : draw;
    State moved = state.with(x_, x + 0.1 * p);
    return moved.remember("drift", p);
  }

 private:
  Variable x_;
};

TEST(ContrastTest, TheCarryHoldsWhatATransitionRemembers) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2});
  graph.add(Bias(x)).add(Quadratic(x));
  randomise(graph, Key(1));
  const State batch = State().set(x, normal(Key(2), {3, 2}, f64()));
  const Contrast contrast({x}, Chains(Drift(x), {.steps = 2, .persistent = kAsBatch}));
  Carry carry;
  contrast.evaluate(graph, batch, carry, Key(3));
  contrast.evaluate(graph, batch, carry, Key(4));
  State by_hand = iterate(Drift(x), graph, batch, 2, Key(3).fold("gibbs"));
  by_hand = iterate(Drift(x), graph, by_hand, 2, Key(4).fold("gibbs"));
  EXPECT_EQ(carry.at("particles.x").values(), by_hand[x].tensor().values());
  EXPECT_EQ(carry.at("memory.drift").values(), by_hand.recall("drift").tensor().values());
}

TEST(ContrastTest, FrozenParametersHaveNoGradientAndOthersTheSame) {
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    for (const double centring : {0.0, 0.1}) {
      const Pair pair = bipartite(Domain::Real, Domain::Binary);
      const State batch = State().set(pair.v, samples(pair.v, 5, Key(1)));
      const Contrast cd = ContrastiveDivergence(pair.v, BlockGibbs({{pair.h}, {pair.v}}),
                                                {.centring = centring, .fuse = fuse});
      Carry one, two;
      const auto all = all_of(cd.evaluate(pair.graph, batch, one, Key(2)), pair.graph);
      for (std::size_t frozen = 0; frozen < all.size(); ++frozen) {
        EvaluateOptions options;
        options.wants.assign(all.size(), true);
        options.wants[frozen] = false;
        two.clear();
        const Evaluation evaluation = cd.evaluate(pair.graph, batch, two, Key(2), options);
        EXPECT_FALSE(evaluation.gradients[frozen].dense().defined());
        EXPECT_TRUE(evaluation.gradients[frozen].products().empty());
        for (std::size_t i = 0; i < all.size(); ++i) {
          if (i == frozen) continue;
          const Shape shape = pair.graph.parameters()[i].tensor().shape();
          EXPECT_EQ(evaluation.gradients[i].to_tensor(shape).values(), all[i]);
        }
      }
    }
  }
}

// Draws are those of the rows, so that slices of a batch add up to the whole.
TEST(ContrastTest, SlicesOfABatchAddUpToTheWhole) {
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    for (const bool persistent : {false, true}) {
      const Pair pair = bipartite(Domain::Binary, Domain::Categorical);
      const Tensor data = samples(pair.v, 6, Key(1));
      const Contrast cd = ContrastiveDivergence(pair.v, BlockGibbs({{pair.h}, {pair.v}}),
                                                {.steps = 2, .persistent = persistent, .fuse = fuse});
      Carry whole;
      const auto expected =
          all_of(cd.evaluate(pair.graph, State().set(pair.v, data), whole, Key(2)), pair.graph);
      std::vector<std::vector<double>> total(expected.size());
      for (const auto& [begin, end] : {std::pair<Index, Index>{0, 2}, {2, 6}}) {
        Carry own;
        const State slice = State().set(pair.v, data.rows(begin, end)).in({.first_row = begin});
        const auto gradients = all_of(cd.evaluate(pair.graph, slice, own, Key(2)), pair.graph);
        for (std::size_t i = 0; i < total.size(); ++i) {
          total[i].resize(gradients[i].size(), 0.0);
          for (std::size_t j = 0; j < total[i].size(); ++j)
            total[i][j] += gradients[i][j] * static_cast<double>(end - begin) / 6.0;
        }
      }
      expect_near(total, expected, 1e-12);
    }
  }
}

/// Means over the rows of two slices that are evaluated side by side.
class Meeting {
 public:
  void reduce(std::span<const Tensor> means, Index count) {
    std::unique_lock lock(mutex_);
    if (sums_.empty()) sums_.resize(means.size());
    for (std::size_t i = 0; i < means.size(); ++i) {
      std::vector<double> values = means[i].values();
      for (double& value : values) value *= static_cast<double>(count);
      sums_[i].resize(values.size(), 0.0);
      for (std::size_t j = 0; j < values.size(); ++j) sums_[i][j] += values[j];
    }
    rows_ += count;
    if (++here_ == 2) {
      whole_ = std::exchange(sums_, {});
      for (std::vector<double>& sum : whole_) {
        for (double& value : sum) value /= static_cast<double>(rows_);
      }
      here_ = 0;
      rows_ = 0;
      ++round_;
      both_.notify_all();
    } else {
      both_.wait(lock, [&, round = round_] { return round_ != round; });
    }
    for (std::size_t i = 0; i < means.size(); ++i)
      means[i].copy_from(Tensor::from(whole_[i], means[i].shape(), means[i].placement()));
  }

 private:
  std::mutex mutex_;
  std::condition_variable both_;
  std::vector<std::vector<double>> sums_, whole_;
  Index rows_ = 0;
  int here_ = 0, round_ = 0;
};

// Two processes with a slice each, whose means meet in the hook: what centring, sparsity and fast weights
// make of them, and keep in their carry, is what the whole batch would.
TEST(ContrastTest, SlicesWhoseMeansMeetAreTheWhole) {
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    const auto make = [] { return bipartite(Domain::Binary, Domain::Binary); };
    const ContrastiveDivergenceOptions options{.persistent = true,
                                               .fast_rate = 0.1,
                                               .centring = 0.2,
                                               .offsets = Offsets::Average,
                                               .sparsity = {.target = 0.1, .cost = 2.0},
                                               .fuse = fuse};
    const auto gradients = [&](Index begin, Index end, Meeting* meeting) {
      const Pair pair = make();
      const Contrast contrast = ContrastiveDivergence(pair.v, BlockGibbs({{pair.h}, {pair.v}}), options);
      EvaluateOptions how{.metrics = false};
      if (meeting != nullptr)
        how.reduce = [&](std::span<const Tensor> means, Index count) { meeting->reduce(means, count); };
      Carry carry;
      std::vector<std::vector<std::vector<double>>> steps;
      for (std::uint64_t step = 0; step < 3; ++step) {
        const Tensor data = samples(pair.v, 6, Key(1).fold(step));
        const State slice = State().set(pair.v, data.rows(begin, end)).in({.first_row = begin});
        steps.push_back(
            all_of(contrast.evaluate(pair.graph, slice, carry, Key(2).fold(step), how), pair.graph));
      }
      return steps;
    };
    const auto whole = gradients(0, 6, nullptr);
    Meeting meeting;
    auto other = std::async(std::launch::async, [&] { return gradients(0, 2, &meeting); });
    const auto one = gradients(2, 6, &meeting), two = other.get();
    for (std::size_t step = 0; step < 3; ++step) {
      expect_near(one[step], whole[step], 1e-12);
      expect_near(two[step], whole[step], 1e-12);
    }
  }
}

TEST(ContrastTest, OptionsThatContradictAreErrors) {
  const Deep made = deep();
  const MeanField means({made.h1, made.h2});
  const Chains chains(BlockGibbs({{made.h1}, {made.v, made.h2}}), {.persistent = 10});
  EXPECT_TRUE(contains(error_of([&] { Contrast({}, chains); }), "expected a variable"));
  EXPECT_TRUE(contains(error_of([&] {
                         const Chains sampled(BlockGibbs({{made.h1}, {made.h2}}));
                         Contrast({made.v}, sampled, chains, {.sparsity = {0.1, 1.0}});
                       }),
                       "sparsity"));
  EXPECT_TRUE(contains(error_of([&] { Chains(BlockGibbs({{made.h1}}), {.fast_rate = 0.1}); }), "persistent"));
  Carry carry;
  const State batch = State().set(made.v, numbers({1, 0, 0}, {1, 3}));
  const Contrast partial({made.v}, MeanField({made.h1}), chains);
  EXPECT_TRUE(contains(error_of([&] { partial.evaluate(made.graph, batch, carry, Key(0)); }), "h2 stays"));
  const Contrast stays({made.v}, means, Chains(BlockGibbs({{made.h1}, {made.v}})));
  EXPECT_TRUE(contains(error_of([&] { stays.evaluate(made.graph, batch, carry, Key(0)); }), "h2 stays"));
  const Contrast moves({made.v}, Chains(BlockGibbs({{made.h1}, {made.h2, made.v}})), chains);
  EXPECT_TRUE(contains(error_of([&] { moves.evaluate(made.graph, batch, carry, Key(0)); }), "v is clamped"));
  const Contrast other({made.h1}, means, chains);
  EXPECT_TRUE(contains(error_of([&] { other.evaluate(made.graph, batch, carry, Key(0)); }), "hold h1"));
}

TEST(SumObjectiveTest, IsTheWeightedSumWithCarriesOfItsOwn) {
  const Pair pair = bipartite(Domain::Binary, Domain::Binary);
  const State first = State().set(pair.v, samples(pair.v, 4, Key(1))),
              second = State().set(pair.v, samples(pair.v, 3, Key(2)));
  const Contrast pcd = ContrastiveDivergence(pair.v, BlockGibbs({{pair.h}, {pair.v}}), {.persistent = true});
  const Contrast cd = ContrastiveDivergence(pair.v, BlockGibbs({{pair.h}, {pair.v}}), {.steps = 2});
  const SumObjective sum({{1.0, pcd}, {0.25, pcd, 1}, {-0.5, cd}});
  EXPECT_EQ(sum.name(), "pcd-1 + 0.25 pcd-1 + -0.5 cd-2");
  EXPECT_EQ(sum.rules(pair.graph), std::vector<std::string>{"bipartite"});
  Carry carry;
  const std::vector<State> batches{first, second};
  const Evaluation total = sum.evaluate_all(pair.graph, batches, carry, Key(3));
  EXPECT_EQ(carry.at("0.particles.v").dim(0), 4);
  EXPECT_EQ(carry.at("1.particles.v").dim(0), 3);
  Carry a, b, c;
  const auto all = all_of(total, pair.graph);
  const auto one = all_of(pcd.evaluate(pair.graph, first, a, Key(3).fold(std::uint64_t{0})), pair.graph);
  const Evaluation two_evaluation = pcd.evaluate(pair.graph, second, b, Key(3).fold(std::uint64_t{1}));
  const auto two = all_of(two_evaluation, pair.graph);
  const auto three = all_of(cd.evaluate(pair.graph, first, c, Key(3).fold(std::uint64_t{2})), pair.graph);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < all[i].size(); ++j)
      EXPECT_NEAR(all[i][j], one[i][j] + 0.25 * two[i][j] - 0.5 * three[i][j], 1e-12);
  }
  // Each term's means have its own number of rows.
  std::vector<Index> counts;
  sum.evaluate_all(pair.graph, batches, carry, Key(3),
                   {.reduce = [&](std::span<const Tensor>, Index count) { counts.push_back(count); }});
  EXPECT_EQ(counts, (std::vector<Index>{4, 3, 4}));
  EXPECT_NEAR(total.metrics.at("1.loss"), two_evaluation.metrics.at("loss"), 1e-12);
  const auto same = std::make_shared<const Contrast>(cd);
  EXPECT_TRUE(contains(error_of([&] { SumObjective({{1.0, same}, {1.0, same}}); }), "make a copy"));
  EXPECT_TRUE(
      contains(error_of([&] { sum.evaluate_all(pair.graph, std::span(batches).first(1), carry, Key(3)); }),
               "source 1"));
}

TEST(TemperedTest, RowsHaveTheirOwnTemperature) {
  const Pair pair = bipartite(Domain::Binary, Domain::Binary);
  const State state = State().set(pair.v, samples(pair.v, 3, Key(1))).set(pair.h, samples(pair.h, 3, Key(2)));
  const FactorGraph half = tempered(pair.graph, numbers({1.0, 0.5, 0.0}, {3}));
  const std::vector<double> cold = pair.graph.energy(state).tensor().values(),
                            warm = half.energy(state).tensor().values();
  for (std::size_t n = 0; n < 3; ++n)
    EXPECT_NEAR(warm[n], cold[n] * (1.0 - 0.5 * static_cast<double>(n)), 1e-12);
  EXPECT_FALSE(recognise_bipartite(half));
  const std::vector<double> p = conditional(half, {pair.h}, state).front().mean().tensor().values();
  EXPECT_EQ(std::vector<double>(p.end() - 6, p.end()),
            std::vector<double>(6, 0.5));  // at infinite temperature
  EXPECT_TRUE(contains(error_of([&] { half.energy(first_samples(half, state, 2)); }), "as many rows"));
  EXPECT_TRUE(contains(error_of([&] { tempered(pair.graph, numbers({1.0}, {1, 1})); }), "one scale a row"));
}

/// Gibbs sweeps that say by how much each row has changed its sum.
class Telling final : public Transition {
 public:
  explicit Telling(Variable v, Variable h) : v_(std::move(v)), sweep_({{std::move(h)}, {v_}}) {}
  std::string name() const override { return "Telling"; }
  Block moves() const override { return sweep_.moves(); }
  State operator()(const FactorGraph& graph, const State& state, Key key) const override {
    State after = sweep_(graph, state, key);
    return after.remember("ones", sum_per_sample(flatten(after[v_])));
  }
  Info info(const State& after) const override { return {{"ones", after.recall("ones")}}; }

 private:
  Variable v_;
  BlockGibbs sweep_;
};

TEST(ContrastTest, MetricsTellWhatTheLastMoveSaysOfItself) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), h = graph.binary("h", {2});
  graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
  randomise(graph, Key(2));
  graph.parameter("v.bias").set(Tensor::full({3}, 100.0, f64()));  // all bits are on
  const Contrast contrast({v}, Chains(Telling(v, h), {.steps = 2}));
  Carry carry;
  const State batch = State().set(v, numbers({1, 0, 0, 1, 1, 0}, {2, 3}));
  EXPECT_EQ(contrast.evaluate(graph, batch, carry, Key(3)).metrics.at("ones"), 3.0);
  EXPECT_FALSE(contrast.evaluate(graph, batch, carry, Key(3), {.metrics = false}).metrics.contains("ones"));
}

TEST(ContrastTest, RefusesWhatItWouldMisread) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), h = graph.binary("h", {2});
  graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
  graph.to(f64());
  const Contrast contrast({v}, Chains(BlockGibbs({{h}, {v}}), {}));
  Carry carry;
  State batch = State().set(v, numbers({1, 0, 0, 1, 1, 0}, {2, 3}));
  EXPECT_TRUE(contains(
      error_of([&] { contrast.evaluate(graph, batch, carry, Key(3), {.metrics = false, .wants = {true}}); }),
      "received 1 of them"));
  Context context;
  context.lengths = Tensor::from(std::vector<double>{2.0, 1.0}, {2}, {Dtype::F64, Device::Cpu});
  batch.in(context);
  EXPECT_TRUE(contains(error_of([&] { contrast.evaluate(graph, batch, carry, Key(3)); }),
                       "lengths beside variables without"));
  EXPECT_TRUE(contains(error_of([&] {
                         Chains(BlockGibbs({{h}, {v}}), {.persistent = 2, .fast_rate = NAN});
                       }),
                       "received rate nan"));
  EXPECT_TRUE(contains(
      error_of([&] {
        Contrast({v}, Chains(BlockGibbs({{h}, {v}}), {}), {.sparsity = {.target = NAN, .cost = 1.0}});
      }),
      "finite target"));
}

}  // namespace
}  // namespace basin::test
