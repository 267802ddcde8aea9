#include "energy/objectives/labels/structured_loss.h"

#include <gtest/gtest.h>

#include <functional>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/score.h"
#include "energy/factors/sequences/chain.h"
#include "energy/factors/sequences/segments.h"
#include "energy/factors/sequences/tree.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/objectives/labels/label_loss.h"
#include "energy/objectives/prepared.h"
#include "gradients.h"
#include "modules/linear.h"
#include "oracle.h"

namespace basin::test {
namespace {

using Kind = StructuredLoss::Kind;
constexpr std::array kKinds = {Kind::Perceptron, Kind::Hinge, Kind::Nll, Kind::Mce};

double loss_of(const Objective& objective, const FactorGraph& graph, const State& batch) {
  Carry carry;
  return objective.evaluate(graph, batch, carry, Key(0)).metrics.at("loss");
}

TEST(StructuredLossTest, OfOneLabelIsTheLossOfTheLabel) {
  for (const bool latent : {false, true}) {
    FactorGraph graph;
    const Variable x = graph.real("x", {4}), y = graph.categorical("y", {3});
    graph.add(Score(y, Linear(4, 3, Key(1)), x));
    if (latent) {
      const Variable h = graph.binary("h", {3});
      graph.add(Bilinear(y, h, Key(2))).add(Bilinear(x, h, Key(3))).add(Bias(h));
    }
    randomise(graph, Key(4));
    const State batch = State()
                            .set(x, normal(Key(5), {4, 4}, f64()))
                            .set(y, numbers({1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1}, {4, 3}));
    const std::vector<std::pair<Kind, LabelLoss::Kind>> pairs = {
        {Kind::Perceptron, LabelLoss::Kind::Perceptron},
        {Kind::Hinge, LabelLoss::Kind::Hinge},
        {Kind::Nll, LabelLoss::Kind::Nll},
        {Kind::Mce, LabelLoss::Kind::Mce}};
    for (const auto& [kind, of_label] : pairs) {
      const StructuredLoss loss({y}, kind, {.cost = 1.3});
      const LabelLoss expected(
          y, of_label,
          {.margin = 1.3, .latents = kind == Kind::Nll ? Elimination::Sum : Elimination::Minimum});
      Carry carry;
      const Evaluation a = loss.evaluate(graph, batch, carry, Key(0)),
                       b = expected.evaluate(graph, batch, carry, Key(0));
      EXPECT_NEAR(a.metrics.at("loss"), b.metrics.at("loss"), 1e-12) << loss.name();
      EXPECT_EQ(a.metrics.at("error"), b.metrics.at("error"));
      for (std::size_t i = 0; i < a.gradients.size(); ++i) {
        const Shape shape = graph.parameters()[i].tensor().shape();
        const std::vector<double> g = a.gradients[i].to_tensor(shape).values(),
                                  e = b.gradients[i].to_tensor(shape).values();
        for (std::size_t j = 0; j < g.size(); ++j) EXPECT_NEAR(g[j], e[j], 1e-12) << loss.name();
      }
    }
  }
}

/// Codes [3, 3] and bits that pull at them, by a plain loop over all their states.
struct Brute {
  Brute(const FactorGraph& graph, const Variable& y, const Block& latents, const State& rest) {
    Block all{y};
    all.insert(all.end(), latents.begin(), latents.end());
    const Distribution every = distribution(graph, all, rest);
    const std::vector<double> codes = every.states[y].tensor().values();
    const auto size = static_cast<std::size_t>(y.size());
    for (std::size_t s = 0; s < every.weight.size(); ++s) {
      values.emplace_back(codes.begin() + static_cast<std::ptrdiff_t>(s * size),
                          codes.begin() + static_cast<std::ptrdiff_t>((s + 1) * size));
      energies.push_back(-std::log(every.weight[s]) - every.log_total);
    }
  }
  double hamming(std::size_t s, const std::vector<double>& answer) const {
    double differing = 0.0;
    for (std::size_t i = 0; i < answer.size(); ++i) differing += 0.5 * std::abs(values[s][i] - answer[i]);
    return differing;
  }
  double loss(Kind kind, double cost, const std::vector<double>& answer) const {
    double own = INFINITY, any = INFINITY, other = INFINITY, costly = INFINITY, own_sum = 0.0, sum = 0.0;
    for (std::size_t s = 0; s < values.size(); ++s) {
      const double e = energies[s], wrong = hamming(s, answer);
      any = std::min(any, e);
      costly = std::min(costly, e - cost * wrong);
      sum += std::exp(-e);
      if (wrong == 0.0) {
        own = std::min(own, e);
        own_sum += std::exp(-e);
      } else {
        other = std::min(other, e);
      }
    }
    switch (kind) {
      case Kind::Perceptron:
        return own - any;
      case Kind::Hinge:
        return own - costly;
      case Kind::Nll:
        return std::log(sum) - std::log(own_sum);
      case Kind::Mce:
        break;
    }
    return 1.0 / (1.0 + std::exp(other - own));
  }
  std::vector<std::vector<double>> values;
  std::vector<double> energies;
};

/// A graph of codes [3, 3], some of which have latents.
struct Codes {
  Codes(bool tree, bool latent) {
    if (tree) {
      graph.add(Tree(y, {-1, 0, 0}, Linear(2, 9, Key(1)), x));
    } else {
      graph.add(Chain(y)).add(Bilinear(y, x, Key(1)));
    }
    if (latent) {
      latents.push_back(graph.binary("h", {2}));
      graph.add(Bilinear(y, latents.front(), Key(2))).add(Bilinear(x, latents.front(), Key(3)));
    }
    randomise(graph, Key(4));
  }
  FactorGraph graph;
  Variable y = graph.categorical("y", {3, 3}), x = graph.real("x", {2});
  Block latents;
  Tensor data = numbers({0.3, -1.2, 0.7, 0.9}, {2, 2});
  std::vector<double> answers = {1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0};
  State batch = State().set(x, data).set(y, numbers(answers, {2, 3, 3}));
};

TEST(StructuredLossTest, EqualsAllStatesAndItsGradientFiniteDifferences) {
  for (const bool tree : {false, true}) {
    for (const bool latent : {false, true}) {
      const Codes codes(tree, latent);
      for (const Kind kind : kKinds) {
        const StructuredLoss loss({codes.y}, kind, {.cost = 0.9});
        double expected = 0.0;
        for (Index n = 0; n < 2; ++n) {
          const Brute all(codes.graph, codes.y, codes.latents,
                          State().set(codes.x, codes.data.rows(n, n + 1)));
          expected +=
              0.5 * all.loss(kind, 0.9, {codes.answers.begin() + n * 9, codes.answers.begin() + n * 9 + 9});
        }
        EXPECT_NEAR(loss_of(loss, codes.graph, codes.batch), expected, 1e-9) << loss.name() << tree << latent;
        EXPECT_GT(expected, 0.0);
        Carry carry;
        expect_gradients(
            codes.graph, loss.evaluate(codes.graph, codes.batch, carry, Key(0)),
            [&] { return loss_of(loss, codes.graph, codes.batch); }, 1e-7, loss.name());
      }
      EXPECT_NEAR(loss_of(StructuredLoss({codes.y}, Kind::Nll), codes.graph, codes.batch),
                  loss_of(ConditionalLikelihood({codes.y}), codes.graph, codes.batch), 1e-12);
    }
  }
}

TEST(StructuredLossTest, NothingCountsPastTheEndsOfSequences) {
  // Two tags, padded to four with others' codes, beside the same two alone.
  FactorGraph graph;
  const Variable tags = graph.categorical("tags", {0, 3}), words = graph.real("words", {0, 2});
  graph.add(Chain(tags, Linear(2, 3, Key(1)), words));
  randomise(graph, Key(2));
  const std::vector<double> codes = {1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0},
                            features = {0.4, -1, 0.3, 0.8, 0.1, 0.6, -0.7, 0.2};
  Context context;
  context.lengths = Tensor::from(std::vector<double>{2.0}, {1}, {Dtype::F64, Device::Cpu});
  const State
      padded =
          State().in(context).set(words, numbers(features, {1, 4, 2})).set(tags, numbers(codes, {1, 4, 3})),
      alone = State()
                  .set(words, numbers({0.4, -1, 0.3, 0.8}, {1, 2, 2}))
                  .set(tags, numbers({1, 0, 0, 0, 0, 1}, {1, 2, 3}));
  for (const Kind kind : kKinds) {
    const StructuredLoss loss({tags}, kind);
    EXPECT_NEAR(loss.losses(graph, padded).item(), loss.losses(graph, alone).item(), 1e-12) << loss.name();
  }
}

TEST(StructuredLossTest, LatentSegmentations) {
  FactorGraph graph;
  const Variable y = graph.categorical("y", {3, 3}), z = graph.binary("z", {4, 2}), x = graph.real("x", {3});
  graph.add(Segments(y, z, Linear(3, 16, Key(1)), x));
  randomise(graph, Key(2));
  const Tensor data = normal(Key(3), {2, 3}, f64());
  const std::vector<double> answers = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0};
  const State batch = State().set(x, data).set(y, numbers(answers, {2, 3, 3}));
  for (const Kind kind : kKinds) {
    const StructuredLoss loss({y}, kind, {.cost = 0.7});
    double expected = 0.0;
    for (Index n = 0; n < 2; ++n) {
      const Brute all(graph, y, {z}, State().set(x, data.rows(n, n + 1)));
      expected += 0.5 * all.loss(kind, 0.7, {answers.begin() + n * 9, answers.begin() + n * 9 + 9});
    }
    EXPECT_NEAR(loss_of(loss, graph, batch), expected, 1e-9) << loss.name();
    if (device() != Device::Cpu) continue;  // the same rules of the same ops, many times as slow
    Carry carry;
    expect_gradients(
        graph, loss.evaluate(graph, batch, carry, Key(0)), [&] { return loss_of(loss, graph, batch); }, 1e-7,
        loss.name());
  }
  // Cuts that a function knows: the likelihood of the labels given them.
  const Tensor cuts = numbers({0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0}, {2, 4, 2});
  const Prepared cut(std::make_shared<const Contrast>(ConditionalLikelihood({y})),
                     [&](const State& state, Key) { return state.with(z, cuts); });
  EXPECT_NEAR(loss_of(cut, graph, batch), loss_of(ConditionalLikelihood({y}), graph, batch.with(z, cuts)),
              1e-12);
}

TEST(StructuredLossTest, BinaryOutputs) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2}), b = graph.binary("b", {3}), c = graph.binary("c", {2});
  graph.add(Bilinear(x, b, Key(1))).add(Bilinear(b, c, Key(2))).add(Bias(c));
  randomise(graph, Key(3));
  const State batch = State()
                          .set(x, numbers({0.5, -0.3}, {1, 2}))
                          .set(b, numbers({1, 0, 1}, {1, 3}))
                          .set(c, numbers({0, 1}, {1, 2}));
  const State states = [&] {
    const Distribution all = distribution(graph, {b, c}, State().set(x, numbers({0.5, -0.3}, {1, 2})));
    return all.states;
  }();
  const std::vector<double> energies = graph.energy(states).tensor().values(),
                            bs = states[b].tensor().values(), cs = states[c].tensor().values();
  double costly = INFINITY;
  for (std::size_t s = 0; s < energies.size(); ++s) {
    const double wrong = std::abs(bs[s * 3] - 1) + bs[s * 3 + 1] + std::abs(bs[s * 3 + 2] - 1) + cs[s * 2] +
                         std::abs(cs[s * 2 + 1] - 1);
    costly = std::min(costly, energies[s] - 0.6 * wrong);
  }
  const double own = graph.energy(batch).item();
  EXPECT_NEAR(loss_of(StructuredLoss({b, c}, Kind::Hinge, {.cost = 0.6}), graph, batch), own - costly, 1e-12);
}

TEST(StructuredLossTest, MistakesAreErrors) {
  const Codes codes(false, false);
  const Variable bits{"bits", Domain::Binary, {3}, 5};
  EXPECT_TRUE(contains(error_of([&] { StructuredLoss({}, Kind::Hinge); }), "a variable that the loss is of"));
  EXPECT_TRUE(
      contains(error_of([&] { StructuredLoss({codes.x}, Kind::Hinge); }), "received x, which is real"));
  EXPECT_TRUE(contains(error_of([&] { StructuredLoss({bits}, Kind::Mce); }),
                       "expected categorical outputs, received bits"));
  EXPECT_TRUE(
      contains(error_of([&] { StructuredLoss({codes.y}, Kind::Hinge, {.cost = -1.0}); }), "cost >= 0"));
  EXPECT_TRUE(contains(error_of([&] { structured_loss("hing"); }), "expected one of perceptron, hinge"));
  Carry carry;
  const StructuredLoss loss({codes.y}, Kind::Hinge);
  EXPECT_TRUE(
      contains(error_of([&] { loss.evaluate(codes.graph, State().set(codes.x, codes.data), carry, Key(0)); }),
               "to hold y"));
  const State half = codes.batch.with(codes.y, Tensor::full({2, 3, 3}, 0.5, f64()));
  EXPECT_TRUE(contains(error_of([&] { loss.evaluate(codes.graph, half, carry, Key(0)); }), "one-hot"));
}

}  // namespace
}  // namespace basin::test
