#include <gtest/gtest.h>

#include <cmath>

#include "autograd/grad.h"
#include "autograd/gradcheck.h"
#include "samples.h"

namespace basin {
namespace {

using test::host;
using test::numbers;
using test::positive;
using test::random;
using test::Values;

struct Case {
  const char* name;
  Value (*op)(const Value&);
  double (*reference)(double);
  bool positive_only;
};

const std::vector<Case> kCases = {
    {"negate", [](const Value& x) { return -x; }, [](double x) { return -x; }, false},
    {"exp", exp, std::exp, false},
    {"log", log, std::log, true},
    {"log1p", log1p, std::log1p, true},
    {"sqrt", sqrt, std::sqrt, true},
    {"square", square, [](double x) { return x * x; }, false},
    {"reciprocal", reciprocal, [](double x) { return 1.0 / x; }, true},
    {"abs", abs, std::fabs, false},
    {"sign", sign, [](double x) { return x > 0   ? 1.0
                                         : x < 0 ? -1.0
                                                 : 0.0; }, false},
    {"step", step, [](double x) { return x > 0 ? 1.0 : 0.0; }, false},
    {"sigmoid", sigmoid, [](double x) { return 1.0 / (1.0 + std::exp(-x)); }, false},
    {"tanh", tanh, std::tanh, false},
    {"softplus", softplus, [](double x) { return std::log1p(std::exp(x)); }, false},
    {"relu", relu, [](double x) { return x > 0 ? x : 0.0; }, false},
    {"log_ndtr", log_ndtr, [](double x) { return std::log(0.5 * std::erfc(-x / std::sqrt(2.0))); }, false},
    {"ndtr", ndtr, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }, false},
    {"atan", atan, std::atan, false},
    {"asinh", asinh, std::asinh, false},
    {"elu", elu, [](double x) { return x > 0 ? x : std::expm1(x); }, false},
    {"inverse_mills", inverse_mills,
     [](double x) {
       return std::exp(-0.5 * x * x) /
              (0.5 * std::erfc(-x / std::sqrt(2.0)) * std::sqrt(2.0 * std::acos(-1.0)));
     },
     false},
};

TEST(Unary, DifferentiatesTwice) {
  for (const Case& c : kCases) {
    for (const Shape& shape : {Shape{7}, Shape{2, 3, 2}, Shape{}, Shape{0, 3}}) {
      SCOPED_TRACE(std::string(c.name) + to_string(shape));
      const Tensor x = c.positive_only ? positive(shape) : random(shape);
      EXPECT_EQ(gradcheck([&](const Values& v) { return c.op(v[0]); }, {x}), "");
      // Through a curved function, so that the second derivative of piecewise linear ops is asked for too.
      EXPECT_EQ(gradcheck([&](const Values& v) { return square(c.op(v[0])); }, {x}), "");
    }
  }
}

TEST(Unary, EqualsTheStandardLibrary) {
  for (const Case& c : kCases) {
    const Tensor x = c.positive_only ? positive({50}) : random({50});
    const std::vector<double> at = x.values(), wide = host(c.op(x)), narrow = host(c.op(x.to(Dtype::F32)));
    for (std::size_t i = 0; i < at.size(); ++i) {
      const double expected = c.reference(at[i]);
      EXPECT_NEAR(wide[i], expected, 1e-12 * std::max(1.0, std::abs(expected)))
          << c.name << "(" << at[i] << ")";
      EXPECT_NEAR(narrow[i], expected, 1e-5 * std::max(1.0, std::abs(expected)))
          << c.name << "(" << at[i] << ")";
    }
  }
}

TEST(Unary, SignAndStepHaveNoGradient) {
  const Value x = Value::leaf(random({4}));
  EXPECT_EQ(host(grad(sum(sign(x) + step(x)), {x})[0]), (std::vector<double>{0, 0, 0, 0}));
}

TEST(Unary, KinksAtZero) {
  const Value x = Value::leaf(numbers({0.0}, {1}));
  EXPECT_EQ(host(grad(sum(abs(x)), {x})[0])[0], 0.0);
  EXPECT_EQ(host(grad(sum(relu(x)), {x})[0])[0], 0.0);
}

TEST(Unary, SoftplusAndSigmoidKeepFiniteGradientsFarOut) {
  const Value x = Value::leaf(numbers({-800, 800}, {2}));
  EXPECT_EQ(host(softplus(x))[1], 800.0);
  EXPECT_EQ(host(grad(sum(softplus(x)), {x})[0]), (std::vector<double>{0, 1}));
  EXPECT_EQ(host(grad(sum(sigmoid(x)), {x})[0]), (std::vector<double>{0, 0}));
}

// What ops.h says of slopes that are read off y.
TEST(Unary, SlopesOfSigmoidAndTanhInTheirTails) {
  const auto slope = [](Value (*f)(const Value&), double x) {
    const Value at = Value::leaf(numbers({x}, {1}, test::f32()));
    return host(grad(sum(f(at)), {at})[0])[0];
  };
  const auto of_sigmoid = [](double x) { return 1.0 / ((1.0 + std::exp(-x)) * (1.0 + std::exp(x))); };
  const auto of_tanh = [](double x) { return 1.0 / (std::cosh(x) * std::cosh(x)); };
  for (double x = -30.0; x <= 30.0; x += 0.01) {
    EXPECT_NEAR(slope(sigmoid, x), of_sigmoid(x), 1.2e-7) << x;
    EXPECT_NEAR(slope(tanh, x), of_tanh(x), 1.8e-7) << x;
  }
  EXPECT_NEAR(slope(sigmoid, 10.0) / of_sigmoid(10.0), 1.0, 1e-3);
  EXPECT_NEAR(slope(sigmoid, -20.0) / of_sigmoid(-20.0), 1.0, 1e-6);  // y is small there, and exact
  EXPECT_EQ(slope(sigmoid, 17.4), 0.0);
  EXPECT_GT(slope(sigmoid, 16.0), 0.0);
  for (const double sign : {-1.0, 1.0}) {
    EXPECT_NEAR(slope(tanh, 5.0 * sign) / of_tanh(5.0), 1.0, 1e-3);
    EXPECT_EQ(slope(tanh, 9.1 * sign), 0.0);
    EXPECT_GT(slope(tanh, 8.0 * sign), 0.0);
  }
}

TEST(Unary, InverseMillsInTheFarTail) {
  // phi(y)/Phi(-y) = y + 1/y - 2/y^3 + 10/y^5 - ... (Abramowitz and Stegun 26.2.12, inverted)
  for (const double y : {20.0, 100.0, 1e3, 1e5}) {
    const double expected = y + 1.0 / y - 2.0 / (y * y * y) + 10.0 / std::pow(y, 5);
    const Value x = Value::leaf(numbers({-y}, {1}));
    EXPECT_NEAR(host(grad(sum(log_ndtr(x)), {x})[0])[0], expected, 1e-7 * expected) << y;
    const Value narrow = Value::leaf(numbers({-y}, {1}, test::f32()));
    EXPECT_NEAR(host(grad(sum(log_ndtr(narrow)), {narrow})[0])[0], expected, 1e-6 * expected) << y;
    // The variance of the normal beyond -x, 1 - m (x + m) with m the ratio, is 1/y^2 to first order: m' = -m
    // (x + m) = -1 + 1/y^2.
    EXPECT_NEAR(host(grad(sum(inverse_mills(x)), {x})[0])[0], -1.0 + 1.0 / (y * y),
                10.0 / std::pow(y, 4) + 1e-12)
        << y;
  }
}

TEST(Unary, InverseMillsIsSmoothAcrossItsTwoFormulas) {
  const Tensor near = numbers({-7.999999, -8.0, -8.000001}, {3});
  const std::vector<double> m = host(inverse_mills(near));
  EXPECT_NEAR(m[0], m[1], 2e-6);
  EXPECT_NEAR(m[1], m[2], 2e-6);
  EXPECT_NEAR(m[1], 8.121368112236113, 1e-10);
  EXPECT_EQ(gradcheck([](const Values& v) { return log_ndtr(v[0]); }, {numbers({-7.5, -8.5, -30.0}, {3})}),
            "");
}

}  // namespace
}  // namespace basin
