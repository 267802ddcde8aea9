#include "energy/factors/sequences/chain.h"

#include <gtest/gtest.h>

#include <ctime>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/eliminate/marginals.h"
#include "energy/eliminate/sample_eliminated.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/quadratic.h"
#include "energy/factors/score.h"
#include "energy/factors/squared_error.h"
#include "energy/likelihood/log_likelihood.h"
#include "energy/sample_ops.h"
#include "modules/flatten.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

namespace basin::test {
namespace {

constexpr Index kSteps = 6, kStates = 4;

/// Every path of a length, its score by a plain loop, and what follows from them.
struct Paths {
  double log_total = 0.0, best = -INFINITY;
  std::vector<Index> viterbi;
  std::vector<double> marginal;           // [T, K]
  std::vector<std::vector<Index>> paths;  // in order of enumeration
  std::vector<double> probability;
};

/// Scores u(t, k) and a(t, i, j) of one sequence.
template <class Unary, class Pairwise>
Paths all_paths(Index length, Unary u, Pairwise a) {
  Paths result;
  Index count = 1;
  for (Index t = 0; t < length; ++t) count *= kStates;
  std::vector<double> scores;
  for (Index code = 0; code < count; ++code) {
    std::vector<Index> path;
    for (Index t = 0, rest = code; t < length; ++t, rest /= kStates) path.push_back(rest % kStates);
    double score = 0.0;
    for (Index t = 0; t < length; ++t) {
      score += u(t, path[static_cast<std::size_t>(t)]);
      if (t > 0) score += a(t - 1, path[static_cast<std::size_t>(t - 1)], path[static_cast<std::size_t>(t)]);
    }
    if (score > result.best) result.viterbi = path;
    result.best = std::max(result.best, score);
    scores.push_back(score);
    result.paths.push_back(std::move(path));
  }
  double total = 0.0;
  for (const double score : scores) total += std::exp(score - result.best);
  result.log_total = result.best + std::log(total);
  result.marginal.assign(static_cast<std::size_t>(kSteps * kStates), 0.0);
  for (std::size_t p = 0; p < scores.size(); ++p) {
    result.probability.push_back(std::exp(scores[p] - result.log_total));
    for (std::size_t t = 0; t < result.paths[p].size(); ++t)
      result.marginal[t * kStates + static_cast<std::size_t>(result.paths[p][t])] +=
          result.probability.back();
  }
  return result;
}

/// Three sequences of lengths 6, 3 and 1, scores of modules and of a Bias beside the chain.
struct ChainCase {
  explicit ChainCase(bool pairwise_module) {
    ChainOptions options;
    if (pairwise_module) options.pairwise = std::make_shared<FromFeatures>();
    graph.add(Chain(x, Linear(2, kStates, Key(1)), s, options)).add(Bias(x));
    randomise(graph, Key(2));
    features = normal(Key(3), {3, kSteps, 2}, f64());
    Context context;
    context.lengths = Tensor::from(std::vector<double>{6.0, 3.0, 1.0}, {3}, {Dtype::F64, Device::Cpu});
    state = State().in(context).set(s, features);
    const std::vector<double> f = features.values(), w = graph.parameter("s.x.weight").tensor().values(),
                              c = graph.parameter("s.x.bias").tensor().values(),
                              b = graph.parameter("x.bias").tensor().values();
    const std::vector<double> a = pairwise_module ? options.pairwise->forward(features).tensor().values()
                                                  : graph.parameter("x.pairwise").tensor().values();
    for (Index n = 0; n < 3; ++n) {
      const auto unary = [&](Index t, Index k) {
        const auto at = static_cast<std::size_t>((n * kSteps + t) * 2), j = static_cast<std::size_t>(k);
        return f[at] * w[j] + f[at + 1] * w[kStates + j] + c[j] +
               b[static_cast<std::size_t>(t * kStates + k)];
      };
      const auto pairwise = [&](Index t, Index i, Index j) {
        const Index table = pairwise_module ? n * (kSteps - 1) + t : 0;
        return a[static_cast<std::size_t>((table * kStates + i) * kStates + j)];
      };
      expected.push_back(
          all_paths(std::array<Index, 3>{6, 3, 1}[static_cast<std::size_t>(n)], unary, pairwise));
    }
  }

  /// [N, T, 2] -> [N, T - 1, K, K], some function.
  class FromFeatures final : public Module {
   public:
    Value forward(const Value& f, const Context&) const override {
      const Value one = reshape(slice(f, 1, 0, kSteps - 1), {f.dim(0), kSteps - 1, 2, 1});
      const Value first = slice(one, 2, 0, 1), second = slice(one, 2, 1, 2);
      const Value table = Tensor::from(std::vector<double>{1, 0, -1, 2, 0, 1, 3, -2, 1, 1, 0, 0, -1, 2, 0, 1},
                                       {1, 1, kStates, kStates}, f.placement());
      return first * table + second * transpose(table, {0, 1, 3, 2});
    }
  };

  FactorGraph graph;
  Variable x = graph.categorical("x", {kSteps, kStates}), s = graph.real("s", {kSteps, 2});
  Tensor features;
  State state;
  std::vector<Paths> expected;
};

TEST(ChainTest, EverythingEqualsEnumeration) {
  for (const bool module : {false, true}) {
    const ChainCase chain(module);
    const std::vector<double>
        free = free_energy(chain.graph, {chain.x}, chain.state).tensor().values(),
        low = min_energy(chain.graph, {chain.x}, chain.state).tensor().values(),
        mean = marginals(chain.graph, {chain.x}, chain.state)[0].tensor().values(),
        best = most_probable(chain.graph, {chain.x}, chain.state)[chain.x].tensor().values();
    for (std::size_t n = 0; n < 3; ++n) {
      const Paths& paths = chain.expected[n];
      EXPECT_NEAR(free[n], -paths.log_total, 1e-10);
      EXPECT_NEAR(low[n], -paths.best, 1e-10);
      for (std::size_t i = 0; i < paths.marginal.size(); ++i) {
        EXPECT_NEAR(mean[n * kSteps * kStates + i], paths.marginal[i], 1e-10) << n << " " << i;
        const std::size_t t = i / kStates;
        const bool on = t < paths.viterbi.size() && static_cast<Index>(i % kStates) == paths.viterbi[t];
        EXPECT_EQ(best[n * kSteps * kStates + i], on ? 1.0 : 0.0);
      }
    }
  }
}

TEST(ChainTest, TheEnergyIsTheScore) {
  const ChainCase chain(true);
  for (std::size_t n = 0; n < 3; ++n) {
    const Paths& paths = chain.expected[n];
    for (std::size_t p = 0; p < paths.paths.size(); p += 7) {
      std::vector<double> codes(3 * kSteps * kStates, 0.0);
      for (std::size_t t = 0; t < paths.paths[p].size(); ++t)
        codes[(n * kSteps + t) * kStates + static_cast<std::size_t>(paths.paths[p][t])] = 1.0;
      const State at = State(chain.state).set(chain.x, numbers(codes, {3, kSteps, kStates}));
      EXPECT_NEAR(-chain.graph.energy(at).tensor().values()[n],
                  std::log(paths.probability[p]) + paths.log_total, 1e-10);
    }
  }
}

TEST(ChainTest, SamplesFollowTheDistributionOfPaths) {
  const ChainCase chain(false);
  constexpr Index kDraws = 20000;
  for (std::size_t n = 0; n < 3; ++n) {
    const Index length = std::array<Index, 3>{6, 3, 1}[n];
    Context context;
    context.lengths = Tensor::full({kDraws}, static_cast<double>(length), {Dtype::F64, Device::Cpu});
    const auto row = static_cast<Index>(n);
    const State state = State().in(context).set(
        chain.s, repeated(chain.features.rows(row, row + 1).values(), chain.s, kDraws));
    const std::vector<double> x =
        sample_eliminated(chain.graph, {chain.x}, state, Key(5))[chain.x].tensor().values();
    const Paths& paths = chain.expected[n];
    std::vector<double> counts(paths.paths.size(), 0.0);
    for (std::size_t d = 0; d < kDraws; ++d) {
      Index code = 0, period = 1;
      for (std::size_t t = 0; t < kSteps; ++t) {
        double on = 0.0;
        for (std::size_t k = 0; k < kStates; ++k) {
          const double bit = x[(d * kSteps + t) * kStates + k];
          on += bit;
          if (bit == 1.0) code += static_cast<Index>(k) * period;
        }
        EXPECT_EQ(on, static_cast<Index>(t) < length ? 1.0 : 0.0);
        period *= kStates;
      }
      counts[static_cast<std::size_t>(code)] += 1.0;
    }
    for (std::size_t p = 0; p < counts.size(); ++p) {
      const double expected = kDraws * paths.probability[p];
      EXPECT_NEAR(counts[p], expected, 5.0 * std::sqrt(expected + 1.0))
          << "path " << p << " of length " << length;
    }
  }
}

TEST(ChainTest, AnyOrderOfDerivative) {
  const ChainCase chain(true);
  EXPECT_EQ(gradcheck(
                [&](const std::vector<Value>& f) {
                  return free_energy(chain.graph, {chain.x}, State(chain.state).set(chain.s, f[0]));
                },
                {chain.features}),
            "");
}

TEST(ChainTest, GivenScoresAndOtherLatents) {
  // A Markov chain whose hidden units pull at its states: closed form inside nothing, a chain inside
  // enumeration.
  FactorGraph graph;
  const Variable x = graph.categorical("x", {3, 2}), h = graph.binary("h", {2}), y = graph.binary("y", {3});
  graph.add(Chain(x)).add(Bilinear(x, h, Key(1))).add(Bias(h)).add(Bilinear(y, h, Key(2)), 0.5);
  randomise(graph, Key(2));
  const Tensor data = numbers({1, 0, 1, 0, 0, 1}, {2, 3});
  const State state = State().set(y, data);
  const std::vector<double> free = free_energy(graph, {x, h}, state).tensor().values(),
                            low = min_energy(graph, {x, h}, state).tensor().values();
  const std::vector<Value> means = marginals(graph, {x, h}, state);
  const State best = most_probable(graph, {x, h}, state);
  for (std::size_t n = 0; n < 2; ++n) {
    const auto row = static_cast<Index>(n);
    const Distribution all = distribution(graph, {x, h}, State().set(y, data.rows(row, row + 1)));
    EXPECT_NEAR(free[n], -all.log_total, 1e-10);
    const auto mode = std::max_element(all.weight.begin(), all.weight.end()) - all.weight.begin();
    EXPECT_NEAR(low[n], -std::log(all.weight[static_cast<std::size_t>(mode)]) - all.log_total, 1e-10);
    for (std::size_t i = 0; i < 6; ++i)
      EXPECT_NEAR(means[0].tensor().values()[n * 6 + i], all.mean(x)[i], 1e-10);
    for (std::size_t j = 0; j < 2; ++j)
      EXPECT_NEAR(means[1].tensor().values()[n * 2 + j], all.mean(h)[j], 1e-10);
    EXPECT_EQ(best[x].tensor().rows(row, row + 1).values(),
              all.states[x].tensor().rows(mode, mode + 1).values());
    EXPECT_EQ(best[h].tensor().rows(row, row + 1).values(),
              all.states[h].tensor().rows(mode, mode + 1).values());
  }
}

TEST(SampleEliminatedTest, JointDrawsOfInteractingLatents) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), a = graph.binary("a", {2}), y = graph.categorical("y", {3});
  graph.add(Bilinear(v, a, Key(1))).add(Bilinear(a, y, Key(2))).add(Bias(y)).add(Bias(a));
  randomise(graph, Key(3));
  constexpr Index kDraws = 20000;
  const State state = State().set(v, repeated({1, 0, 1}, v, kDraws));
  const State drawn = sample_eliminated(graph, {a, y}, state, Key(4));
  const Distribution all = distribution(graph, {a, y}, State().set(v, numbers({1, 0, 1}, {1, 3})));
  std::vector<double> counts(12, 0.0);
  const std::vector<double> as = drawn[a].tensor().values(), ys = drawn[y].tensor().values();
  for (std::size_t d = 0; d < kDraws; ++d)
    counts[static_cast<std::size_t>((2 * as[d * 2] + as[d * 2 + 1]) * 3 + ys[d * 3 + 1] +
                                    2 * ys[d * 3 + 2])] += 1.0;
  for (std::size_t s = 0; s < 12; ++s) {
    const double expected = kDraws * all.weight[s];
    EXPECT_NEAR(counts[s], expected, 5.0 * std::sqrt(expected + 1.0));
  }
  Context later;
  later.first_row = 100;
  const State part =
      sample_eliminated(graph, {a, y}, State().in(later).set(v, state[v].tensor().rows(100, 200)), Key(4));
  EXPECT_EQ(part[a].tensor().values(), drawn[a].tensor().rows(100, 200).values());
  EXPECT_EQ(part[y].tensor().values(), drawn[y].tensor().rows(100, 200).values());
}

TEST(MostProbableTest, OneOfSeveralMinima) {
  FactorGraph graph;
  const Variable a = graph.binary("a", {1}), b = graph.binary("b", {1});
  graph.add(Bilinear(a, b, Key(1), {.scale = 0.0})).add(Bias(a)).add(Bias(b));
  graph.to(f64());
  graph.parameter("a.b.weight").tensor().fill(-2.0);
  graph.parameter("a.bias").tensor().fill(1.0);
  graph.parameter("b.bias").tensor().fill(1.0);
  const State best = most_probable(graph, {a, b}, {});
  EXPECT_EQ(best[a].item() + best[b].item(), 1.0) << "(1, 0) or (0, 1), never both or none";
}

TEST(MostProbableTest, SlicesBreakTiesAsTheWholeDoes) {
  FactorGraph graph;
  const Variable x = graph.real("x", {1}), a = graph.binary("a", {3}), b = graph.binary("b", {3});
  graph.add(Bilinear(a, b, Key(1), {.scale = 0.0})).add(Bias(a)).add(Bias(b)).add(Bilinear(x, a, Key(2)));
  graph.to(f64());
  graph.parameter("a.b.weight").tensor().copy_from(numbers({-2, 0, 0, 0, -2, 0, 0, 0, -2}, {3, 3}));
  graph.parameter("a.bias").tensor().fill(1.0);
  graph.parameter("b.bias").tensor().fill(1.0);
  // Two states of each pair tie where x = 0, and none elsewhere.
  std::vector<double> values(40, 0.0);
  values[3] = values[25] = 0.7;
  const Tensor data = numbers(values, {40, 1});
  const State whole = most_probable(graph, {a, b}, State().set(x, data));
  EXPECT_GT(max(sum(whole[a], {0}), 0).item(), 0.0);
  EXPECT_LT(sum(whole[a]).item(), 120.0);
  for (const Index begin : {0, 3, 17, 25}) {
    const Index end = begin == 3 ? 4 : 40;
    const State rest = State().in({.first_row = begin}).set(x, data.rows(begin, end));
    const State part = most_probable(graph, {a, b}, rest);
    EXPECT_EQ(part[a].tensor().values(), whole[a].tensor().rows(begin, end).values()) << begin;
    EXPECT_EQ(part[b].tensor().values(), whole[b].tensor().rows(begin, end).values()) << begin;
  }
}

TEST(ChainTest, AsLongAsItsSource) {
  // Tags of a free length, as those of a tagger are; the whole beside the same chain of a fixed length.
  const ChainCase fixed(false);
  FactorGraph graph;
  const Variable x = graph.categorical("x", {0, kStates}), s = graph.real("s", {0, 2});
  graph.add(Chain(x, Linear(2, kStates, Key(1)), s));
  graph.to(f64());
  const std::vector<Parameter> parameters = graph.parameters();
  for (Parameter parameter : parameters) parameter.set(fixed.graph.parameter(parameter.name()).tensor());
  const FactorGraph plain =
      fixed.graph.weighted([](std::size_t i, const FactorGraph::Term&) { return i == 0 ? 1.0 : 0.0; });
  const State state = State().in(fixed.state.context()).set(s, fixed.features);
  const auto same = [](const Value& a, const Value& b) {
    EXPECT_EQ(a.tensor().values(), b.tensor().values());
  };
  same(free_energy(graph, {x}, state), free_energy(plain, {fixed.x}, fixed.state));
  same(marginals(graph, {x}, state)[0], marginals(plain, {fixed.x}, fixed.state)[0]);
  same(most_probable(graph, {x}, state)[x], most_probable(plain, {fixed.x}, fixed.state)[fixed.x]);
  same(sample_eliminated(graph, {x}, state, Key(1))[x],
       sample_eliminated(plain, {fixed.x}, fixed.state, Key(1))[fixed.x]);
  EXPECT_TRUE(contains(error_of([&] { free_energy(graph, {x, s}, {}); }), "how long x is"));
}

TEST(ChainTest, SlicesOfABatchKeepTheirLengths) {
  const ChainCase chain(false);
  double expected = 0.0;
  for (const Paths& paths : chain.expected) expected -= paths.log_total / 3.0;
  for (const Index batch : {1, 2, 3})
    EXPECT_NEAR(mean_free_energy(chain.graph, {chain.x}, chain.state, batch), expected, 1e-10) << batch;
  // Rows 2 .. of sequences, twice each, of a batch that begins at sample 10.
  State whole = chain.state;
  Context context = whole.context();
  context.first_row = 10;
  context.ids = Tensor::from(std::vector<double>{4.0, 5.0, 6.0}, {3}, {Dtype::F64, Device::Cpu});
  const State part = rows_of(chain.graph, replicated(chain.graph, whole.in(context), 2), 2, 5);
  EXPECT_EQ(part.context().first_row, 11);
  EXPECT_EQ(part.context().lengths.values(), (std::vector<double>{3.0, 3.0, 1.0}));
  EXPECT_EQ(part.context().ids.values(), (std::vector<double>{5.0, 5.0, 6.0}));
  EXPECT_EQ(part[chain.s].tensor().rows(2, 3).values(), chain.features.rows(2, 3).values());
}

/// Of this process alone: other load would stretch the longer run.
double seconds_of(Index steps) {
  FactorGraph graph;
  const Variable x = graph.categorical("x", {steps, 4}), s = graph.real("s", {steps, 4});
  graph.add(Chain(x, Linear(4, 4, Key(1)), s));
  const State state = State().set(s, normal(Key(2), {4, steps, 4}, f32()));
  graph.to(f32());
  const std::clock_t start = std::clock();
  (void)grad(sum(free_energy(graph, {x}, state)), {graph.parameters().front().value()});
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

TEST(ChainTest, TimeIsLinearInTheLength) {
  (void)seconds_of(1000);
  double ratio = INFINITY;  // caches are shared with whatever else runs
  for (int i = 0; i < 5; ++i) ratio = std::min(ratio, seconds_of(10000) / seconds_of(1000));
  EXPECT_LE(ratio,
            40.0);  // a step that touches the whole sequence makes it 100; what is linear measures 9 to 13
}

TEST(ChainTest, Refuses) {
  FactorGraph graph;
  const Variable x = graph.categorical("x", {3, 2}), flat = graph.categorical("flat", {2}),
                 s = graph.real("s", {3, 4});
  EXPECT_TRUE(contains(error_of([&] { Chain{flat}; }), "shape [T, K]"));
  EXPECT_TRUE(contains(error_of([&] { Chain(x, Linear(4, 5, Key(1)), s); }), "6 scores of x"));
  graph.add(Chain(x));
  graph.to(f64());
  Context context;
  context.lengths = Tensor::full({1}, 4.0, {Dtype::F64, Device::Cpu});
  const State state = State().in(context).set(s, Tensor::zeros({1, 3, 4}, f64()));
  EXPECT_TRUE(contains(error_of([&] { free_energy(graph, {x}, state); }),
                       "whole lengths of 1 sequences from 1 to 3"));
  context.lengths = Tensor::full({1}, 2.5, {Dtype::F64, Device::Cpu});
  const State half = State().in(context).set(s, Tensor::zeros({1, 3, 4}, f64()));
  EXPECT_TRUE(contains(error_of([&] { free_energy(graph, {x}, half); }), "whole lengths"));
}

TEST(ChainTest, SequencesWithoutAStepAreErrors) {
  FactorGraph graph;
  const Variable x = graph.categorical("x", {0, 2}), s = graph.real("s", {0, 3});
  graph.add(Chain(x, Linear(3, 2, Key(1), {.placement = f64()}), s));
  graph.to(f64());
  const State state = State().set(s, Tensor::zeros({2, 0, 3}, f64()));
  EXPECT_TRUE(contains(error_of([&] { free_energy(graph, {x}, state); }), "at least one step"));
  EXPECT_TRUE(contains(error_of([&] { sample_eliminated(graph, {x}, state, Key(1)); }), "at least one step"));
}

TEST(ChainTest, FactorsBesideItEndWhereSequencesDo) {
  FactorGraph graph;
  const Variable x = graph.categorical("x", {3, 2}), s = graph.real("s", {0, 4}), t = graph.real("t", {3, 4});
  graph.add(Chain(x)).add(Bias(x)).add(Quadratic(s, {.precision = Precision::Fixed}));
  randomise(graph, Key(1));
  Context context;
  context.lengths = Tensor::from(std::vector<double>{2.0, 1.0}, {2}, {Dtype::F64, Device::Cpu});
  const auto energy = [&](double padding) {
    State state = State().in(context);
    state.set(x, numbers({1, 0, 0, 1, 1, 0, 0, 1, padding, 0, 0, padding}, {2, 3, 2}));
    std::vector<double> values(16, padding);
    std::fill(values.begin(), values.begin() + 12, 0.5);
    return graph.energy(state.set(s, numbers(values, {2, 2, 4}))).tensor().values();
  };
  EXPECT_EQ(energy(1.0), energy(0.0));
  // One that would count them is refused by name.
  graph.add(SquaredError(x, Linear(4, 2, Key(2), {.placement = f64()}), t));
  const std::string error = error_of([&] {
    State state = State().in(context).set(x, Tensor::zeros({2, 3, 2}, f64()));
    graph.energy(state.set(s, Tensor::zeros({2, 2, 4}, f64())).set(t, Tensor::zeros({2, 3, 4}, f64())));
  });
  EXPECT_TRUE(contains(error, "factor SquaredError(x, t) does not know lengths")) << error;
}

/// The sum of a sequence up to its length.
class SumOfSequence final : public Module {
 public:
  Value forward(const Value& x, const Context& context) const override {
    if (!context.lengths.defined()) return sum(x, {1});
    return sum(x * Value(length_mask(context.lengths, {x.dim(0), x.dim(1), 1}, 1, x.placement())), {1});
  }
  bool ends_at_lengths() const override { return true; }
};

TEST(ChainTest, ModulesThatEndAtLengthsScoreSequences) {
  FactorGraph graph;
  const Variable label = graph.categorical("label", {2}), s = graph.real("s", {0, 2});
  graph.add(Score(label, Sequential().add(SumOfSequence()), s));
  Context context;
  context.lengths = Tensor::from(std::vector<double>{2.0, 1.0}, {2}, {Dtype::F64, Device::Cpu});
  const auto energy = [&](double padding) {
    State state = State().in(context).set(label, numbers({1, 0, 0, 1}, {2, 2}));
    return graph.energy(state.set(s, numbers({1, 2, 3, 4, 5, 6, padding, padding}, {2, 2, 2})))
        .tensor()
        .values();
  };
  EXPECT_EQ(energy(7.0), (std::vector<double>{-4.0, -6.0}));
  EXPECT_EQ(energy(0.0), energy(7.0));

  // Lengths that nothing would read are refused, too.
  FactorGraph fixed;
  const Variable y = fixed.categorical("y", {2}), x = fixed.real("x", {2, 2});
  fixed.add(Score(y, Sequential().add(Flatten()).add(Linear(4, 2, Key(1), {.placement = f64()})), x));
  const std::string error = error_of([&] {
    State state = State().in(context).set(y, numbers({1, 0, 0, 1}, {2, 2}));
    fixed.energy(state.set(x, Tensor::zeros({2, 2, 2}, f64())));
  });
  EXPECT_TRUE(contains(error, "received lengths beside variables without")) << error;
}

}  // namespace
}  // namespace basin::test
