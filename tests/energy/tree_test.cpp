#include "energy/factors/sequences/tree.h"

#include <gtest/gtest.h>

#include <functional>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/eliminate/marginals.h"
#include "energy/eliminate/plan.h"
#include "energy/eliminate/sample_eliminated.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/score.h"
#include "energy/factors/sequences/chain.h"
#include "modules/flatten.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

namespace basin::test {
namespace {

/// F, minimum, marginals and best values of some latents given two samples of x, against all their states.
void expect_enumerated(const FactorGraph& graph, const Block& latents, const Variable& x,
                       const Tensor& data) {
  const State rest = State().set(x, data);
  const std::vector<double> free = free_energy(graph, latents, rest).tensor().values(),
                            low = min_energy(graph, latents, rest).tensor().values();
  const std::vector<Value> means = marginals(graph, latents, rest);
  const State best = most_probable(graph, latents, rest);
  for (Index n = 0; n < data.dim(0); ++n) {
    const auto row = static_cast<std::size_t>(n);
    const Distribution all = distribution(graph, latents, State().set(x, data.rows(n, n + 1)));
    EXPECT_NEAR(free[row], -all.log_total, 1e-10);
    const auto mode = std::max_element(all.weight.begin(), all.weight.end()) - all.weight.begin();
    EXPECT_NEAR(low[row], -std::log(all.weight[static_cast<std::size_t>(mode)]) - all.log_total, 1e-10);
    for (std::size_t i = 0; i < latents.size(); ++i) {
      const std::vector<double> expected = all.mean(latents[i]),
                                received = means[i].tensor().rows(n, n + 1).values();
      for (std::size_t j = 0; j < expected.size(); ++j) EXPECT_NEAR(received[j], expected[j], 1e-10);
      EXPECT_EQ(best[latents[i]].tensor().rows(n, n + 1).values(),
                all.states[latents[i]].tensor().rows(mode, mode + 1).values());
    }
  }
}

/// 20,000 draws given one x, counted by joint state: within 5 standard errors (and one count) of each.
void expect_draws(const FactorGraph& graph, const Block& latents, const Variable& x,
                  const std::vector<double>& sample) {
  constexpr Index kDraws = 20000;
  const State drawn = sample_eliminated(graph, latents, State().set(x, repeated(sample, x, kDraws)), Key(4));
  const Distribution all = distribution(graph, latents, State().set(x, repeated(sample, x, 1)));
  std::vector<double> counts(all.weight.size(), 0.0);
  std::vector<std::vector<double>> values;
  for (const Variable& latent : latents) values.push_back(drawn[latent].tensor().values());
  for (std::size_t d = 0; d < kDraws; ++d) {
    std::size_t code = 0;
    for (std::size_t i = 0; i < latents.size(); ++i) {
      const auto size = static_cast<std::size_t>(latents[i].size()),
                 states = static_cast<std::size_t>(latents[i].shape.back());
      for (std::size_t j = 0; j < size; j += states) {
        std::size_t digit = 0;
        for (std::size_t k = 0; k < states; ++k) digit += k * (values[i][d * size + j + k] == 1.0);
        code = code * states + digit;
      }
    }
    counts[code] += 1.0;
  }
  for (std::size_t s = 0; s < counts.size(); ++s) {
    const double expected = kDraws * all.weight[s];
    EXPECT_NEAR(counts[s], expected, 5.0 * std::sqrt(expected + 1.0)) << s;
  }
}

/// Nodes of 3 categories whose pairs couple along the edges of a tree, the first also with x.
struct TreeGraph {
  explicit TreeGraph(const std::vector<Index>& parents) {
    for (std::size_t t = 0; t < parents.size(); ++t) {
      nodes.push_back(graph.categorical("n" + std::to_string(t), {3}));
      graph.add(Bias(nodes.back()));
    }
    for (std::size_t t = 0; t < parents.size(); ++t) {
      if (parents[t] < 0) continue;
      const Variable& parent = nodes[static_cast<std::size_t>(parents[t])];
      graph.add(Bilinear(parent, nodes[t], Key(t)), 0.5);
    }
    graph.add(Score(nodes.front(), Linear(2, nodes.front().size(), Key(9)), x, {.label = "score"}));
    randomise(graph, Key(7), 1.5);
  }
  FactorGraph graph;
  Variable x = graph.real("x", {2});
  Block nodes;
  Tensor data = numbers({0.3, -1.2, 1.1, 0.4}, {2, 2});
};

bool tabulates(const TreeGraph& tree) {
  const std::vector<Component> plan = plan_elimination(tree.graph, tree.nodes, State().set(tree.x, tree.data),
                                                       Elimination::Sum, Index{1} << 20);
  return plan.size() == 1 && plan.front().tabulated.size() == tree.nodes.size();
}

TEST(TabulatedTest, TreesOfPairsEqualEnumeration) {
  const std::vector<std::vector<Index>> trees = {
      {-1, 0, 1, 2, 3, 4, 5, 6, 7}, {-1, 0, 0, 1, 1, 2, 4, 6, 7}, {3, 0, 1, -1, 3, 4, 5, 6, 2}};
  for (const std::vector<Index>& parents : trees) {
    const TreeGraph tree(parents);
    EXPECT_TRUE(tabulates(tree));
    expect_enumerated(tree.graph, tree.nodes, tree.x, tree.data);
  }
}

TEST(TabulatedTest, CyclesAndTriplesToo) {
  TreeGraph tree({-1, 0, 1, 2, 3, 4, 5, 6, 7});
  tree.graph.add(Bilinear(tree.nodes[0], tree.nodes[8], Key(20), {.label = "closing"}));
  tree.graph.add(Bilinear(tree.nodes[2], tree.nodes[5], Key(21), {.label = "across"}));
  randomise(tree.graph, Key(22), 1.2);
  EXPECT_TRUE(tabulates(tree));
  expect_enumerated(tree.graph, tree.nodes, tree.x, tree.data);
}

TEST(TabulatedTest, DrawsFollowTheDistribution) {
  const TreeGraph tree({-1, 0, 0, 1, 1, 2, 4, 6, 7});
  EXPECT_TRUE(tabulates(tree));
  expect_draws(tree.graph, tree.nodes, tree.x, {0.3, -1.2});
}

TEST(TabulatedTest, SlicesDrawAsTheWholeDoes) {
  const TreeGraph tree({-1, 0, 0, 1, 1, 2, 4, 6, 7});
  const Tensor data = normal(Key(3), {30, 2}, f64());
  const State whole = sample_eliminated(tree.graph, tree.nodes, State().set(tree.x, data), Key(5)),
              part = sample_eliminated(tree.graph, tree.nodes,
                                       State().in({.first_row = 10}).set(tree.x, data.rows(10, 20)), Key(5));
  for (const Variable& node : tree.nodes)
    EXPECT_EQ(part[node].tensor().values(), whole[node].tensor().rows(10, 20).values());
}

TEST(TabulatedTest, AsLongAsAChain) {
  // 40 variables in a row, which nothing could enumerate, beside the same as one chain.
  constexpr Index kSteps = 40, kStates = 3;
  FactorGraph graph, chain;
  Block nodes;
  for (Index t = 0; t < kSteps; ++t) {
    nodes.push_back(graph.categorical("n" + std::to_string(t), {kStates}));
    graph.add(Bias(nodes.back()));
    if (t > 0) graph.add(Bilinear(nodes[static_cast<std::size_t>(t - 1)], nodes.back(), Key(0)));
  }
  const Variable x = chain.categorical("x", {kSteps, kStates});
  chain.add(Chain(x));
  randomise(chain, Key(1));
  graph.to(f64());
  const Tensor unary = chain.parameter("x.unary").tensor();
  for (Index t = 0; t < kSteps; ++t) {
    const std::string name = "n" + std::to_string(t);
    graph.parameter(name + ".bias").set(numbers(unary.rows(t, t + 1).values(), {kStates}));
    if (t > 0)
      graph.parameter("n" + std::to_string(t - 1) + "." + name + ".weight")
          .set(chain.parameter("x.pairwise").tensor());
  }
  EXPECT_NEAR(log_partition(graph).item(), log_partition(chain).item(), 1e-9);
  EXPECT_NEAR(min_energy(graph, nodes, {}).item(), min_energy(chain, {x}, {}).item(), 1e-9);
}

/// Codes [6, 3] at the nodes of a forest whose parents stand before and behind them, with scores of a module.
struct CodeTree {
  explicit CodeTree(bool pairwise_module, std::vector<Index> parents = {2, -1, 1, 2, -1, 4}) {
    TreeOptions options;
    if (pairwise_module) {
      Sequential tables;
      tables.add(Flatten()).add(Linear(4, 6 * 9, Key(2)));
      options.pairwise = std::make_shared<const Sequential>(std::move(tables));
    }
    graph.add(Tree(codes, std::move(parents), Linear(4, 18, Key(1)), x, options), 0.8).add(Bias(codes));
    randomise(graph, Key(3));
  }
  FactorGraph graph;
  Variable x = graph.real("x", {4}), codes = graph.categorical("codes", {6, 3});
  Tensor data = numbers({0.3, -1.2, 0.8, 0.1, 1.1, 0.4, -0.6, 0.9}, {2, 4});
};

TEST(TreeTest, EverythingEqualsEnumeration) {
  for (const bool module : {false, true}) {
    const CodeTree tree(module);
    expect_enumerated(tree.graph, {tree.codes}, tree.x, tree.data);
    expect_draws(tree.graph, {tree.codes}, tree.x, {0.3, -1.2, 0.8, 0.1});
  }
}

TEST(TreeTest, AnyOrderOfDerivative) {
  const CodeTree tree(true);
  EXPECT_EQ(gradcheck(
                [&](const std::vector<Value>& data) {
                  return free_energy(tree.graph, {tree.codes}, State().set(tree.x, data[0]));
                },
                {tree.data}),
            "");
}

TEST(TreeTest, AChainIsATree) {
  FactorGraph tree, chain;
  const Variable a = tree.categorical("x", {5, 3}), b = chain.categorical("x", {5, 3});
  tree.add(Tree(a, {-1, 0, 1, 2, 3}));
  chain.add(Chain(b));
  randomise(tree, Key(1));
  randomise(chain, Key(1));
  EXPECT_NEAR(log_partition(tree).item(), log_partition(chain).item(), 1e-12);
  const std::vector<double> p = marginals(tree, {a}, {})[0].tensor().values(),
                            q = marginals(chain, {b}, {})[0].tensor().values();
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i], q[i], 1e-12);
}

TEST(TreeTest, OtherLatentsAreEnumeratedAroundIt) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2}), codes = graph.categorical("codes", {4, 2}),
                 h = graph.binary("h", {2});
  graph.add(Tree(codes, {-1, 0, 0, 1})).add(Bilinear(codes, h, Key(1))).add(Bilinear(x, h, Key(2)));
  randomise(graph, Key(3));
  expect_enumerated(graph, {codes, h}, x, numbers({0.3, -1.2, 1.1, 0.4}, {2, 2}));
}

TEST(TreeTest, MistakesAreErrors) {
  FactorGraph graph;
  const Variable x = graph.real("x", {4}), label = graph.categorical("label", {3}),
                 codes = graph.categorical("codes", {3, 2});
  EXPECT_TRUE(contains(error_of([&] { Tree(label, {-1}); }),
                       "[Tree] expected a categorical variable of shape [T, K]"));
  EXPECT_TRUE(contains(error_of([&] { Tree(x, {-1}); }), "received x, which is real"));
  EXPECT_TRUE(contains(error_of([&] { Tree(codes, {-1, 0}); }), "parent of each of the 3 positions"));
  EXPECT_TRUE(contains(error_of([&] { Tree(codes, {-1, 0, 3}); }), "a position or -1, received [-1, 0, 3]"));
  EXPECT_TRUE(contains(error_of([&] { Tree(codes, {1, 2, 0}); }), "without a cycle"));
  EXPECT_TRUE(contains(error_of([&] {
                         Tree(codes, {-1, 0, 1}, Linear(4, 5, Key(1)), x);
                       }),
                       "6 scores of codes"));
  EXPECT_TRUE(contains(error_of([&] { (void)Chain{label}; }),
                       "[Chain] expected a categorical variable of shape [T, K]"));
  // A tree and a chain of the same codes are neither, and are enumerated where that is allowed.
  Sequential tables;
  tables.add(Flatten()).add(Linear(4, 12, Key(2)));
  graph.add(Chain(codes))
      .add(Tree(codes, {-1, 0, 0}, Linear(4, 6, Key(1)), x,
                {.pairwise = std::make_shared<const Sequential>(std::move(tables))}));
  randomise(graph, Key(1));
  const State rest = State().set(x, numbers({0.3, -1.2, 0.8, 0.1}, {1, 4}));
  EXPECT_NEAR(free_energy(graph, {codes}, rest).item(), -distribution(graph, {codes}, rest).log_total, 1e-10);
}

}  // namespace
}  // namespace basin::test
