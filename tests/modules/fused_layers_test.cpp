#include "modules/sequential/fused_layers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "layers.h"
#include "modules/activation.h"
#include "modules/flatten.h"
#include "modules/images/conv2d.h"
#include "modules/images/pool2d.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"

namespace basin {
namespace {

using test::check;
using test::f64;
using test::random;

/// The modules one after another, as Sequential would without a rewrite.
Value one_by_one(const Sequential& net, Value y) {
  for (const auto& module : net.modules()) y = module->forward(y);
  return y;
}

TEST(FusedLayers, EqualTheirNeighboursOneAfterAnother) {
  for (const auto kind : {Activation::Kind::Relu, Activation::Kind::Tanh, Activation::Kind::Sigmoid}) {
    for (const auto pool : {Pool2d::Kind::Max, Pool2d::Kind::Average}) {
      const Sequential net = Sequential()
                                 .add(Conv2d(2, 3, {3, 3}, Key(1), {.padding = {1, 1}, .placement = f64()}))
                                 .add(Activation(kind))
                                 .add(Pool2d(pool, {2, 2}));
      for (Parameter parameter : net.parameters()) parameter.set(random(parameter.tensor().shape(), 3));
      EXPECT_EQ(fused_layers(net.modules(), 0, random({2, 2, 6, 5}))->modules,
                pool == Pool2d::Kind::Max ? 3u : 2u);
      const Value x = Value::leaf(random({2, 2, 6, 5}));
      std::vector<Value> leaves{x};
      for (const Parameter& parameter : net.parameters()) leaves.push_back(parameter.value());
      const Value fused = net.forward(x), derived = one_by_one(net, x);
      const std::vector<Value> found = grad(sum(square(fused)), leaves),
                               expected = grad(sum(square(derived)), leaves);
      const auto near = [](const Value& a, const Value& b) {
        const std::vector<double> left = test::host(a), right = test::host(b);
        ASSERT_EQ(left.size(), right.size());
        for (std::size_t i = 0; i < left.size(); ++i)
          EXPECT_NEAR(left[i], right[i], 1e-12 * (1.0 + std::abs(right[i])));
      };
      near(fused, derived);
      Sequential off(SequentialOptions{.fused = false});
      for (const auto& module : net.modules()) off.add(module);
      EXPECT_EQ(test::host(off.forward(x)), test::host(derived));
      EXPECT_TRUE(net.fuses());
      EXPECT_FALSE(off.fuses());
      for (std::size_t i = 0; i < found.size(); ++i) near(found[i], expected[i]);
      EXPECT_EQ(check(net, random({1, 2, 4, 5})), "");
    }
  }
}

TEST(FusedLayers, OfUnitsHaveTheBitsOfTheirNeighbours) {
  for (const auto kind : {Activation::Kind::Relu, Activation::Kind::Tanh, Activation::Kind::Sigmoid}) {
    for (const Dtype dtype : {Dtype::F64, Dtype::F32}) {
      const Placement placement{dtype, test::device()};
      Sequential net;
      net.add(Linear(40, 140, Key(1), {.placement = placement})).add(Activation(kind));
      net.add(Linear(140, 3, Key(2), {.placement = placement})).add(Activation(kind));
      const Value x = Value::leaf(random({30, 40}).to(placement));
      std::vector<Value> leaves{x};
      for (const Parameter& parameter : net.parameters()) leaves.push_back(parameter.value());
      EXPECT_EQ(fused_layers(net.modules(), 0, x)->modules, 2u);
      const Value fused = net.forward(x), derived = one_by_one(net, x);
      EXPECT_EQ(test::host(fused), test::host(derived));
      const std::vector<Value> found = grad(sum(square(fused)), leaves),
                               expected = grad(sum(square(derived)), leaves);
      for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(test::host(found[i]), test::host(expected[i]));
      if (dtype == Dtype::F32) continue;
      EXPECT_EQ(check(net, random({2, 40})), "");
    }
  }
}

TEST(FusedLayers, TakeNoOtherNeighbours) {
  const Tensor x = random({1, 1, 4, 4});
  const auto fuses = [&](const Sequential& net) { return fused_layers(net.modules(), 0, x).has_value(); };
  const ConvOptions options{.placement = f64()};
  EXPECT_TRUE(
      fuses(Sequential().add(Conv2d(1, 2, {3, 3}, Key(1), options)).add(Activation(Activation::Kind::Relu))));
  EXPECT_FALSE(fuses(Sequential().add(Conv2d(1, 2, {3, 3}, Key(1), options))));
  EXPECT_FALSE(fuses(Sequential().add(Conv2d(1, 2, {3, 3}, Key(1), options)).add(Flatten())));
  EXPECT_FALSE(fuses(
      Sequential().add(Conv2d(1, 2, {3, 3}, Key(1), options)).add(Activation(Activation::Kind::Softplus))));
  EXPECT_FALSE(fuses(Sequential()
                         .add(Conv2d(1, 2, {3, 3}, Key(1), {.bias = false, .placement = f64()}))
                         .add(Activation(Activation::Kind::Relu))));
  // Units of steps of sequences, and a single unit, whose bias is summed in another order.
  const Sequential units =
      Sequential().add(Linear(4, 2, Key(1), {.placement = f64()})).add(Activation(Activation::Kind::Relu));
  EXPECT_TRUE(fused_layers(units.modules(), 0, random({3, 4})).has_value());
  EXPECT_FALSE(fused_layers(units.modules(), 0, random({3, 2, 4})).has_value());
  EXPECT_FALSE(fused_layers(Sequential()
                                .add(Linear(4, 1, Key(1), {.placement = f64()}))
                                .add(Activation(Activation::Kind::Relu))
                                .modules(),
                            0, random({3, 4}))
                   .has_value());
}

}  // namespace
}  // namespace basin
