#include <gtest/gtest.h>

#include "autograd/grad.h"
#include "samples.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::random;

/// Expects an Error whose text begins with "[who] expected".
void expect_error(const char* who, const std::function<void()>& body) {
  try {
    body();
    ADD_FAILURE() << "no error from " << who;
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).rfind("[" + std::string(who) + "] expected", 0), 0U) << error.what();
    EXPECT_NE(std::string(error.what()).find("received"), std::string::npos) << error.what();
  }
}

using BinaryOp = Value (*)(const Value&, const Value&);
const std::vector<std::pair<const char*, BinaryOp>> kBinary = {
    {"add", [](const Value& a, const Value& b) { return a + b; }},
    {"subtract", [](const Value& a, const Value& b) { return a - b; }},
    {"multiply", [](const Value& a, const Value& b) { return a * b; }},
    {"divide", [](const Value& a, const Value& b) { return a / b; }},
    {"maximum", maximum},
    {"minimum", minimum},
    {"shrink", shrink}};

TEST(Errors, BinaryOpsNameThemselves) {
  for (const auto& named : kBinary) {
    const char* name = named.first;
    const BinaryOp op = named.second;
    const Value x = random({3, 4});
    expect_error(name, [&] { op(x, random({3})); });
    expect_error(name, [&] { op(x, x.tensor().to(Dtype::F32)); });
    expect_error(name,
                 [&] { op(x, x.tensor().to(test::device() == Device::Cpu ? Device::Guard : Device::Cpu)); });
    expect_error(name, [&] { op(x, Value()); });
    expect_error(name, [&] { op(Value(), x); });
  }
}

TEST(Errors, UnaryOpsNameThemselves) {
  using UnaryOp = Value (*)(const Value&);
  const std::vector<std::pair<const char*, UnaryOp>> ops = {
      {"exp", exp},
      {"log", log},
      {"log1p", log1p},
      {"sqrt", sqrt},
      {"square", square},
      {"reciprocal", reciprocal},
      {"abs", abs},
      {"sign", sign},
      {"step", step},
      {"sigmoid", sigmoid},
      {"tanh", tanh},
      {"softplus", softplus},
      {"relu", relu},
      {"log_ndtr", log_ndtr},
      {"inverse_mills", inverse_mills},
      {"softmax", softmax},
      {"log_softmax", log_softmax},
      {"flatten", flatten},
      {"sum_per_sample", sum_per_sample},
      {"zeros_like", zeros_like},
      {"ones_like", ones_like},
      {"negate", [](const Value& x) { return -x; }},
      {"add", [](const Value& x) { return x + 1.0; }},
      {"subtract", [](const Value& x) { return 1.0 - x; }},
      {"multiply", [](const Value& x) { return x * 2.0; }},
      {"divide", [](const Value& x) { return 1.0 / x; }}};
  for (const auto& named : ops) expect_error(named.first, [&] { named.second(Value()); });
}

TEST(Errors, MatmulNamesItself) {
  expect_error("matmul", [] { matmul(random({2, 3}), random({4, 5})); });
  expect_error("matmul", [] { matmul(random({2, 3}), random({3, 5}), {.transpose_a = true}); });
  expect_error("matmul", [] { matmul(random({2, 3}), random({3, 5}), {.transpose_b = true}); });
  expect_error("matmul", [] { matmul(random({2, 3, 4}), random({3, 5}), {.transpose_a = true}); });
  expect_error("matmul", [] { matmul(random({2, 3}), random({3})); });
  expect_error("matmul", [] { matmul(random({}), random({1, 1})); });
  expect_error("matmul", [] { matmul(random({2, 3}), random({3, 2}).to(Dtype::F32)); });
}

TEST(Errors, ReductionsNameThemselves) {
  const Value x = random({2, 3});
  expect_error("sum", [&] { sum(x, {2}); });
  expect_error("mean", [&] { mean(x, {-3}); });
  expect_error("mean", [] { mean(random({0, 3})); });
  expect_error("max", [&] { max(x, 2); });
  expect_error("max", [] { max(random({0, 3}), 0); });
  expect_error("log_sum_exp", [&] { log_sum_exp(x, -3); });
  expect_error("softmax", [] { softmax(random({})); });
  expect_error("sum_per_sample", [] { sum_per_sample(random({})); });
  expect_error("sum_to", [&] { sum_to(x, {2}); });
  expect_error("sum_to", [&] { sum_to(x, {4, 2, 3}); });
}

TEST(Errors, ShapeOpsNameThemselves) {
  const Value x = random({2, 3});
  expect_error("reshape", [&] { reshape(x, {4}); });
  expect_error("reshape", [&] { reshape(x, {-1, -1}); });
  expect_error("reshape", [&] { reshape(x, {-1, 4}); });
  expect_error("reshape", [&] { reshape(x, {-1, 0}); });
  expect_error("flatten", [] { flatten(random({})); });
  expect_error("transpose", [&] { transpose(x, {0}); });
  expect_error("transpose", [&] { transpose(x, {0, 0}); });
  expect_error("transpose", [&] { transpose(x, {0, 2}); });
  expect_error("broadcast_to", [&] { broadcast_to(x, {2, 4}); });
  expect_error("broadcast_to", [&] { broadcast_to(x, {3}); });
  expect_error("slice", [&] { slice(x, 0, 1, 3); });
  expect_error("slice", [&] { slice(x, 1, 2, 1); });
  expect_error("slice", [&] { slice(x, 1, -1, 1); });
  expect_error("slice", [&] { slice(x, 2, 0, 1); });
  expect_error("concat", [] { concat({}, 0); });
  expect_error("concat", [&] { concat({x, random({2, 2})}, 0); });
  expect_error("concat", [&] { concat({x, random({2})}, 0); });
  expect_error("concat", [&] { concat({x, x.tensor().to(Dtype::F32)}, 0); });
  expect_error("concat", [&] { concat({x, Value()}, 0); });
}

TEST(Errors, GradNamesItself) {
  const Value x = Value::leaf(random({2, 3}));
  expect_error("grad", [&] { grad(x * 2.0, {x}); });
  expect_error("grad", [&] { grad(Value(), {x}); });
  expect_error("grad", [&] { grad(sum(x), {x.detached()}); });
  expect_error("grad", [&] { grad(sum(x), {Value()}); });
  expect_error("vector_jacobian_product", [&] { vector_jacobian_product(x * 2.0, random({3}), {x}); });
  expect_error("vector_jacobian_product", [&] {
    vector_jacobian_product(x * 2.0, random({2, 3}).to(Dtype::F32), {x});
  });
  expect_error("hessian_vector_product", [&] { hessian_vector_product(sum(x), {x}, {}); });
  expect_error("hessian_vector_product", [&] { hessian_vector_product(x, {x}, {x}); });
  expect_error("hessian_vector_product", [&] { hessian_vector_product(sum(x), {x}, {random({3})}); });
  expect_error("value", [] { Value().tensor(); });
}

TEST(Errors, ARuleOfWrongShapeIsCaught) {
  const Value x = Value::leaf(random({2, 3}));
  const Value wrong =
      Value::result(sum(x).tensor(), {x},
                    [](std::size_t, const Value& g, const std::vector<Value>&, const Value&) { return g; });
  expect_error("grad", [&] { grad(wrong, {x}); });
}

}  // namespace
}  // namespace basin
