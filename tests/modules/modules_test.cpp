#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <span>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "modules/activation.h"
#include "modules/dropout.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

using Values = std::vector<Value>;

Tensor random(Shape shape, std::uint64_t stream = 0) {
  return normal(Key(21).fold(stream), std::move(shape), test::f64());
}

Tensor numbers(const std::vector<double>& values, Shape shape) {
  return Tensor::from(std::span<const double>(values), std::move(shape), test::f64());
}

std::vector<double> host(const Value& value) { return value.tensor().values(); }

/// Both orders of derivative by the input and by every parameter, at random points.
std::string check(const Module& module, const Tensor& input, const Context& context = {}) {
  Values leaves{Value::leaf(input)};
  for (Parameter parameter : module.parameters()) {
    parameter.set(random(parameter.value().shape(), leaves.size()));
    leaves.push_back(parameter.value());
  }
  return gradcheck([&] { return module.forward(leaves[0], context); }, leaves);
}

TEST(Parameter, IsASharedHandle) {
  Parameter a("w", random({2, 3}));
  Parameter b = a.prefixed("layer");
  EXPECT_EQ(a.name(), "w");
  EXPECT_EQ(b.name(), "layer.w");
  EXPECT_EQ(b.prefixed("0").name(), "0.layer.w");
  EXPECT_TRUE(a.value().tracked());
  b.set(Tensor::full({2, 3}, 7.0, test::f64()));
  EXPECT_EQ(host(a.value()), std::vector<double>(6, 7.0));
  a.tensor().fill(8.0);  // as optimizers do
  EXPECT_EQ(host(b.value()), std::vector<double>(6, 8.0));
  b.to(test::f32());
  EXPECT_EQ(a.tensor().placement(), test::f32());
  EXPECT_TRUE(a.value().tracked());
}

TEST(Parameter, KeepsItsLeafWhereNothingChanges) {
  Parameter a("w", random({2}));
  const Value before = a.value();
  a.to(test::f64());
  EXPECT_EQ(a.value().node(), before.node());
}

TEST(Parameter, RefusesOtherShapes) {
  Parameter a("w", random({2, 3}));
  EXPECT_THROW(a.set(random({3, 2})), Error);
  EXPECT_THROW(a.set(Tensor()), Error);
  EXPECT_THROW(Parameter("w", Tensor()), Error);
}

TEST(Initializer, HasTheStatedSpread) {
  const Index in = 120, out = 80, count = in * out;
  const auto moments = [&](Initializer initializer) {
    double sum = 0, squares = 0, largest = 0;
    for (const double w : initializer.weights(in, out, Key(3), test::f64()).values()) {
      sum += w;
      squares += w * w;
      largest = std::max(largest, std::abs(w));
    }
    return std::array<double, 3>{sum / static_cast<double>(count), squares / static_cast<double>(count),
                                 largest};
  };
  // 9600 draws: the mean within 4 deviations of a mean, the variance within 6 % (4 deviations of a normal's
  // variance estimate).
  const double bound = std::sqrt(6.0 / 200.0);
  const auto glorot = moments({});
  EXPECT_NEAR(glorot[0], 0.0, 4.0 * std::sqrt(0.01 / static_cast<double>(count)));
  EXPECT_NEAR(glorot[1], 2.0 / 200.0, 0.06 * 0.01);
  EXPECT_LE(glorot[2], bound);
  EXPECT_GT(glorot[2], 0.99 * bound);
  const auto he = moments({.kind = Initializer::Kind::HeNormal, .gain = 2.0});
  EXPECT_NEAR(he[1], 4.0 * 2.0 / 120.0, 0.06 * 8.0 / 120.0);
  const auto gaussian = moments({.kind = Initializer::Kind::Normal, .gain = 0.01});
  EXPECT_NEAR(gaussian[1], 1e-4, 0.06e-4);
  EXPECT_EQ(moments({.kind = Initializer::Kind::Zeros})[2], 0.0);
  EXPECT_THROW(Initializer().weights(0, 3, Key(3)), Error);
}

TEST(Linear, ComputesXWPlusB) {
  Linear linear(2, 3, Key(1), {.placement = test::f64()});
  linear.parameters()[0].set(numbers({1, 2, 3, 4, 5, 6}, {2, 3}));
  linear.parameters()[1].set(numbers({10, 20, 30}, {3}));
  const Value x = numbers({1, 0, 0, 1}, {2, 2});
  EXPECT_EQ(host(linear.forward(x)), (std::vector<double>{11, 22, 33, 14, 25, 36}));
  EXPECT_EQ(linear.weight().name(), "weight");
  EXPECT_EQ(linear.bias()->name(), "bias");
}

TEST(Linear, StartsByItsKey) {
  const Linear a(4, 3, Key(1)), same(4, 3, Key(1)), other(4, 3, Key(2));
  EXPECT_EQ(host(a.weight().value()), host(same.weight().value()));
  EXPECT_NE(host(a.weight().value()), host(other.weight().value()));
  EXPECT_EQ(host(a.bias()->value()), std::vector<double>(3, 0.0));
  EXPECT_EQ(Linear(4, 3, Key(1), {.bias = false}).parameters().size(), 1U);
}

TEST(Linear, Differentiates) {
  EXPECT_EQ(check(Linear(4, 3, Key(1)), random({5, 4})), "");
  EXPECT_EQ(check(Linear(4, 3, Key(1), {.bias = false}), random({2, 3, 4})), "");
}

TEST(Linear, NamesTheShapeItWants) {
  const Linear linear(4, 3, Key(1), {.placement = test::f64()});
  try {
    linear.forward(random({5, 2, 2}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "[linear] expected [.., 4], received [5, 2, 2]; flatten the input or change the layer's size");
  }
}

TEST(Activation, AppliesItsFunction) {
  const Value x = random({3, 4});
  EXPECT_EQ(host(Activation(Activation::Kind::Sigmoid).forward(x)), host(sigmoid(x)));
  EXPECT_EQ(host(Activation(Activation::Kind::Tanh).forward(x)), host(tanh(x)));
  EXPECT_EQ(host(Activation(Activation::Kind::Softplus).forward(x)), host(softplus(x)));
  EXPECT_EQ(host(Activation(Activation::Kind::Relu).forward(x)), host(relu(x)));
  EXPECT_TRUE(Activation(Activation::Kind::Relu).parameters().empty());
}

TEST(Activation, Differentiates) {
  using Kind = Activation::Kind;
  for (const Kind kind : {Kind::Sigmoid, Kind::Tanh, Kind::Softplus, Kind::Relu})
    EXPECT_EQ(check(Activation(kind), random({3, 4})), "");
}

TEST(Dropout, IsTheIdentityWithoutAKey) {
  const Value x = random({3, 4});
  EXPECT_EQ(Dropout(0.5).forward(x).node(), x.node());
  EXPECT_EQ(host(Dropout(0.0).forward(x, {.key = Key(1)})), host(x));
}

TEST(Dropout, DropsTheStatedShareAndKeepsTheMean) {
  const Index count = 10000;
  const Value x = Tensor::full({count}, 1.0, test::f64());
  const std::vector<double> y = host(Dropout(0.25).forward(x, {.key = Key(1)}));
  Index dropped = 0;
  for (const double value : y) {
    EXPECT_TRUE(value == 0.0 || std::abs(value - 1.0 / 0.75) < 1e-15) << value;
    dropped += value == 0.0;
  }
  const double deviation = std::sqrt(0.25 * 0.75 / static_cast<double>(count));
  EXPECT_NEAR(static_cast<double>(dropped) / static_cast<double>(count), 0.25, 4.0 * deviation);
  EXPECT_EQ(host(Dropout(0.25).forward(x, {.key = Key(1)})), y);
  EXPECT_NE(host(Dropout(0.25).forward(x, {.key = Key(2)})), y);
}

TEST(Dropout, Differentiates) { EXPECT_EQ(check(Dropout(0.5), random({3, 4}), {.key = Key(1)}), ""); }

TEST(Dropout, RefusesOtherRates) {
  EXPECT_THROW(Dropout(1.0), Error);
  EXPECT_THROW(Dropout(-0.1), Error);
  EXPECT_THROW(Dropout(std::nan("")), Error);
}

TEST(Sequential, ChainsAndNames) {
  Sequential net;
  net.add(Linear(4, 3, Key(1), {.placement = test::f64()})).add(Activation(Activation::Kind::Tanh));
  const auto last =
      std::make_shared<Linear>(3, 2, Key(2), LinearOptions{.bias = false, .placement = test::f64()});
  net.add(last);
  const std::vector<Parameter> parameters = net.parameters();
  ASSERT_EQ(parameters.size(), 3U);
  EXPECT_EQ(parameters[0].name(), "0.weight");
  EXPECT_EQ(parameters[1].name(), "0.bias");
  EXPECT_EQ(parameters[2].name(), "2.weight");
  EXPECT_EQ(parameters[2].value().node(), last->weight().value().node());

  const Value x = random({5, 4});
  const Value expected =
      matmul(tanh(matmul(x, parameters[0].value()) + parameters[1].value()), parameters[2].value());
  EXPECT_EQ(host(net.forward(x)), host(expected));
  EXPECT_EQ(Sequential().forward(x).node(), x.node());
  EXPECT_THROW(net.add(std::shared_ptr<const Module>()), Error);
}

TEST(Sequential, GivesEachModuleItsOwnKey) {
  Sequential twice;
  twice.add(Dropout(0.5)).add(Dropout(0.5));
  const Value x = Tensor::full({2000}, 1.0, test::f64());
  const std::vector<double> y = host(twice.forward(x, {.key = Key(1)}));
  const auto kept = std::count_if(y.begin(), y.end(), [](double value) { return value != 0.0; });
  EXPECT_NEAR(static_cast<double>(kept) / 2000.0, 0.25,
              4.0 * std::sqrt(0.25 * 0.75 / 2000.0));  // one shared mask would keep half
}

TEST(Sequential, Differentiates) {
  Sequential net;
  net.add(Linear(4, 3, Key(1)))
      .add(Activation(Activation::Kind::Softplus))
      .add(Dropout(0.3))
      .add(Linear(3, 2, Key(2)));
  EXPECT_EQ(check(net, random({5, 4}), {.key = Key(4)}), "");
}

}  // namespace
}  // namespace basin
