#include "modules/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <span>
#include <sstream>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "modules/activations.h"
#include "support/device.h"
#include "support/error_of.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

using test::error_of;

using Kind = Activation::Kind;
using Numbers = std::vector<double>;

Tensor random(Shape shape, std::uint64_t stream = 0) {
  return normal(Key(23).fold(stream), std::move(shape), test::f64());
}

Tensor numbers(const Numbers& values, Shape shape) {
  return Tensor::from(std::span<const double>(values), std::move(shape), test::f64());
}

Numbers host(const Value& value) { return value.tensor().values(); }

/// "leaky 0.1": a name and its arguments.
Activation parse_activation(const std::string& text, Placement placement = {}) {
  std::istringstream in(text);
  std::string name;
  in >> name;
  std::vector<double> arguments;
  for (double argument = 0.0; in >> argument;) arguments.push_back(argument);
  return Activation(find_activation(name)->kind, std::move(arguments), placement);
}

double slope_at(const std::string& text, double at) {
  const Value x = Value::leaf(numbers({at}, {1, 1}));
  const Activation f = parse_activation(text, test::f64());
  return host(grad(sum(f.forward(x)), {x})[0])[0];
}

struct Elementwise {
  std::string text;
  std::function<double(double)> truth;
};

const std::vector<Elementwise>& elementwise() {
  static const auto phi = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };
  static const std::vector<Elementwise> all = {
      {"identity", [](double x) { return x; }},
      {"step", [](double x) { return x > 0 ? 1.0 : 0.0; }},
      {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"tanh", [](double x) { return std::tanh(x); }},
      {"arctan", [](double x) { return std::atan(x); }},
      {"arsinh", [](double x) { return std::asinh(x); }},
      {"softsign", [](double x) { return x / (1 + std::abs(x)); }},
      {"isru 0.7", [](double x) { return x / std::sqrt(1 + 0.7 * x * x); }},
      {"isrlu 0.7", [](double x) { return x > 0 ? x : x / std::sqrt(1 + 0.7 * x * x); }},
      {"sqnl", [](double x) { return x > 2    ? 1
                                     : x > 0  ? x - x * x / 4
                                     : x > -2 ? x + x * x / 4
                                              : -1; }},
      {"relu", [](double x) { return std::fmax(x, 0); }},
      {"brelu 0.8", [](double x) { return std::fmin(0.8, std::fmax(x, 0)); }},
      {"leaky 0.1", [](double x) { return x > 0 ? x : 0.1 * x; }},
      {"prelu", [](double x) { return x > 0 ? x : 0.25 * x; }},
      {"rrelu 0.1 0.5", [](double x) { return x > 0 ? x : 0.3 * x; }},
      {"elu", [](double x) { return x > 0 ? x : std::expm1(x); }},
      {"elu 0.6", [](double x) { return x > 0 ? x : 0.6 * std::expm1(x); }},
      {"selu",
       [](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x)); }},
      {"softplus", [](double x) { return std::log1p(std::exp(x)); }},
      {"silu", [](double x) { return x / (1 + std::exp(-x)); }},
      {"gelu", [](double x) { return x * phi(x); }},
      {"shrink 0.4", [](double x) { return std::copysign(std::fmax(0, std::abs(x) - 0.4), x); }},
      {"learned_shrink 0.4", [](double x) { return std::copysign(std::fmax(0, std::abs(x) - 0.4), x); }},
      {"abs", [](double x) { return std::abs(x); }},
  };
  return all;
}

/// Both orders of derivative by the input and the parameters.
std::string check(const Activation& f, const Tensor& input, const Context& context = {}) {
  std::vector<Value> leaves{Value::leaf(input)};
  for (const Parameter& parameter : f.parameters()) leaves.push_back(parameter.value());
  return gradcheck([&] { return square(f.forward(leaves[0], context)); }, leaves);
}

TEST(Activations, TheTableIsInTheOrderOfItsKinds) {
  for (std::size_t i = 0; i < activations().size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(activations()[i].kind), i);
  EXPECT_EQ(activations().size(), static_cast<std::size_t>(Kind::Maxout) + 1);
}

TEST(Activations, EqualTheirFormulas) {
  for (const Elementwise& each : elementwise()) {
    const Tensor x = random({5, 40});
    const Activation wide = parse_activation(each.text, test::f64()),
                     narrow = parse_activation(each.text, test::f32());
    const Numbers at = x.values(), f64 = host(wide.forward(x)), f32 = host(narrow.forward(x.to(Dtype::F32)));
    for (std::size_t i = 0; i < at.size(); ++i) {
      EXPECT_NEAR(f64[i], each.truth(at[i]), 1e-14) << each.text << " of " << at[i];
      EXPECT_NEAR(f32[i], each.truth(at[i]), 1e-6) << each.text << " of " << at[i];
    }
  }
}

TEST(Activations, DifferentiateTwice) {
  for (const Elementwise& each : elementwise())
    EXPECT_EQ(check(parse_activation(each.text, test::f64()), random({3, 8}, 1)), "") << each.text;
  for (const char* text : {"prelu 0.3 8", "learned_shrink 0.3 8", "winner_take_all 3", "winner_take_all 1 4",
                           "maxout 2", "maxout 8"})
    EXPECT_EQ(check(parse_activation(text, test::f64()), random({3, 8, 2}, 2)), "") << text;
  EXPECT_EQ(check(parse_activation("rrelu", test::f64()), random({3, 8}, 3), {.key = Key(4)}), "");
}

TEST(Activations, KinksHaveTheSlopesOfTheTable) {
  for (const auto& [text, at, slope] :
       std::vector<std::tuple<const char*, double, double>>{{"step", 0.0, 0.0},
                                                            {"relu", 0.0, 0.0},
                                                            {"brelu", 0.0, 0.0},
                                                            {"brelu 2", 2.0, 0.5},
                                                            {"leaky 0.1", 0.0, 0.1},
                                                            {"prelu 0.2", 0.0, 0.2},
                                                            {"rrelu 0.2 0.4", 0.0, 0.3},
                                                            {"elu 0.6", 0.0, 0.6},
                                                            {"elu", 0.0, 1.0},
                                                            {"isrlu", 0.0, 1.0},
                                                            {"sqnl", 2.0, 0.0},
                                                            {"softsign", 0.0, 1.0},
                                                            {"shrink 0.5", 0.5, 0.0},
                                                            {"abs", 0.0, 0.0}})
    EXPECT_NEAR(slope_at(text, at), slope, 1e-15) << text << " at " << at;
}

TEST(Activations, FarOutNothingOverflows) {
  for (const Elementwise& each : elementwise()) {
    for (const double far : {-1e4, 1e4}) {
      const Value y =
          parse_activation(each.text, test::f32()).forward(Tensor::full({1, 1}, far, test::f32()));
      EXPECT_TRUE(std::isfinite(y.item())) << each.text << " of " << far;
      EXPECT_TRUE(std::isfinite(slope_at(each.text, far))) << each.text << " at " << far;
    }
  }
}

TEST(Activations, LearnedNumbersBelongToFeatures) {
  const Activation f = parse_activation("prelu 0.5 2", test::f64());
  ASSERT_EQ(f.parameters().size(), 1u);
  Parameter slope = f.parameters()[0];
  EXPECT_EQ(slope.name(), "slope");
  slope.set(numbers({0.5, 2.0}, {2}));
  EXPECT_EQ(host(f.forward(numbers({-1, -2, -3, 4}, {1, 2, 2}))), (Numbers{-0.5, -1, -6, 4}));
  EXPECT_EQ(parse_activation("learned_shrink", test::f64()).parameters()[0].name(), "threshold");
  EXPECT_NE(error_of([&] {
              f.forward(random({2, 3}));
            }).find("[prelu] expected [N, 2, ...], received [2, 3]"),
            std::string::npos);
}

TEST(Activations, RandomSlopesAreASamplesOwn) {
  const Activation f = parse_activation("rrelu 0.1 0.5", test::f64());
  const Tensor x = Tensor::full({600, 5}, -1.0, test::f64());
  const Numbers whole = host(f.forward(x, {.key = Key(5)}));
  double sum = 0.0;
  for (const double y : whole) {
    EXPECT_TRUE(-y >= 0.1 && -y < 0.5);
    sum -= y;
  }
  EXPECT_NEAR(sum / 3000.0, 0.3, 4.0 * 0.4 / std::sqrt(12.0 * 3000.0));  // four deviations
  const Numbers tail = host(f.forward(x.rows(590, 600), {.key = Key(5), .first_row = 590}));
  EXPECT_TRUE(std::equal(tail.begin(), tail.end(), whole.end() - 50));
  const Numbers twice = host(f.forward(x.rows(0, 4), {.key = Key(5), .replicas = 2}));
  EXPECT_TRUE(std::equal(twice.begin(), twice.begin() + 5, twice.begin() + 5));
  EXPECT_TRUE(std::equal(twice.begin() + 10, twice.begin() + 15, whole.begin() + 5));
}

TEST(Activations, WinnersOfGroupsAndOfAll) {
  const Tensor x = numbers({3, 1, -4, 2, 2, 2}, {1, 6});
  EXPECT_EQ(host(parse_activation("winner_take_all 2").forward(x)), (Numbers{3, 0, 0, 2, 0, 0}));
  EXPECT_EQ(host(parse_activation("winner_take_all 1 3").forward(x)), (Numbers{3, 0, 0, 2, 0, 0}));
  // Features of images compete at each place.
  const Tensor image = numbers({1, 5, 2, 4}, {1, 2, 2});
  EXPECT_EQ(host(parse_activation("winner_take_all 1 2").forward(image)), (Numbers{0, 5, 2, 0}));
}

TEST(Activations, MaxoutOfNeighbouringFeatures) {
  const Value y = parse_activation("maxout 2").forward(numbers({1, 5, 2, 4, -1, -3, -2, -2}, {1, 4, 2}));
  EXPECT_EQ(y.shape(), (Shape{1, 2, 2}));
  EXPECT_EQ(host(y), (Numbers{2, 5, -1, -2}));
}

TEST(Activations, ByName) {
  for (const ActivationRow& row : activations()) EXPECT_EQ(find_activation(row.name), &row);
  EXPECT_EQ(find_activation("rellu"), nullptr);
  EXPECT_EQ(find_activation(""), nullptr);
  const Activation f = parse_activation("rrelu 0.2");
  EXPECT_EQ(f.kind(), Kind::Rrelu);
  EXPECT_EQ(f.arguments(), (Numbers{0.2, 1.0 / 3.0}));
  EXPECT_TRUE(parse_activation("identity").is_affine());
  EXPECT_FALSE(parse_activation("relu").is_affine());
}

TEST(Activations, MistakesAreErrors) {
  for (const auto& [text, message] : std::vector<std::pair<const char*, const char*>>{
           {"leaky 0.1 2", "[leaky] expected at most 1 arguments, received 2"},
           {"maxout", "[maxout] expected a number for group, received none"},
           {"maxout 2.5", "[maxout] expected a whole group"},
           {"maxout 0", "[maxout] expected a whole group in [1, "},
           {"shrink -1", "[shrink] expected a finite a in [0, inf], received -1"},
           {"rrelu 0.5 0.1", "[rrelu] expected low <= high"}})
    EXPECT_NE(error_of([text = text] { parse_activation(text); }).find(message), std::string::npos) << text;
  EXPECT_NE(error_of([] { Activation(Kind::Leaky, {std::nan("")}); }).find("[leaky] expected a finite a"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              parse_activation("maxout 4").forward(random({2, 6}));
            }).find("groups of 4"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              parse_activation("winner_take_all 7").forward(random({2, 6}));
            }).find("at most 6"),
            std::string::npos);
}

}  // namespace
}  // namespace basin
