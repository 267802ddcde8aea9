// RBMs of every step of sequences, whose biases a recurrent net gives.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/factors/sequences/step_bilinear.h"
#include "energy/factors/sequences/step_score.h"
#include "energy/likelihood/step_log_likelihood.h"
#include "energy/marginal/step_bipartite.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "gradients.h"
#include "modules/dropout.h"
#include "modules/linear.h"
#include "modules/sequences/recurrent.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

namespace basin::test {
namespace {

constexpr Index kUnits = 4, kHidden = 3;

struct Model {
  FactorGraph graph;
  Variable x = graph.binary("x", {0, kUnits}), v = graph.binary("v", {0, kUnits}),
           h = graph.binary("h", {0, kHidden});

  explicit Model(double scale = 1.0) {
    Sequential net;
    net.add(Recurrent(kUnits, 3, Key(1), {.cell = RecurrentCell::Elman, .placement = f64()}))
        .add(Dropout(0.3))
        .add(Linear(3, kUnits + kHidden, Key(2), {.placement = f64()}));
    graph.add(StepBilinear(v, h, Key(3))).add(StepScore({v, h}, net, x, {.delay = 1}));
    randomise(graph, Key(4), scale);
  }
  /// x and v hold the same bits; what stands past an end is 1. All of one length have no lengths.
  State batch(const std::vector<Index>& lengths) const {
    const auto rows = static_cast<Index>(lengths.size());
    const Index steps = *std::ranges::max_element(lengths);
    std::vector<double> bits =
        bernoulli(Key(5), Tensor::full({rows, steps, kUnits}, 0.5, {Dtype::F64, Device::Cpu})).values();
    std::vector<double> ends;
    for (Index n = 0; n < rows; ++n) {
      ends.push_back(static_cast<double>(lengths[static_cast<std::size_t>(n)]));
      for (Index i = lengths[static_cast<std::size_t>(n)] * kUnits; i < steps * kUnits; ++i)
        bits[static_cast<std::size_t>(n * steps * kUnits + i)] = 1.0;
    }
    Context context;
    if (std::ranges::count(lengths, steps) != rows)
      context.lengths = Tensor::from(ends, {rows}, {Dtype::F64, Device::Cpu});
    const Tensor roll = numbers(bits, {rows, steps, kUnits});
    return State().in(context).set(x, roll).set(v, roll);
  }
  State alone(const State& batch, Index n, Index length) const {
    const Tensor own = slice(slice(batch[x], 0, n, n + 1), 1, 0, length).tensor();
    return State().set(x, own).set(v, own);
  }
  Contrast divergence(Index steps, Fuse fuse) const {
    return ContrastiveDivergence(v, BlockGibbs({{h}, {v}}), {.steps = steps, .fuse = fuse});
  }
  /// -log p of a batch of equal lengths by all states, a sample.
  double nats(const State& batch) const {
    const State given = State().set(x, batch[x]);
    const State observed = State(given).set(v, batch[v]);
    return mean(free_energy(graph, {h}, observed) - free_energy(graph, {v, h}, given)).item();
  }
};

const std::vector<Index> kLengths{4, 1, 3};

TEST(RecurrentRbm, FactorsDifferentiate) {
  const Model model;
  Context context = model.batch(kLengths).context();
  std::vector<Value> at;
  for (const Parameter& parameter : model.graph.parameters()) at.push_back(parameter.value());
  for (const Index units : {kUnits, kUnits, kHidden})
    at.push_back(Value::leaf(normal(Key(7).fold(at.size()), {3, 4, units}, f64())));
  const std::size_t n = at.size();
  EXPECT_EQ(gradcheck(
                [&] {
                  return sum(square(model.graph.energy(State()
                                                           .in(context)
                                                           .set(model.x, at[n - 3])
                                                           .set(model.v, at[n - 2])
                                                           .set(model.h, at[n - 1]))));
                },
                at),
            "");
}

/// E of a state, term by term.
TEST(RecurrentRbm, EnergyIsThatOfEveryStepAlone) {
  const Model model;
  const State batch = model.batch({2});
  const Value h = bernoulli(Key(8), Tensor::full({1, 2, kHidden}, 0.5, f64()));
  const Value f = model.graph.factors<StepScore>().front().factor->scores(batch);
  double expected = 0.0;
  const std::vector<double> w = model.graph.parameter("v.h.weight").tensor().values(),
                            b = f.tensor().values(), visible = batch[model.v].tensor().values(),
                            hidden = h.tensor().values();
  for (std::size_t t = 0; t < 2; ++t) {
    for (std::size_t i = 0; i < kUnits; ++i) {
      expected -= visible[t * kUnits + i] * b[t * (kUnits + kHidden) + i];
      for (std::size_t j = 0; j < kHidden; ++j)
        expected -= visible[t * kUnits + i] * w[i * kHidden + j] * hidden[t * kHidden + j];
    }
    for (std::size_t j = 0; j < kHidden; ++j)
      expected -= hidden[t * kHidden + j] * b[t * (kUnits + kHidden) + kUnits + j];
  }
  EXPECT_NEAR(model.graph.energy(batch.with(model.h, h)).item(), expected, 1e-12);
}

/// The first step sees nothing, the second the first alone.
TEST(RecurrentRbm, BiasesComeFromTheStepsBefore) {
  const Model model;
  const auto scores = [&](const State& at) {
    return model.graph.factors<StepScore>().front().factor->scores(at).tensor().values();
  };
  State batch = model.batch({2});
  const std::vector<double> before = scores(batch);
  const Value x = batch[model.x];
  const std::vector<double> last =
      scores(batch.with(model.x, concat({slice(x, 1, 0, 1), 1.0 - slice(x, 1, 1, 2)}, 1)));
  EXPECT_EQ(before, last);
  const std::vector<double> first =
      scores(batch.with(model.x, concat({1.0 - slice(x, 1, 0, 1), slice(x, 1, 1, 2)}, 1)));
  const auto width = static_cast<std::ptrdiff_t>(kUnits + kHidden);
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + width, first.begin()));
  EXPECT_FALSE(std::equal(before.begin() + width, before.end(), first.begin() + width));
}

TEST(RecurrentRbm, ExactGradientIsThatOfTheLikelihood) {
  const Model model(0.5);
  const State batch = model.batch({2});
  Carry carry;
  const Evaluation evaluation = ExactLikelihood({model.v}).evaluate(model.graph, batch, carry, Key(1));
  const auto loss = [&] { return model.nats(batch); };
  EXPECT_NEAR(evaluation.metrics.at("loss"), loss(), 1e-10);
  expect_gradients(model.graph, evaluation, loss, 1e-7, "exact");
}

/// The rule draws what the derived chains draw, and padding is nobody's.
TEST(RecurrentRbm, RuleEqualsTheDerivedDivergence) {
  const Model model;
  for (const std::vector<Index>& lengths : {kLengths, std::vector<Index>{3, 3}}) {
    State batch = model.batch(lengths);
    Context context = batch.context();
    context.first_row = 5;
    context.key = Key(9);  // of dropout: one mask for data and chains
    batch.in(context);
    Carry carry;
    const Contrast fused = model.divergence(3, Fuse::Auto), derived = model.divergence(3, Fuse::Off);
    EXPECT_EQ(fused.rules(model.graph), Rules{"step_bipartite"});
    EXPECT_EQ(derived.rules(model.graph), Rules{});
    const Evaluation one = fused.evaluate(model.graph, batch, carry, Key(2)),
                     other = derived.evaluate(model.graph, batch, carry, Key(2));
    EXPECT_EQ(one.metrics.size(), other.metrics.size());
    for (const auto& [name, value] : other.metrics) EXPECT_NEAR(one.metrics.at(name), value, 1e-10) << name;
    const std::vector<Parameter> parameters = model.graph.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Shape shape = parameters[i].tensor().shape();
      const std::vector<double> a = one.gradients[i].to_tensor(shape).values(),
                                b = other.gradients[i].to_tensor(shape).values();
      for (std::size_t j = 0; j < a.size(); ++j) EXPECT_NEAR(a[j], b[j], 1e-10) << parameters[i].name();
    }
  }
}

/// Chains that have run long give the likelihood's gradient, by the mean over many of them.
TEST(RecurrentRbm, LongChainsGiveTheGradientOfTheLikelihood) {
  const Model model(0.5);
  const State one = model.batch({2});
  constexpr Index kCopies = 2000;
  const Value many = concat(std::vector<Value>(kCopies, one[model.x]), 0);
  const State batch = State().set(model.x, many).set(model.v, many);
  Carry carry;
  const Evaluation sampled =
      model.divergence(12, Fuse::Auto).evaluate(model.graph, batch, carry, Key(3), {.metrics = false});
  const Evaluation exact = ExactLikelihood({model.v}).evaluate(model.graph, one, carry, Key(3));
  const std::vector<Parameter> parameters = model.graph.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Shape shape = parameters[i].tensor().shape();
    const std::vector<double> a = sampled.gradients[i].to_tensor(shape).values(),
                              b = exact.gradients[i].to_tensor(shape).values();
    // The standard error of a sum of two bits, a mean over 2,000 samples, is below 0.016; five of them.
    for (std::size_t j = 0; j < a.size(); ++j) EXPECT_NEAR(a[j], b[j], 0.08) << parameters[i].name();
  }
}

TEST(RecurrentRbm, EnumeratedStepsAddUpToTheLikelihood) {
  const Model model;
  const State batch = model.batch(kLengths);
  const StepLogLikelihoods steps = enumerate_steps(model.graph, model.v, batch);
  EXPECT_EQ(steps.lengths, kLengths);
  ASSERT_EQ(steps.nats.size(), 8u);
  std::size_t at = 0;
  for (Index n = 0; n < 3; ++n) {
    const Index length = kLengths[static_cast<std::size_t>(n)];
    double total = 0.0;
    for (Index t = 0; t < length; ++t) {
      total += steps.nats[at++];
      // A prefix is a sequence of its own.
      const State alone = model.alone(batch, n, t + 1);
      if (t < 2) {
        EXPECT_NEAR(total, -model.nats(alone), 1e-10);
      }
      EXPECT_NEAR(enumerate_steps(model.graph, model.v, alone).mean() * static_cast<double>(t + 1), total,
                  1e-10);
    }
  }
}

/// Where v and h do not interact, the bits of a step are foretold each by itself, as StepLikelihood has them.
TEST(RecurrentRbm, WithoutWeightsItIsTheLikelihoodOfEveryBit) {
  const Model model;
  Parameter weight = model.graph.parameter("v.h.weight");
  weight.set(Tensor::zeros({kUnits, kHidden}, f64()));
  const State batch = model.batch(kLengths);
  const auto biases = model.graph.factors<StepScore>().front().factor;
  const Value b = slice(biases->scores(batch), 2, 0, kUnits);
  const Value each = softplus(b) - batch[model.v] * b;
  double expected = 0.0;
  for (Index n = 0; n < 3; ++n)
    expected -=
        sum(slice(slice(each, 0, n, n + 1), 1, 0, kLengths[static_cast<std::size_t>(n)])).item() / 8.0;
  EXPECT_NEAR(enumerate_steps(model.graph, model.v, batch).mean(), expected, 1e-10);
  // The base model of annealing is then the model itself but for hidden units, which are apart.
  const StepLogLikelihoods annealed =
      anneal_steps(model.graph, model.v, batch, {.chains = 3, .temperatures = 2, .key = Key(1)});
  EXPECT_NEAR(annealed.mean(), expected, 1e-10);
  EXPECT_NEAR(annealed.standard_error(), 0.0, 1e-7);
}

TEST(RecurrentRbm, AnnealedStepsAgreeWithEnumeratedOnes) {
  const Model model(1.5);
  const State batch = model.batch(kLengths);
  const StepLogLikelihoods exact = enumerate_steps(model.graph, model.v, batch);
  for (const Index mean_field : {0, 10}) {
    const StepLogLikelihoods annealed =
        anneal_steps(model.graph, model.v, batch,
                     {.chains = 500, .temperatures = 20, .mean_field = mean_field, .key = Key(6)});
    ASSERT_EQ(annealed.nats.size(), exact.nats.size());
    for (std::size_t i = 0; i < exact.nats.size(); ++i) {
      EXPECT_NEAR(annealed.nats[i], exact.nats[i], 5.0 * annealed.relative_errors[i]) << i;
      EXPECT_LT(annealed.relative_errors[i], 0.1);
      EXPECT_GT(annealed.effective_samples[i], 100.0);
    }
    EXPECT_NEAR(annealed.mean(), exact.mean(), 5.0 * annealed.standard_error());
    EXPECT_GT(annealed.bias(), 0.0);
  }
}

TEST(RecurrentRbm, RefusesWhatIsNone) {
  FactorGraph graph;
  const Variable x = graph.binary("x", {0, 2}), v = graph.binary("v", {0, 2}), h = graph.binary("h", {3});
  const auto net = std::make_shared<const Linear>(2, 2, Key(1));
  EXPECT_THROW(StepBilinear(v, h, Key(1)), Error);
  EXPECT_THROW(StepBilinear(v, v, Key(1)), Error);
  EXPECT_THROW(StepScore({}, net, x), Error);
  EXPECT_THROW(StepScore({v, h}, net, x), Error);
  EXPECT_THROW(StepScore({x}, net, x), Error);
  EXPECT_THROW(StepScore({v}, net, x, {.delay = -1}), Error);
  EXPECT_THROW(StepScore({v, x}, net, v), Error);  // too few numbers
  graph.add(StepScore({v}, net, x));
  EXPECT_FALSE(recognise_step_bipartite(graph));
  const Tensor roll = Tensor::zeros({1, 2, 2});
  const State batch = State().set(x, roll).set(v, roll);
  EXPECT_THROW(enumerate_steps(graph, v, batch), Error);
  FactorGraph large;
  const Variable u = large.binary("u", {0, 17}), a = large.binary("a", {0, 17}),
                 b = large.binary("b", {0, 17});
  large.add(StepBilinear(a, b, Key(1))).add(StepScore({a, b}, Linear(17, 34, Key(2)), u));
  const Tensor bits = Tensor::zeros({1, 1, 17});
  EXPECT_TRUE(recognise_step_bipartite(large));
  EXPECT_THROW(enumerate_steps(large, a, State().set(u, bits).set(a, bits)), Error) << "2^17 states";
  const Model model;
  EXPECT_THROW(anneal_steps(model.graph, model.x, model.batch({2}), {}), Error);
  EXPECT_THROW(anneal_steps(model.graph, model.v, model.batch({2}), {.chains = 0}), Error);
}

}  // namespace
}  // namespace basin::test
