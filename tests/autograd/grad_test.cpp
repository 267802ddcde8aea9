#include "autograd/grad.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <cmath>
#include <functional>

#include "samples.h"

namespace basin {
namespace {

using test::host;
using test::numbers;
using test::random;
using test::Values;

/// An op that counts how often its rule runs.
Value counted(const Value& x, int& runs) {
  return Value::result(x.tensor(), {x},
                       [&runs](std::size_t, const Value& gradient, const Values&, const Value&) {
                         ++runs;
                         return gradient;
                       });
}

/// Two inputs; the rule counts the calls for each.
Value counted_product(const Value& a, const Value& b, std::vector<int>& runs) {
  return Value::result((a * b).tensor(), {a, b},
                       [&runs](std::size_t index, const Value& gradient, const Values& inputs, const Value&) {
                         ++runs[index];
                         return gradient * inputs[1 - index];
                       });
}

/// Runs the body on a stack of 256 KiB, which any recursion over a long chain overflows.
void on_small_stack(const std::function<void()>& body) {
  pthread_attr_t attributes;
  pthread_t thread;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256 * 1024), 0);
  const auto call = [](void* given) -> void* {
    (*static_cast<const std::function<void()>*>(given))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, call, const_cast<std::function<void()>*>(&body)), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
}

TEST(Grad, OnlyResultsOfTrackedInputsCarryHistory) {
  const Value constant = random({2}), leaf = Value::leaf(random({2}));
  EXPECT_FALSE((constant * 2.0 + exp(constant)).tracked());
  EXPECT_TRUE((constant * leaf).tracked());
  EXPECT_FALSE((constant * leaf).detached().tracked());
  EXPECT_FALSE((constant * leaf.detached()).tracked());
  EXPECT_FALSE(Value().tracked());
  EXPECT_FALSE(Value().defined());
}

TEST(Grad, UnusedInputsGetZeros) {
  const Value x = Value::leaf(random({2, 3})), unused = Value::leaf(random({4}, 1));
  const Values g = grad(sum(x * 2.0), {unused, x});
  EXPECT_EQ(host(g[0]), std::vector<double>(4, 0.0));
  EXPECT_EQ(host(g[1]), std::vector<double>(6, 2.0));
  EXPECT_EQ(host(grad(Value(Tensor::zeros({}, test::f64())), {x})[0]), std::vector<double>(6, 0.0));
}

TEST(Grad, NothingIsStored) {
  const Value x = Value::leaf(random({3}));
  const Value y = sum(square(x));
  const std::vector<double> first = host(grad(y, {x})[0]);
  EXPECT_EQ(host(grad(y, {x})[0]), first);
}

TEST(Grad, IntermediateValuesAndTheOutputItself) {
  const Value x = Value::leaf(numbers({2, 3}, {2}));
  const Value y = square(x), z = sum(y * y);
  const Values g = grad(z, {y, x, z});
  EXPECT_EQ(host(g[0]), (std::vector<double>{8, 18}));    // 2 y
  EXPECT_EQ(host(g[1]), (std::vector<double>{32, 108}));  // 4 x^3
  EXPECT_EQ(host(g[2]), (std::vector<double>{1}));
}

TEST(Grad, TheSameValueMayBeAskedForTwice) {
  const Value x = Value::leaf(numbers({2, 3}, {2}));
  const Values g = grad(sum(square(x)), {x, x});
  EXPECT_EQ(host(g[0]), (std::vector<double>{4, 6}));
  EXPECT_EQ(host(g[1]), (std::vector<double>{4, 6}));
}

TEST(Grad, CotangentContracts) {
  const Value x = Value::leaf(numbers({1, 2, 3}, {3}));
  EXPECT_EQ(host(vector_jacobian_product(square(x), numbers({1, 10, 100}, {3}), {x})[0]),
            (std::vector<double>{2, 40, 600}));
}

TEST(Grad, RulesRunOncePerNodeAndOnlyWhereNeeded) {
  const Value x = Value::leaf(random({2})), other = Value::leaf(random({2}, 1));
  int used = 0, aside = 0, below = 0;
  const Value bottom = counted(x, below);
  const Value middle = counted(bottom, used);
  const Value y = sum(middle * middle + exp(middle) + counted(other, aside));
  grad(y, {x});
  EXPECT_EQ(used, 1);
  EXPECT_EQ(below, 1);
  EXPECT_EQ(aside, 0);
  grad(y, {middle});
  EXPECT_EQ(used, 1);  // below `middle` nothing runs
  EXPECT_EQ(below, 1);

  std::vector<int> runs(2, 0);
  const Value product = sum(counted_product(x, other, runs));
  grad(product, {other});
  EXPECT_EQ(runs, (std::vector<int>{0, 1}));
  grad(sum(counted_product(x, other.detached(), runs)), {x});
  EXPECT_EQ(runs, (std::vector<int>{1, 1}));
}

TEST(Grad, RecordsOnlyWhenAsked) {
  const Value x = Value::leaf(random({3}));
  const Value y = sum(exp(x) * tanh(x));
  EXPECT_FALSE(grad(y, {x})[0].tracked());
  EXPECT_TRUE(grad(y, {x}, {.differentiable = true})[0].tracked());
  const Value cotangent = Value::leaf(random({}));
  EXPECT_FALSE(vector_jacobian_product(y, cotangent, {x})[0].tracked());
  EXPECT_TRUE(vector_jacobian_product(y, cotangent, {x}, {.differentiable = true})[0].tracked());
}

TEST(Grad, AGradientDifferentiatesByItsCotangent) {
  const Value x = Value::leaf(numbers({1, 2}, {2})), c = Value::leaf(numbers({3, 5}, {2}));
  const Value g = vector_jacobian_product(square(x), c, {x}, {.differentiable = true})[0];  // 2 c x
  EXPECT_EQ(host(grad(sum(g), {c})[0]), (std::vector<double>{2, 4}));
  EXPECT_EQ(host(grad(sum(g), {x})[0]), (std::vector<double>{6, 10}));
}

TEST(Grad, ThirdDerivativeInClosedForm) {
  // f = x^3 e^(2x), f''' = (8 x^3 + 36 x^2 + 36 x + 6) e^(2x)
  const std::vector<double> at{-1.5, -0.3, 0.0, 0.7, 1.2};
  const Value x = Value::leaf(numbers(at, {5}));
  Value f = x * square(x) * exp(x * 2.0);
  for (int order = 0; order < 3; ++order) f = grad(sum(f), {x}, {.differentiable = true})[0];
  const std::vector<double> third = host(f);
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double z = at[i], expected = (8 * z * z * z + 36 * z * z + 36 * z + 6) * std::exp(2 * z);
    EXPECT_NEAR(third[i], expected, 1e-12 * std::max(1.0, std::abs(expected)));
  }
  EXPECT_TRUE(f.tracked());
}

TEST(Grad, HessianVectorProductInClosedForm) {
  // f = 1/2 x'A x + sum(x) y  has Hessian [[A, 1], [1', 0]] for symmetric A.
  const Value a = numbers({2, 1, 1, 3}, {2, 2});
  const Value x = Value::leaf(numbers({0.3, -0.2}, {1, 2})), y = Value::leaf(numbers({0.5}, {}));
  const Value f = sum(matmul(x, a) * x) * 0.5 + sum(x) * y;
  const Values h = hessian_vector_product(f, {x, y}, {numbers({1, 10}, {1, 2}), numbers({100}, {})});
  const std::vector<double> top = host(h[0]);
  EXPECT_NEAR(top[0], 2 + 10 + 100, 1e-12);
  EXPECT_NEAR(top[1], 1 + 30 + 100, 1e-12);
  EXPECT_NEAR(h[1].item(), 11, 1e-12);
}

TEST(Grad, HessianOfALinearFunctionIsZero) {
  const Value x = Value::leaf(random({3}));
  EXPECT_EQ(host(hessian_vector_product(sum(x * 3.0), {x}, {random({3}, 1)})[0]),
            std::vector<double>(3, 0.0));
}

TEST(Grad, DeepChainsOfViewsNeitherOverflowNorLeak) {
  const Value x = Value::leaf(numbers({3.0}, {1})), cotangent = Value::leaf(numbers({2.0}, {1}));
  on_small_stack([&] {
    Value y = x;
    for (int i = 0; i < 100000; ++i) y = reshape(y, i % 2 == 0 ? Shape{1, 1} : Shape{1});
    const Value g = vector_jacobian_product(y, cotangent, {x}, {.differentiable = true})[0];  // as deep again
    EXPECT_EQ(g.item(), 2.0);
    EXPECT_EQ(grad(g, {cotangent})[0].item(), 1.0);
  });
  EXPECT_EQ(x.node().use_count(), 1);
  EXPECT_EQ(cotangent.node().use_count(), 1);
}

TEST(Grad, DeepChainsOfSumsAndProducts) {
  // Each link is a buffer of its own, of which a guarded process can hold only some thousands.
  const int links = test::device() == Device::Cpu ? 100000 : 1000;
  const Value x = Value::leaf(numbers({1.0}, {1}));
  on_small_stack([&] {
    Value y = x;
    for (int i = 0; i < links; ++i) y = y + 1.0;
    EXPECT_EQ(y.item(), 1.0 + links);
    EXPECT_EQ(grad(y, {x}, {.differentiable = true})[0].item(), 1.0);
    Value z = x;
    for (int i = 0; i < links; ++i) z = z * x;
    EXPECT_EQ(grad(z, {x}, {.differentiable = true})[0].item(), 1.0 + links);
  });
  EXPECT_EQ(x.node().use_count(), 1);
}

TEST(Grad, SinglePrecisionAgrees) {
  const Tensor x = random({5, 4}), w = random({4, 3}, 1);
  const auto gradients = [](const Tensor& a, const Tensor& b) {
    const Value va = Value::leaf(a), vb = Value::leaf(b);
    return grad(sum(softplus(matmul(va, vb)) * sigmoid(matmul(va, vb)) - log_sum_exp(va, 1, {.keep = true})),
                {va, vb});
  };
  const Values wide = gradients(x, w), narrow = gradients(x.to(Dtype::F32), w.to(Dtype::F32));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(narrow[i].placement(), test::f32());
    const std::vector<double> expected = host(wide[i]), received = host(narrow[i]);
    for (std::size_t j = 0; j < expected.size(); ++j) EXPECT_NEAR(received[j], expected[j], 2e-5);
  }
}

}  // namespace
}  // namespace basin
