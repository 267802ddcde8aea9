// The gradient of the up-down algorithm against sums over all states of a small net: data and labels one
// sample, as many rows as draws.
#include "energy/objectives/up_down.h"

#include <gtest/gtest.h>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "belief_nets.h"
#include "energy/eliminate/eliminate.h"
#include "energy/sample_ops.h"

namespace basin::test {
namespace {

/// 3 bits of a sample, 2 units above, and at the top these, a label of 2 and 2 hidden units.
struct Trained {
  Layer up = small_rbm(3, 2, Key(1)), down = small_rbm(3, 2, Key(2));
  FactorGraph top, whole;
  Variable v, y, h, x;
  DeepBelief net;
  std::vector<Parameter> own;

  Trained() {
    v = top.binary("v", {2});
    y = top.categorical("y", {2});
    h = top.binary("h", {2});
    top.add(Bias(v)).add(Bias(y)).add(Bias(h)).add(Bilinear(v, h, Key(3))).add(Bilinear(y, h, Key(4)));
    randomise(top, Key(5));
    whole = top;
    x = whole.real("x", {3});
    net = {.layers = {{down.graph, down.v, down.h, up.graph}}, .top = top, .visible = v, .latents = {y, h}};
    for (const char* name : {"v.bias", "v.h.weight"})
      own.push_back(down.graph.parameter(name).prefixed("down"));
    for (const char* name : {"h.bias", "v.h.weight"}) own.push_back(up.graph.parameter(name).prefixed("up"));
  }
  UpDown objective(Index steps = 1) const { return {net, x, {y}, own, {.steps = steps}}; }
  State batch(Index rows) const {
    return State().set(x, repeated({1, 0, 1}, x, rows)).set(y, repeated({0, 1}, y, rows));
  }
  std::vector<Parameter> parameters() const {
    std::vector<Parameter> all = whole.parameters();
    all.insert(all.end(), own.begin(), own.end());
    return all;
  }
};

Tensor row_of(const Value& states, std::size_t row) {
  return states.tensor().rows(static_cast<Index>(row), static_cast<Index>(row) + 1);
}

/// -log p(wanted = state | known).
Value surprise(const FactorGraph& graph, const Variable& wanted, const Tensor& state, const Variable& known,
               const Tensor& given) {
  const State condition = State().set(known, given);
  return graph.energy(condition.with(wanted, state)) - free_energy(graph, {wanted}, condition);
}

/// The expected loss with all probabilities of states held, so that its gradient is the one expected.
Value expected_loss(const Trained& t) {
  const Tensor data = numbers({1, 0, 1}, {1, 3}), label = numbers({0, 1}, {1, 2});
  Value loss(numbers({0}, {1}));
  const Distribution wake = distribution(t.up.graph, {t.up.h}, State().set(t.up.v, data));
  for (std::size_t s = 0; s < wake.weight.size(); ++s) {
    const Tensor x1 = row_of(wake.states[t.up.h], s);
    loss = loss + wake.weight[s] * surprise(t.down.graph, t.down.v, data, t.down.h, x1);
    const State held = State().set(t.v, x1).set(t.y, label);
    loss = loss + wake.weight[s] * free_energy(t.top, {t.h}, held);
    // A sweep: h, then v and y.
    const Distribution up = distribution(t.top, {t.h}, held);
    for (std::size_t k = 0; k < up.weight.size(); ++k) {
      const Distribution back = distribution(t.top, {t.v, t.y}, State().set(t.h, row_of(up.states[t.h], k)));
      for (std::size_t j = 0; j < back.weight.size(); ++j) {
        const double p = wake.weight[s] * up.weight[k] * back.weight[j];
        const Tensor y1 = row_of(back.states[t.v], j);
        loss =
            loss - p * free_energy(t.top, {t.h}, State().set(t.v, y1).set(t.y, row_of(back.states[t.y], j)));
        const std::vector<double> mean =
            distribution(t.down.graph, {t.down.v}, State().set(t.down.h, y1)).mean(t.down.v);
        loss = loss + p * surprise(t.up.graph, t.up.h, y1, t.up.v, numbers(mean, {1, 3}));
      }
    }
  }
  return sum(loss);
}

TEST(UpDownTest, ItsGradientIsTheExpectedOne) {
  const Trained t;
  constexpr Index kRows = 40000;
  Carry carry;
  const Evaluation found = t.objective().evaluate(t.whole, t.batch(kRows), carry, Key(7));
  const std::vector<Parameter> all = t.parameters();
  ASSERT_EQ(found.gradients.size(), all.size());
  std::vector<Value> leaves;
  for (const Parameter& parameter : all) leaves.push_back(parameter.value());
  const std::vector<Value> wanted = grad(expected_loss(t), leaves);
  double largest = 0.0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::vector<double> a = found.gradients[i].to_tensor(all[i].tensor().shape()).values(),
                              b = wanted[i].tensor().values();
    for (std::size_t j = 0; j < a.size(); ++j) {
      // A row's gradient lies in [-1, 1]: 4 standard errors of the mean.
      EXPECT_NEAR(a[j], b[j], 4.0 / std::sqrt(kRows)) << all[i].name() << " " << j;
      largest = std::max(largest, std::abs(b[j]));
    }
  }
  EXPECT_GT(largest, 0.2);
}

// With the draws held the loss is a function of the parameters: of those that nothing is drawn by, the
// gradient is that of central differences.
TEST(UpDownTest, OfTheGenerationItIsThatOfFiniteDifferences) {
  const Trained t;
  Carry carry;
  const Evaluation found = t.objective().evaluate(t.whole, t.batch(5), carry, Key(7));
  const Parameter bias = t.own.front();  // of the data: y_0 alone depends on it
  const std::vector<double> at = bias.tensor().values();
  const std::vector<Value> states =
      ascend(t.net, State().set(t.down.v, repeated({1, 0, 1}, t.down.v, 5)), Key(7).fold("wake"));
  const auto loss = [&](double shift) {
    std::vector<double> moved = at;
    moved[1] += shift;
    Parameter(bias).set(numbers(moved, {3}));
    return mean(surprise(t.down.graph, t.down.v, states[0].tensor(), t.down.h, states[1].tensor())).item();
  };
  const double slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
  (void)loss(0.0);
  EXPECT_NEAR(found.gradients[t.whole.parameters().size()].to_tensor({3}).values()[1], slope, 1e-8);
}

TEST(UpDownTest, SlicesDrawAsTheWhole) {
  const Trained t;
  Carry carry;
  const auto evaluated = [&](const State& batch) {
    return t.objective(2).evaluate(t.whole, batch, carry, Key(9));
  };
  const State all = t.batch(6);
  const Evaluation whole = evaluated(all), first = evaluated(rows_of(t.whole, all, 0, 2)),
                   rest = evaluated(rows_of(t.whole, all, 2, 6));
  EXPECT_NEAR(whole.metrics.at("loss"), (2 * first.metrics.at("loss") + 4 * rest.metrics.at("loss")) / 6,
              1e-10);
  EXPECT_EQ(t.objective(2).name(), "up_down-2");
}

TEST(UpDownTest, RefusesTiedLayersAndNoSteps) {
  Trained t;
  EXPECT_TRUE(contains(error_of([&] { (void)t.objective(0); }), "[up_down] expected steps >= 1, received 0"));
  t.net.layers[0].recognition.reset();
  EXPECT_TRUE(contains(error_of([&] { (void)t.objective(); }), "received a tied one"));
}

}  // namespace
}  // namespace basin::test
