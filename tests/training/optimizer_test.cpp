#include "training/optimizers/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "support/device.h"
#include "support/error_of.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/optimizers/adam.h"
#include "training/optimizers/average.h"
#include "training/optimizers/sgd.h"

namespace basin::test {
namespace {

Tensor numbers(const std::vector<double>& values, Shape shape) {
  return Tensor::from(values, std::move(shape), f64());
}

/// The gradient of 1/2 k |p - target|^2.
Gradient pull(const Parameter& p, double k, double target) {
  std::vector<double> g = p.tensor().values();
  for (double& x : g) x = k * (x - target);
  return Gradient(numbers(g, p.tensor().shape()));
}

TEST(SgdTest, DescendsAQuadraticAsInClosedForm) {
  const std::vector<Parameter> p{Parameter("p", numbers({3.0, -1.0}, {2}))};
  Sgd sgd({.learning_rate = 0.1});
  for (int t = 0; t < 20; ++t) sgd.step(p, {pull(p[0], 2.0, 1.0)}, {});
  const double factor = std::pow(1.0 - 0.1 * 2.0, 20);  // p - 1 shrinks by 1 - rate k
  EXPECT_NEAR(p[0].tensor().values()[0], 1.0 + 2.0 * factor, 1e-14);
  EXPECT_NEAR(p[0].tensor().values()[1], 1.0 - 2.0 * factor, 1e-14);
  EXPECT_TRUE(sgd.state().empty());
}

TEST(SgdTest, MomentumFollowsItsRecurrence) {
  for (const bool nesterov : {false, true}) {
    const std::vector<Parameter> p{Parameter("p", numbers({3.0}, {1, 1}))};
    Sgd sgd({.learning_rate = 0.05, .momentum = 0.9, .nesterov = nesterov, .weight_decay = 0.2});
    double theta = 3.0, u = 0.0;  // theta without look-ahead
    for (int t = 0; t < 10; ++t) {
      const double at = nesterov ? theta + 0.9 * u : theta;
      EXPECT_NEAR(p[0].tensor().item(), at, 1e-14);
      u = 0.9 * u - 0.05 * (2.0 * (at - 1.0) + 0.2 * theta);
      theta += u;
      sgd.step(p, {pull(p[0], 2.0, 1.0)}, {});
    }
    EXPECT_EQ(sgd.state().size(), 1u);
    EXPECT_NEAR(sgd.state().at("velocity.p").item(), u, 1e-14);
  }
}

// As torch.optim.SGD(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.2) does: g <- g + 0.2 p, u <- 0.9 u
// + g, p <- p - 0.05 (g + 0.9 u), all at p. `l2` is that; `weight_decay`, at the point without look-ahead, is
// not.
TEST(SgdTest, NesterovWithL2IsPyTorchsWeightDecay) {
  const std::vector<Parameter> p{Parameter("p", numbers({3.0}, {1, 1}))},
      q{Parameter("p", numbers({3.0}, {1, 1}))};
  Sgd penalised({.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .restraints = {.l2 = 0.2}}),
      decayed({.learning_rate = 0.05, .momentum = 0.9, .nesterov = true, .weight_decay = 0.2});
  double torch = 3.0, u = 0.0;
  for (int t = 0; t < 10; ++t) {
    const double g = 2.0 * (torch - 1.0) + 0.2 * torch;
    u = 0.9 * u + g;
    torch -= 0.05 * (g + 0.9 * u);
    penalised.step(p, {pull(p[0], 2.0, 1.0)}, {});
    decayed.step(q, {pull(q[0], 2.0, 1.0)}, {});
    EXPECT_NEAR(p[0].tensor().item(), torch, 1e-14) << t;
  }
  EXPECT_NEAR(torch, 0.2586591389685136, 1e-12);  // of PyTorch 1.13 itself
  EXPECT_GT(std::abs(q[0].tensor().item() - torch), 1e-3);
}

TEST(SgdTest, ProductsEqualTheDenseGradient) {
  const Tensor left = normal(Key(1), {5, 3}, f64()), right = normal(Key(2), {5, 4}, f64()),
               rest = normal(Key(3), {3, 4}, f64());
  for (const double momentum : {0.0, 0.7}) {
    for (const bool nesterov : {false, true}) {
      for (const double decay : {0.0, 0.3}) {
        const SgdOptions options{
            .learning_rate = 0.2, .momentum = momentum, .nesterov = nesterov, .weight_decay = decay};
        Sgd one(options), two(options);
        const Tensor start = normal(Key(4), {3, 4}, f64());
        const std::vector<Parameter> a{Parameter("w", start.clone())}, b{Parameter("w", start.clone())};
        for (int t = 0; t < 3; ++t) {
          Gradient product(rest);
          product.add({0.5, left, right}).add({-2.0, left, right});
          one.step(a, {product}, {});
          two.step(b, {Gradient(product.to_tensor({3, 4}))}, {});
        }
        const std::vector<double> x = a[0].tensor().values(), y = b[0].tensor().values();
        for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], y[i], 1e-12);
      }
    }
  }
}

TEST(SgdTest, DecaysMatricesOnly) {
  const std::vector<Parameter> p{Parameter("w", numbers({2.0, 2.0}, {1, 2})),
                                 Parameter("b", numbers({2.0}, {1}))};
  Sgd sgd({.learning_rate = 0.5, .weight_decay = 0.1});
  sgd.step(p, {Gradient(Tensor::zeros({1, 2}, f64())), Gradient(Tensor::zeros({1}, f64()))}, {});
  EXPECT_NEAR(p[0].tensor().values()[0], 2.0 * 0.95, 1e-15);
  EXPECT_NEAR(p[1].tensor().values()[0], 2.0, 1e-15);
}

TEST(SgdTest, AnEmptyGradientLeavesItsParameterAlone) {
  const std::vector<Parameter> p{Parameter("p", numbers({2.0}, {1, 1}))};
  Sgd({.learning_rate = 1.0, .weight_decay = 1.0}).step(p, {Gradient()}, {});
  EXPECT_EQ(p[0].tensor().item(), 2.0);
}

TEST(AdamTest, FollowsItsRecurrence) {
  const std::vector<Parameter> p{Parameter("p", numbers({3.0, -2.0}, {1, 2}))};
  Adam adam({.learning_rate = 0.1, .weight_decay = 0.05});
  std::vector<double> x{3.0, -2.0}, m{0, 0}, s{0, 0};
  for (int t = 1; t <= 10; ++t) {
    for (std::size_t i = 0; i < 2; ++i) {
      const double g = 2.0 * (x[i] - 1.0);
      m[i] = 0.9 * m[i] + 0.1 * g;
      s[i] = 0.999 * s[i] + 0.001 * g * g;
      x[i] = x[i] * (1 - 0.1 * 0.05) -
             0.1 * (m[i] / (1 - std::pow(0.9, t))) / (std::sqrt(s[i] / (1 - std::pow(0.999, t))) + 1e-8);
    }
    adam.step(p, {pull(p[0], 2.0, 1.0)}, {});
    for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(p[0].tensor().values()[i], x[i], 1e-12);
  }
}

TEST(OptimizerTest, CountsMustAgree) {
  const std::vector<Parameter> p{Parameter("p", numbers({2.0}, {1}))};
  EXPECT_NE(error_of([&] {
              Sgd().step(p, {}, {});
            }).find("[sgd] expected one gradient a parameter (1), received 0"),
            std::string::npos);
  EXPECT_NE(error_of([&] { Adam().step(p, {}, {}); }).find("[adam]"), std::string::npos);
}

TEST(OptimizerTest, AForeignStateIsAnError) {
  const std::vector<Parameter> p{Parameter("p", numbers({2.0}, {1}))};
  Sgd sgd({.momentum = 0.9});
  sgd.restore({{"velocity.p", Tensor::zeros({3}, f64())}});
  EXPECT_NE(error_of([&] { sgd.step(p, {pull(p[0], 1.0, 0.0)}, {}); }).find("another model"),
            std::string::npos);
}

/// Six steps at once, and three, a restore into fresh objects, three more: the same bits, also of the
/// averages.
template <class Kind>
void expect_resumable(const Kind& kind, AverageOptions averaging) {
  struct Run {
    std::vector<Parameter> parameters{Parameter("w", normal(Key(1), {3, 2}, f64())),
                                      Parameter("b", normal(Key(2), {2}, f64()))};
    Kind optimizer;
    Average average;
    void steps(Index begin, Index end) {
      for (Index t = begin; t < end; ++t) {
        const Position position{.step = t, .epoch = t / 2, .fraction = static_cast<double>(t) / 6.0};
        optimizer.step(parameters, {pull(parameters[0], 1.5, 0.3), pull(parameters[1], 0.5, -0.2)}, position);
        average.update(parameters, position);
      }
    }
  };
  Run unbroken{.optimizer = kind, .average = Average(averaging)};
  unbroken.steps(0, 6);
  Run first{.optimizer = kind, .average = Average(averaging)};
  first.steps(0, 3);
  Run second{.parameters = first.parameters, .optimizer = kind, .average = Average(averaging)};
  second.optimizer.restore(first.optimizer.state());
  second.average.restore(first.average.state());
  second.steps(3, 6);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(second.parameters[i].tensor().values(), unbroken.parameters[i].tensor().values());
  for (const auto& [name, tensor] : unbroken.optimizer.state())
    EXPECT_EQ(second.optimizer.state().at(name).values(), tensor.values()) << name;
  for (const auto& [name, tensor] : unbroken.average.state())
    EXPECT_EQ(second.average.state().at(name).values(), tensor.values()) << name;
}

TEST(OptimizerTest, ResumedEqualsUnbroken) {
  const Schedule rate = Schedule::cosine(0.2, 0.01), momentum = Schedule::by_epoch({{0, 0.5}, {2, 0.9}});
  expect_resumable(Sgd({.learning_rate = rate}), {.from = 0.0});
  expect_resumable(Sgd({.learning_rate = rate, .momentum = momentum, .weight_decay = 0.1}),
                   {.decay = 0.9, .from = 0.3});
  expect_resumable(Sgd({.learning_rate = rate, .momentum = momentum, .nesterov = true}), {.from = 0.9});
  expect_resumable(Adam({.learning_rate = rate, .weight_decay = 0.1}), {.from = 0.5});
}

TEST(OptimizerTest, GroupsHaveRatesOfTheirOwnAndFrozenOnesKeepTheirBits) {
  const Rates rates{{"first", 0.0}, {"first.b", 0.5}, {"second", 2.0}};
  EXPECT_EQ(rate_of(rates, "first.w"), 0.0);
  EXPECT_EQ(rate_of(rates, "first.b"), 0.5);  // the longest counts
  EXPECT_EQ(rate_of(rates, "third"), 1.0);
  const auto run = [](Optimizer&& optimizer, const std::string& name) {
    const std::vector<Parameter> p{Parameter(name, numbers({3.0, 0.1}, {1, 2}))};
    for (int t = 0; t < 5; ++t) optimizer.step(p, {pull(p[0], 2.0, 1.0)}, {});
    return p[0].tensor().values();
  };
  for (const double momentum : {0.0, 0.9}) {
    const auto sgd = [&](double rate, const Rates& groups) {
      return Sgd({.learning_rate = rate, .momentum = momentum, .weight_decay = 0.1, .rates = groups});
    };
    EXPECT_EQ(run(sgd(0.1, {{"first", 0.0}}), "first.w"), (std::vector<double>{3.0, 0.1}));
    const std::vector<double> half = run(sgd(0.1, {{"first", 0.5}}), "first.w"),
                              slow = run(sgd(0.05, {}), "w");
    for (std::size_t i = 0; i < half.size(); ++i) EXPECT_NEAR(half[i], slow[i], 1e-14);
  }
  const auto adam = [](double rate, const Rates& groups) {
    return Adam({.learning_rate = rate, .weight_decay = 0.1, .rates = groups});
  };
  EXPECT_EQ(run(adam(0.1, {{"first", 0.0}}), "first.w"), (std::vector<double>{3.0, 0.1}));
  const std::vector<double> half = run(adam(0.1, {{"first", 0.5}}), "first.w"),
                            slow = run(adam(0.05, {}), "w");
  for (std::size_t i = 0; i < half.size(); ++i) EXPECT_NEAR(half[i], slow[i], 1e-14);
  EXPECT_NE(error_of([&] {
              run(Sgd({.rates = {{"scond", 1.0}}}), "second");
            }).find("second"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              run(Adam({.rates = {{"w", -1.0}}}), "w");
            }).find("at least 0"),
            std::string::npos);
}

TEST(OptimizerTest, RestoredStateIsItsOwn) {
  const std::vector<Parameter> p{Parameter("p", numbers({2.0}, {1}))};
  Sgd one({.momentum = 0.9}), two({.momentum = 0.9});
  one.step(p, {pull(p[0], 1.0, 0.0)}, {});
  const double before = one.state().at("velocity.p").item();
  two.restore(one.state());
  two.step(p, {pull(p[0], 1.0, 0.0)}, {});
  EXPECT_EQ(one.state().at("velocity.p").item(), before);
}

TEST(ScheduleTest, Values) {
  const auto at = [](const Schedule& schedule, double fraction) {
    return schedule({.step = 0, .epoch = 0, .fraction = fraction});
  };
  EXPECT_EQ(at(0.3, 0.9), 0.3);
  EXPECT_NEAR(at(Schedule::linear(0.4), 0.25), 0.3, 1e-15);
  EXPECT_NEAR(at(Schedule::linear(0.4, 0.2), 0.5), 0.3, 1e-15);
  EXPECT_NEAR(at(Schedule::geometric(1.0, 0.01), 0.5), 0.1, 1e-15);
  EXPECT_NEAR(at(Schedule::cosine(0.4, 0.2), 0.0), 0.4, 1e-15);
  EXPECT_NEAR(at(Schedule::cosine(0.4, 0.2), 0.5), 0.3, 1e-15);
  EXPECT_NEAR(Schedule::inverse_time(0.2, 100)({.step = 100}), 0.1, 1e-15);
  EXPECT_EQ(at(Schedule([](const Position& p) { return p.fraction < 0.5 ? 1.0 : 0.1; }), 0.5), 0.1);
  const Schedule ramp = Schedule::by_epoch({{0, 0.5}, {5, 0.9}});
  EXPECT_EQ(ramp({.epoch = 4}), 0.5);
  EXPECT_EQ(ramp({.epoch = 5}), 0.9);
}

TEST(ScheduleTest, MistakesAreErrors) {
  EXPECT_NE(error_of([] { Schedule::geometric(1.0, 0.0); }).find("positive"), std::string::npos);
  EXPECT_NE(error_of([] { Schedule::inverse_time(1.0, 0.0); }).find("positive"), std::string::npos);
  EXPECT_NE(error_of([] { Schedule::by_epoch({{1, 1.0}}); }).find("begin at 0"), std::string::npos);
  EXPECT_NE(error_of([] { Schedule::by_epoch({}); }).find("received none"), std::string::npos);
  EXPECT_NE(error_of([] {
              Schedule::by_epoch({{0, 1.0}, {3, 0.5}, {3, 0.2}});
            }).find("rising"),
            std::string::npos);
}

TEST(AverageTest, PolyakIsThePlainMeanFromItsBeginning) {
  const std::vector<Parameter> p{Parameter("p", numbers({0.0}, {1}))};
  Average average({.from = 0.5});
  for (int t = 0; t < 6; ++t) {
    p[0].tensor().fill(static_cast<double>(t * t));
    average.update(p, {.fraction = t / 6.0});
    EXPECT_EQ(average.state().empty(), t < 3);
  }
  EXPECT_NEAR(average.state().at("p").item(), (9.0 + 16.0 + 25.0) / 3.0, 1e-14);
}

TEST(AverageTest, ExponentialFollowsItsRecurrence) {
  const std::vector<Parameter> p{Parameter("p", numbers({0.0}, {1}))};
  Average average({.decay = 0.8, .from = 0.0});
  double expected = 0.0;
  for (int t = 0; t < 5; ++t) {
    p[0].tensor().fill(static_cast<double>(t + 2));
    average.update(p, {.fraction = t / 5.0});
    expected = t == 0 ? 2.0 : 0.8 * expected + 0.2 * (t + 2);
  }
  EXPECT_NEAR(average.state().at("p").item(), expected, 1e-14);
}

TEST(AverageTest, DecayOfOneIsAnError) {
  EXPECT_NE(error_of([] { Average({.decay = 1.0}); }).find("decay"), std::string::npos);
}

}  // namespace
}  // namespace basin::test
