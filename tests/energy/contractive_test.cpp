#include "energy/factors/penalties/contractive.h"

#include <gtest/gtest.h>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/factors/score.h"
#include "energy/graph.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "modules/activation.h"
#include "modules/flatten.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "oracle.h"

namespace basin::test {
namespace {

std::shared_ptr<const Sequential> encoder(Activation::Kind kind, Index inputs, Index codes,
                                          Placement placement) {
  auto layers = std::make_shared<Sequential>();
  layers->add(Flatten()).add(Linear(inputs, codes, Key(1), {.placement = placement})).add(Activation(kind));
  const std::vector<Parameter> all = layers->parameters();
  all[1].tensor().copy_from(normal(Key(2), {codes}, placement));
  return layers;
}

std::vector<Value> leaves(const Module& module) {
  std::vector<Value> result;
  for (const Parameter& parameter : module.parameters()) result.push_back(parameter.value());
  return result;
}

/// |dh/dx|^2 by central differences of the encoder itself.
std::vector<double> by_differences(const Module& module, const Tensor& x) {
  constexpr double kStep = 1e-5;
  const Index samples = x.dim(0), inputs = x.size() / samples;
  std::vector<double> total(static_cast<std::size_t>(samples), 0.0);
  const std::vector<double> at = x.values();
  for (Index i = 0; i < inputs; ++i) {
    std::vector<double> above = at, below = at;
    for (Index n = 0; n < samples; ++n) {
      above[static_cast<std::size_t>(n * inputs + i)] += kStep;
      below[static_cast<std::size_t>(n * inputs + i)] -= kStep;
    }
    const std::vector<double> high =
        module.forward(Tensor::from(above, x.shape(), x.placement())).tensor().values();
    const std::vector<double> low =
        module.forward(Tensor::from(below, x.shape(), x.placement())).tensor().values();
    const std::size_t codes = high.size() / static_cast<std::size_t>(samples);
    for (std::size_t k = 0; k < high.size(); ++k)
      total[k / codes] += std::pow((high[k] - low[k]) / (2 * kStep), 2);
  }
  return total;
}

/// |dh/dx|^2 by the factor, with the rule or without.
Value squared_jacobian(std::shared_ptr<const Module> module, const Value& x, Fuse fuse) {
  FactorGraph graph;
  const Variable at = graph.real("x", {x.shape().begin() + 1, x.shape().end()});
  return Contractive(at, std::move(module), {.weight = 1.0, .fuse = fuse}).energy(State().set(at, x));
}

bool is_recognised(std::shared_ptr<const Module> module) {
  FactorGraph graph;
  return Contractive(graph.real("x", {6}), std::move(module)).rules() == Rules{"contraction"};
}

TEST(Contractive, IsTheSquaredJacobian) {
  const Tensor x = normal(Key(3), {4, 2, 3}, f64());
  const auto layers = std::make_shared<Sequential>();
  Sequential& deep = *layers;
  deep.add(Flatten()).add(Linear(6, 5, Key(4), {.placement = f64()})).add(Activation(Activation::Kind::Tanh));
  deep.add(Linear(5, 7, Key(5), {.placement = f64()})).add(Activation(Activation::Kind::Softplus));
  const std::vector<double> expected = by_differences(deep, x),
                            found = squared_jacobian(layers, x, Fuse::Auto).tensor().values();
  for (std::size_t n = 0; n < 4; ++n) EXPECT_NEAR(found[n], expected[n], 1e-7 * expected[n]);
  EXPECT_FALSE(is_recognised(layers));

  // Its derivatives, by the encoder's parameters and by the input: second derivatives of the encoder, and
  // third.
  std::vector<Value> at = leaves(deep);
  at.push_back(Value::leaf(x));
  EXPECT_EQ(
      gradcheck([&] { return squared_jacobian(layers, at.back(), Fuse::Auto); }, at, {.tolerance = 1e-5}),
      "");
}

TEST(Contractive, TheClosedFormIsTheGenericOne) {
  for (const Activation::Kind kind : {Activation::Kind::Sigmoid, Activation::Kind::Tanh}) {
    for (const Placement where : {f64(), f32()}) {
      const double tolerance = where.dtype == Dtype::F64 ? 1e-12 : 1e-5;
      const auto module = encoder(kind, 30, 17, where);
      ASSERT_TRUE(is_recognised(module));
      FactorGraph graph;
      const Variable x = graph.real("x", {5, 6});
      const Value at = Value::leaf(normal(Key(3), {8, 5, 6}, where));
      const State state = State().set(x, at);
      const Contractive fused(x, module, {.weight = 0.3}),
          generic(x, module, {.weight = 0.3, .fuse = Fuse::Off});
      EXPECT_EQ(fused.rules(), Rules{"contraction"});
      EXPECT_EQ(generic.rules(), Rules{});
      const Value a = fused.energy(state), b = generic.energy(state);
      std::vector<Value> wrt = leaves(*module);
      wrt.push_back(at);
      std::vector<Value> left = grad(sum(a), wrt), right = grad(sum(b), wrt);
      left.push_back(a);
      right.push_back(b);
      for (std::size_t i = 0; i < left.size(); ++i) {
        const std::vector<double> p = left[i].tensor().values(), q = right[i].tensor().values();
        double scale = 0.0;
        for (const double v : q) scale = std::max(scale, std::abs(v));
        for (std::size_t k = 0; k < p.size(); ++k)
          ASSERT_NEAR(p[k], q[k], tolerance * scale) << i << ", " << k;
      }
    }
  }
}

TEST(Contractive, GradientsOfTheClosedForm) {
  const auto module = encoder(Activation::Kind::Sigmoid, 6, 4, f64());
  std::vector<Value> at = leaves(*module);
  at.push_back(Value::leaf(normal(Key(3), {3, 6}, f64())));
  EXPECT_EQ(gradcheck([&] { return squared_jacobian(module, at.back(), Fuse::Auto); }, at), "");
}

TEST(Contractive, ManyCodesAreTakenInPieces) {
  // 40 codes of 300 samples of 400 numbers: 34 codes at once, and 6.
  const auto module = encoder(Activation::Kind::Sigmoid, 400, 40, f32());
  const Tensor x = normal(Key(3), {300, 400}, f32());
  const std::vector<double> generic = squared_jacobian(module, x, Fuse::Off).tensor().values();
  const std::vector<double> closed = squared_jacobian(module, x, Fuse::Auto).tensor().values();
  for (std::size_t n = 0; n < 300; ++n) ASSERT_NEAR(generic[n], closed[n], 1e-5 * closed[n]);
}

TEST(Contractive, Errors) {
  FactorGraph graph;
  const Variable x = graph.real("x", {6});
  EXPECT_EQ(error_of([&] { Contractive(x, nullptr); }),
            "[Contractive(x)] expected an encoder, received a null pointer");
  EXPECT_EQ(error_of([&] { Contractive(x, encoder(Activation::Kind::Tanh, 6, 4, f64()), {.weight = -1.0}); }),
            "[Contractive(x)] expected a weight >= 0, received -1");
}

TEST(Contractive, AContrastNamesTheRulesOfItsFactors) {
  FactorGraph graph;
  const Variable x = graph.real("x", {6}), y = graph.categorical("y", {3});
  graph.add(Score(y, Linear(6, 3, Key(1)), x)).add(Contractive(x, encoder(Activation::Kind::Tanh, 6, 4, {})));
  EXPECT_EQ(ConditionalLikelihood({y}).rules(graph), Rules{"contraction"});
}

}  // namespace
}  // namespace basin::test
