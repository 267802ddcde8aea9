#include "energy/objectives/labels/label_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/factors/score.h"
#include "energy/factors/squared_error.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "gradients.h"
#include "modules/activation.h"
#include "modules/dropout.h"
#include "modules/function.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

namespace basin::test {
namespace {

using Kind = LabelLoss::Kind;

/// The loss of two samples with energies 0.5, -1, 2 (correct: the first) and 1, 3, -0.5 (correct: the last).
std::map<std::string, double> metrics_of(Kind kind, LabelLossOptions options) {
  FactorGraph graph;
  const Variable x = graph.real("x", {3}), y = graph.categorical("y", {3});
  graph.add(Score(y, Function([](const Value& v, const Context&) { return -v; }), x));
  const State batch =
      State().set(x, numbers({0.5, -1, 2, 1, 3, -0.5}, {2, 3})).set(y, numbers({1, 0, 0, 0, 0, 1}, {2, 3}));
  Carry carry;
  return LabelLoss(y, kind, options).evaluate(graph, batch, carry, Key(0)).metrics;
}

TEST(LabelLossTest, EqualsItsFormula) {
  const double m = 1.2, b = 0.7;
  const auto total = [&](std::initializer_list<double> energies) {
    double sum = 0.0;
    for (const double e : energies) sum += std::exp(-b * e);
    return sum;
  };
  const double z1 = total({0.5, -1, 2}), z2 = total({1, 3, -0.5});
  const std::vector<std::pair<Kind, double>> expected = {
      {Kind::Energy, (0.5 - 0.5) / 2},
      {Kind::Perceptron, (1.5 + 0) / 2},
      {Kind::Hinge, ((m + 1.5) + 0) / 2},  // gaps 1.5 and -1.5
      {Kind::MultiClassMargin, ((m + 1.5) + 0 + 0 + 0) / 2},
      {Kind::Log, (std::log1p(std::exp(1.5)) + std::log1p(std::exp(-1.5))) / 2},
      {Kind::Lvq2, (m + 0) / 2},
      {Kind::Mce, (1 / (1 + std::exp(-1.5)) + 1 / (1 + std::exp(1.5))) / 2},
      {Kind::SquareSquare, (0.25 + (m + 1) * (m + 1) + 0.25 + (m - 1) * (m - 1)) / 2},
      {Kind::SquareExponential, (0.25 + b * std::exp(1) + 0.25 + b * std::exp(-1)) / 2},
      {Kind::Nll, ((0.5 + std::log(z1) / b) + (-0.5 + std::log(z2) / b)) / 2},
      {Kind::Mee, ((1 - std::exp(-b * 0.5) / z1) + (1 - std::exp(b * 0.5) / z2)) / 2},
      {Kind::Squared, (1.5 * 1.5 + 1 + 4 + 1 + 9 + 0.25) / 4},
      {Kind::OneAgainstAll, ((m + 0.5) + (m + 1) + (m - 1) + (m - 0.5)) / 2},
      {Kind::SquaredOneAgainstAll,
       ((m + 0.5) * (m + 0.5) + (m + 1) * (m + 1) + (m - 1) * (m - 1) + (m - 0.5) * (m - 0.5)) / 2}};
  ASSERT_EQ(expected.size(), label_losses().size());
  for (const auto& [kind, loss] : expected) {
    const auto metrics = metrics_of(kind, {.margin = m, .beta = b});
    const std::string& name = label_losses()[static_cast<std::size_t>(kind)];
    EXPECT_NEAR(metrics.at("loss"), loss, 1e-13) << name;
    EXPECT_NEAR(metrics.at("energy_gap"), 0.0, 1e-13) << name;
    EXPECT_EQ(metrics.at("error"), 0.5) << name;
    EXPECT_EQ(label_loss(name), kind);
  }
}

struct Net {
  FactorGraph graph;
  Variable x, y;
  State batch;
};

Net net() {
  Net made;
  made.x = made.graph.real("x", {4});
  made.y = made.graph.categorical("y", {3});
  made.graph.add(Score(made.y,
                       Sequential()
                           .add(Linear(4, 5, Key(1), {.placement = f64()}))
                           .add(Activation(Activation::Kind::Tanh))
                           .add(Dropout(0.4))
                           .add(Linear(5, 3, Key(2), {.placement = f64()})),
                       made.x));
  randomise(made.graph, Key(3), 0.7);
  made.batch.set(made.x, normal(Key(4), {4, 4}, f64()))
      .set(made.y, numbers({1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1}, {4, 3}))
      .in({.key = Key(9)});
  return made;
}

void expect_gradients(const FactorGraph& graph, const State& batch, const Objective& objective) {
  Carry carry;
  const auto loss = [&] { return objective.evaluate(graph, batch, carry, Key(0)).metrics.at("loss"); };
  const Evaluation evaluation = objective.evaluate(graph, batch, carry, Key(0));
  test::expect_gradients(graph, evaluation, loss, 2e-8, objective.name());
}

TEST(LabelLossTest, DifferentiatesAtAnyKind) {
  const Net made = net();
  for (const std::string& name : label_losses())
    expect_gradients(made.graph, made.batch,
                     LabelLoss(made.y, label_loss(name), {.margin = 1.3, .beta = 0.8}));
}

// The solution of scikit-learn 1.2's LinearSVC(C=2, dual=False, tol=1e-12) for these 12 points, its
// intercepts without penalty (intercept_scaling=1e4): with a penalty 1/(C N) of the weights nothing is left
// to gain.
TEST(LabelLossTest, SquaredOneAgainstAllIsThatOfLinearSupportVectorMachines) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2}), y = graph.categorical("y", {3});
  graph.add(Score(y, Linear(2, 3, Key(1), {.placement = f64()}), x));
  const std::vector<Parameter> parameters = graph.parameters();  // weight [2, 3], bias [3]
  ASSERT_EQ(parameters.size(), 2u);
  const std::vector<double> weight = {0.061333, 0.883008, -0.619156, 0.417937, -0.09556, -0.774876};
  Parameter(parameters[0]).set(numbers(weight, {2, 3}));
  Parameter(parameters[1]).set(numbers({-0.519227, -1.356796, 0.242987}, {3}));
  std::vector<double> labels(36, 0.0);
  for (std::size_t n = 0; n < 12; ++n) labels[3 * n + n / 4] = 1.0;
  const State batch = State()
                          .set(x, numbers({1.8, 1.4, 1.0, 3.2, 1.9, 0.0,  1.0,  0.8,  1.4,  0.4,  1.6,  1.5,
                                           2.3, 0.1, 1.9, 0.3, 0.5, -1.2, -0.7, -1.9, -3.6, -0.3, -0.1, -1.7},
                                          {12, 2}))
                          .set(y, numbers(labels, {12, 3}));
  Carry carry;
  const Evaluation found = LabelLoss(y, Kind::SquaredOneAgainstAll).evaluate(graph, batch, carry, Key(0));
  const std::vector<double> slope = found.gradients[0].to_tensor({2, 3}).values();
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(slope[i] + weight[i] / (2.0 * 12.0), 0.0, 1e-5);
  for (const double bias : found.gradients[1].to_tensor({3}).values()) EXPECT_NEAR(bias, 0.0, 1e-5);
}

TEST(LabelLossTest, NllIsTheConditionalLikelihood) {
  const Net made = net();
  Carry carry;
  const Evaluation one = LabelLoss(made.y, Kind::Nll).evaluate(made.graph, made.batch, carry, Key(0)),
                   two = ConditionalLikelihood({made.y}).evaluate(made.graph, made.batch, carry, Key(0));
  EXPECT_NEAR(one.metrics.at("loss"), two.metrics.at("loss"), 1e-13);
  for (std::size_t i = 0; i < one.gradients.size(); ++i) {
    const Shape shape = made.graph.parameters()[i].tensor().shape();
    const auto a = one.gradients[i].to_tensor(shape).values(), b = two.gradients[i].to_tensor(shape).values();
    for (std::size_t j = 0; j < a.size(); ++j) EXPECT_NEAR(a[j], b[j], 1e-13);
  }
}

/// Each answer's energy, by the graph with that answer.
std::vector<double> by_hand(const FactorGraph& graph, const Variable& y, const State& batch) {
  std::vector<double> all;
  const Index answers = y.shape[0];
  for (Index n = 0; n < batch.batch(); ++n) {
    for (Index k = 0; k < answers; ++k) {
      std::vector<double> label(static_cast<std::size_t>(batch.batch() * answers), 0.0);
      label[static_cast<std::size_t>(n * answers + k)] = 1.0;
      const Value energy = graph.energy(batch.with(y, numbers(label, {batch.batch(), answers})));
      all.push_back(energy.tensor().values()[static_cast<std::size_t>(n)]);
    }
  }
  return all;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-12) << i;
}

TEST(LabelLossTest, EnergiesOfAllAnswers) {
  const Net made = net();
  expect_near(label_energies(made.graph, made.y, made.batch).tensor().values(),
              by_hand(made.graph, made.y, made.batch));
  // Quadratic in the label, linear in it, and both.
  FactorGraph squares;
  const Variable x = squares.real("x", {4}), y = squares.categorical("y", {3});
  squares.add(SquaredError(y, Linear(4, 3, Key(5), {.placement = f64()}), x)).add(Bias(y));
  randomise(squares, Key(6));
  const State batch = State()
                          .set(x, normal(Key(4), {4, 4}, f64()))
                          .set(y, numbers({1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1}, {4, 3}));
  expect_near(label_energies(squares, y, batch).tensor().values(), by_hand(squares, y, batch));
  for (const Kind kind : {Kind::Energy, Kind::Hinge, Kind::Nll})
    expect_gradients(squares, batch, LabelLoss(y, kind));
}

TEST(LabelLossTest, LatentsAreEliminated) {
  FactorGraph graph;
  const Variable v = graph.binary("v", {3}), h = graph.binary("h", {2}), y = graph.categorical("y", {3});
  graph.add(Bias(v)).add(Bias(h)).add(Bias(y));
  graph.add(Bilinear(v, h, Key(1))).add(Bilinear(y, h, Key(2)));
  randomise(graph, Key(7));
  const State batch =
      State().set(v, numbers({1, 0, 1, 0, 0, 1}, {2, 3})).set(y, numbers({0, 1, 0, 1, 0, 0}, {2, 3}));
  for (const Elimination how : {Elimination::Sum, Elimination::Minimum}) {
    std::vector<double> expected;
    for (Index n = 0; n < 2; ++n) {
      for (Index k = 0; k < 3; ++k) {
        std::vector<double> label(3, 0.0);
        label[static_cast<std::size_t>(k)] = 1.0;
        const State states = enumerate_states({h}, 0, 4, f64());
        State all = State()
                        .set(h, states[h])
                        .set(v, repeated(batch[v].tensor().rows(n, n + 1).values(), v, 4))
                        .set(y, repeated(label, y, 4));
        double total = 0.0, least = INFINITY;
        for (const double e : graph.energy(all).tensor().values()) {
          total += std::exp(-e);
          least = std::min(least, e);
        }
        expected.push_back(how == Elimination::Sum ? -std::log(total) : least);
      }
    }
    expect_near(label_energies(graph, y, batch, how).tensor().values(), expected);
  }
  for (const Kind kind : {Kind::Nll, Kind::Hinge, Kind::Perceptron})
    expect_gradients(graph, batch, LabelLoss(y, kind));
}

/// The network of a classifier is what a step costs: it must run once forward, and once back.
TEST(LabelLossTest, TheNetworkRunsOnceAStep) {
  const auto linear = std::make_shared<Linear>(4, 3, Key(1), LinearOptions{.placement = f64()});
  const auto forwards = std::make_shared<int>(0), backwards = std::make_shared<int>(0);
  const auto counting = [=](const Value& x, const Context& context) {
    ++*forwards;
    return Value::result(linear->forward(x, context).tensor(), {linear->weight().value()},
                         [=](std::size_t, const Value& gradient, const std::vector<Value>&, const Value&) {
                           ++*backwards;
                           return matmul(x.detached(), gradient, {.transpose_a = true});
                         });
  };
  FactorGraph graph;
  const Variable x = graph.real("x", {4}), y = graph.categorical("y", {3});
  graph.add(Score(y, Function(counting, linear->parameters()), x));
  const State batch = State()
                          .set(x, normal(Key(4), {4, 4}, f64()))
                          .set(y, numbers({1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1}, {4, 3}));
  const auto likelihood = std::make_shared<Contrast>(ConditionalLikelihood({y}));
  const std::vector<std::shared_ptr<const Objective>> all = {
      likelihood, std::make_shared<LabelLoss>(y, Kind::Nll), std::make_shared<LabelLoss>(y, Kind::Hinge)};
  Carry carry;
  for (const auto& objective : all) {
    objective->evaluate(graph, batch, carry, Key(0));  // what is asked once of a graph, is asked here
    *forwards = *backwards = 0;
    for (const bool metrics : {false, true})
      objective->evaluate(graph, batch, carry, Key(0), {.metrics = metrics});
    EXPECT_EQ(*forwards, 2) << objective->name();
    EXPECT_EQ(*backwards, 2) << objective->name();
  }
}

/// A label beside an input, both coupled to binary latents; the label's weight once on either side.
TEST(LabelLossTest, EnergiesOfACoupledLabelEqualTheDerivedOnes) {
  for (const bool turned : {false, true}) {
    FactorGraph plain;
    const Variable v = plain.binary("v", {5}), y = plain.categorical("y", {3}), h = plain.binary("h", {4});
    plain.add(Bias(v)).add(Bias(y)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
    plain.add(turned ? Bilinear(h, y, Key(2)) : Bilinear(y, h, Key(2)));
    plain.to(f64());
    randomise(plain, Key(3));
    const FactorGraph graph = plain.scaled(0.7);
    const State batch = State()
                            .set(v, bernoulli(Key(4), Tensor::full({4, 5}, 0.5, f64())))
                            .set(y, numbers({1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1}, {4, 3}));
    const LabelLoss fused(y, Kind::Nll), derived(y, Kind::Nll, {.fuse = Fuse::Off});
    EXPECT_EQ(fused.rules(graph), (Rules{"coupled_label"}));
    EXPECT_TRUE(derived.rules(graph).empty());
    const std::vector<double>
        a = label_energies(graph, y, batch).tensor().values(),
        b = label_energies(graph, y, batch, Elimination::Sum, Fuse::Off).tensor().values();
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-12);
    expect_gradients(graph, batch, fused);
    Carry carry;
    const Evaluation one = fused.evaluate(graph, batch, carry, Key(0)),
                     other = derived.evaluate(graph, batch, carry, Key(0)),
                     likelihood = ConditionalLikelihood({y}).evaluate(graph, batch, carry, Key(0));
    EXPECT_NEAR(one.metrics.at("loss"), other.metrics.at("loss"), 1e-12);
    EXPECT_NEAR(one.metrics.at("loss"), likelihood.metrics.at("loss"), 1e-12);
  }
  // Latents that couple with each other are left to the derived path.
  FactorGraph graph;
  const Variable v = graph.binary("v", {2}), y = graph.categorical("y", {3}), h = graph.binary("h", {2}),
                 g = graph.binary("g", {2});
  graph.add(Bilinear(v, h, Key(1))).add(Bilinear(y, h, Key(2))).add(Bilinear(h, g, Key(3)));
  graph.to(f64());
  randomise(graph, Key(4));
  const State batch =
      State().set(v, numbers({1, 0, 0, 1}, {2, 2})).set(y, numbers({1, 0, 0, 0, 0, 1}, {2, 3}));
  EXPECT_EQ(label_energies(graph, y, batch).tensor().values(),
            label_energies(graph, y, batch, Elimination::Sum, Fuse::Off).tensor().values());
}

TEST(LabelLossTest, MistakesAreErrors) {
  FactorGraph graph;
  const Variable x = graph.real("x", {4}), y = graph.categorical("y", {3}),
                 tags = graph.categorical("tags", {5, 3});
  graph.add(Score(y, Linear(4, 3, Key(1), {.placement = f64()}), x));
  EXPECT_TRUE(contains(error_of([&] { LabelLoss(x, Kind::Nll); }), "one-hot label of shape [K], received x"));
  EXPECT_TRUE(contains(error_of([&] { LabelLoss(tags, Kind::Nll); }), "received tags"));
  EXPECT_TRUE(contains(error_of([&] { LabelLoss(y, Kind::Nll, {.beta = 0.0}); }), "beta > 0"));
  EXPECT_TRUE(contains(error_of([&] { LabelLoss(y, Kind::Hinge, {.margin = -1.0}); }), "margin >= 0"));
  EXPECT_TRUE(contains(error_of([&] { label_loss("hing"); }), "expected one of energy, perceptron"));
  Carry carry;
  const State unlabelled = State().set(x, normal(Key(1), {2, 4}, f64()));
  EXPECT_TRUE(contains(error_of([&] { LabelLoss(y, Kind::Nll).evaluate(graph, unlabelled, carry, Key(0)); }),
                       "to hold y"));
  EXPECT_TRUE(contains(error_of([&] {
                         LabelLoss(y, Kind::Nll)
                             .evaluate(graph, unlabelled.with(y, numbers({1, 0, 0, 0.5, 0.5, 0}, {2, 3})),
                                       carry, Key(0));
                       }),
                       "one-hot values of y"));
}

}  // namespace
}  // namespace basin::test
