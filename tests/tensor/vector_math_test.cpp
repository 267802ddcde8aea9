#include <cmath>
#include <string>

#include "tensor/kernels.h"
#include "tensor/key.h"
#include "tensor/random.h"

namespace basin::test {
namespace {

struct Function {
  std::string name;
  Unary op;
  double (*truth)(double);
  double lowest, highest;  // the arguments tried
  double ulps;             // f32 error allowed, in units of the last place of the result
};

double log_normal_cdf_truth(double x) {
  if (x > -30.0)
    return x > 0.0 ? std::log1p(-0.5 * std::erfc(x / std::sqrt(2.0)))
                   : std::log(0.5 * std::erfc(-x / std::sqrt(2.0)));
  double series = 1.0, term = 1.0;  // Phi(x) ~ phi(x) / |x| (1 - 1/x^2 + 1 3/x^4 - ...)
  for (int k = 1; k <= 8; ++k) series += term *= -(2.0 * k - 1.0) / (x * x);
  return -0.5 * x * x - 0.5 * std::log(2.0 * 3.14159265358979323846) - std::log(-x) + std::log(series);
}

const std::vector<Function>& functions() {
  static const std::vector<Function> all = {
      {"exp", Unary::Exp, [](double x) { return std::exp(x); }, -87.0, 88.7, 2.0},
      {"log", Unary::Log, [](double x) { return std::log(x); }, 1e-30, 100.0, 2.0},
      {"log1p", Unary::Log1p, [](double x) { return std::log1p(x); }, -0.9999, 50.0, 3.0},
      {"log1p near 0", Unary::Log1p, [](double x) { return std::log1p(x); }, -1e-3, 1e-3, 3.0},
      {"sqrt", Unary::Sqrt, [](double x) { return std::sqrt(x); }, 0.0, 1e6, 0.51},
      {"square", Unary::Square, [](double x) { return x * x; }, -1e3, 1e3, 0.51},
      {"reciprocal", Unary::Reciprocal, [](double x) { return 1.0 / x; }, 1e-3, 1e3, 0.51},
      {"sigmoid", Unary::Sigmoid, [](double x) { return 1.0 / (1.0 + std::exp(-x)); }, -80.0, 80.0, 3.0},
      {"tanh", Unary::Tanh, [](double x) { return std::tanh(x); }, -12.0, 12.0, 3.0},
      {"tanh near 0", Unary::Tanh, [](double x) { return std::tanh(x); }, -0.7, 0.7, 3.0},
      {"softplus", Unary::Softplus,
       [](double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }, -80.0, 80.0, 3.0},
      {"log_ndtr", Unary::LogNdtr, log_normal_cdf_truth, -200.0, 5.0, 1.0},
      {"atan", Unary::Atan, [](double x) { return std::atan(x); }, -20.0, 20.0, 3.0},
      {"asinh", Unary::Asinh, [](double x) { return std::asinh(x); }, -20.0, 20.0, 4.0},
      {"asinh far out", Unary::Asinh, [](double x) { return std::asinh(x); }, -1e5, 1e5, 4.0},
      {"ndtr", Unary::Ndtr, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }, -13.0, 6.0, 5.0},
      {"ndtr near 0", Unary::Ndtr, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }, -1.5, 1.5,
       4.0},
      {"elu", Unary::Elu, [](double x) { return x > 0.0 ? x : std::expm1(x); }, -20.0, 3.0, 4.0},
      {"elu near 0", Unary::Elu, [](double x) { return x > 0.0 ? x : std::expm1(x); }, -0.5, 0.1, 4.0},
      {"neg", Unary::Neg, [](double x) { return -x; }, -3.0, 3.0, 0.0},
      {"abs", Unary::Abs, [](double x) { return std::abs(x); }, -3.0, 3.0, 0.0},
      {"relu", Unary::Relu, [](double x) { return x > 0.0 ? x : 0.0; }, -3.0, 3.0, 0.0},
      {"sign", Unary::Sign, [](double x) { return x > 0.0 ? 1.0 : -1.0; }, -3.0, 3.0, 0.0},
      {"step", Unary::Step, [](double x) { return x > 0.0 ? 1.0 : 0.0; }, -3.0, 3.0, 0.0},
  };
  return all;
}

std::vector<double> apply(Unary op, const Tensor& x) {
  Tensor y(x.shape(), x.placement());
  kernels().unary(op, x.dtype(), x.data(), y.data(), x.size());
  return y.values();
}

std::vector<double> apply(Unary op, const std::vector<double>& x, Placement where) {
  return apply(op, Tensor::from(x, {static_cast<Index>(x.size())}, where));
}

/// Arguments of a function, 50,001 of them so that vectors have a rest and threads a share.
Tensor arguments(const Function& f, Placement where) {
  std::vector<double> x = uniform(Key(1), {50001}, f64()).values();
  for (double& v : x) v = f.lowest + v * (f.highest - f.lowest);
  return Tensor::from(x, {50001}, where);
}

TEST(VectorMath, F32IsWithinItsUlps) {
  for (const Function& f : functions()) {
    const Tensor x = arguments(f, f32());
    const std::vector<double> in = x.values(), out = apply(f.op, x);
    double worst = 0.0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double truth = f.truth(in[i]);
      const float nearest = static_cast<float>(truth);
      const double ulp = static_cast<double>(std::nextafter(std::abs(nearest), HUGE_VALF)) -
                         static_cast<double>(std::abs(nearest));
      worst = std::max(worst, std::abs(out[i] - truth) / ulp);
    }
    EXPECT_LE(worst, f.ulps) << f.name;
  }
}

TEST(VectorMath, F64IsWithin1em14) {
  for (const Function& f : functions()) {
    const Tensor x = arguments(f, f64());
    const std::vector<double> in = x.values(), out = apply(f.op, x);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double truth = f.truth(in[i]);
      ASSERT_LE(std::abs(out[i] - truth), 1e-14 * std::abs(truth) + 1e-300) << f.name << " of " << in[i];
    }
  }
}

TEST(VectorMath, SpecialArguments) {
  const double nan = std::nan("");
  struct Case {
    Unary op;
    double x, y;
  };
  const std::vector<Case> cases = {{Unary::Exp, kInfinity, kInfinity},
                                   {Unary::Exp, -kInfinity, 0.0},
                                   {Unary::Exp, 1e30, kInfinity},
                                   {Unary::Exp, -1e30, 0.0},
                                   {Unary::Exp, 0.0, 1.0},
                                   {Unary::Log, 0.0, -kInfinity},
                                   {Unary::Log, kInfinity, kInfinity},
                                   {Unary::Log, -1.0, nan},
                                   {Unary::Log, 1.0, 0.0},
                                   {Unary::Log1p, -1.0, -kInfinity},
                                   {Unary::Log1p, -2.0, nan},
                                   {Unary::Log1p, kInfinity, kInfinity},
                                   {Unary::Log1p, 0.0, 0.0},
                                   {Unary::Sqrt, -1.0, nan},
                                   {Unary::Sqrt, kInfinity, kInfinity},
                                   {Unary::Reciprocal, 0.0, kInfinity},
                                   {Unary::Sigmoid, kInfinity, 1.0},
                                   {Unary::Sigmoid, -kInfinity, 0.0},
                                   {Unary::Sigmoid, 1e30, 1.0},
                                   {Unary::Sigmoid, -1e30, 0.0},
                                   {Unary::Sigmoid, 0.0, 0.5},
                                   {Unary::Tanh, kInfinity, 1.0},
                                   {Unary::Tanh, -kInfinity, -1.0},
                                   {Unary::Tanh, 1e30, 1.0},
                                   {Unary::Tanh, 0.0, 0.0},
                                   {Unary::Softplus, 1e30, 1e30},
                                   {Unary::Softplus, -1e30, 0.0},
                                   {Unary::Softplus, kInfinity, kInfinity},
                                   {Unary::Softplus, -kInfinity, 0.0},
                                   {Unary::Sign, 0.0, 0.0},
                                   {Unary::Sign, -kInfinity, -1.0},
                                   {Unary::Step, 0.0, 0.0},
                                   {Unary::Relu, -kInfinity, 0.0},
                                   {Unary::LogNdtr, kInfinity, 0.0},
                                   {Unary::LogNdtr, -kInfinity, -kInfinity},
                                   {Unary::Atan, 0.0, 0.0},
                                   {Unary::Atan, kInfinity, 1.57079632679489661923},
                                   {Unary::Atan, -kInfinity, -1.57079632679489661923},
                                   {Unary::Asinh, 0.0, 0.0},
                                   {Unary::Asinh, kInfinity, kInfinity},
                                   {Unary::Asinh, -kInfinity, -kInfinity},
                                   {Unary::Ndtr, 0.0, 0.5},
                                   {Unary::Ndtr, kInfinity, 1.0},
                                   {Unary::Ndtr, -kInfinity, 0.0},
                                   {Unary::Elu, kInfinity, kInfinity},
                                   {Unary::Elu, -kInfinity, -1.0},
                                   {Unary::Elu, 0.0, 0.0}};
  for (const Placement& where : {f32(), f64()}) {
    for (const Case& c : cases) {
      const double y = apply(c.op, std::vector<double>{c.x}, where)[0];
      const double expected = where.dtype == Dtype::F32 ? static_cast<double>(static_cast<float>(c.y)) : c.y;
      if (std::isnan(c.y)) {
        EXPECT_TRUE(std::isnan(y)) << static_cast<int>(c.op) << " of " << c.x << " gave " << y;
      } else {
        EXPECT_EQ(y, expected) << static_cast<int>(c.op) << " of " << c.x;
      }
    }
    for (const Function& f : functions()) {
      if (f.op == Unary::Step) continue;
      EXPECT_TRUE(std::isnan(apply(f.op, std::vector<double>{nan}, where)[0])) << f.name << " of NaN";
    }
  }
}

TEST(VectorMath, DenormalsOfF32) {
  const double tiny = static_cast<double>(std::numeric_limits<float>::denorm_min());
  EXPECT_NEAR(apply(Unary::Log, std::vector<double>{tiny}, f32())[0], std::log(tiny), 1e-5);
  EXPECT_NEAR(apply(Unary::Exp, std::vector<double>{-100.0}, f32())[0] / std::exp(-100.0), 1.0, 0.03);
  EXPECT_EQ(apply(Unary::Log1p, std::vector<double>{tiny}, f32())[0], tiny);
  EXPECT_EQ(apply(Unary::Tanh, std::vector<double>{-tiny}, f32())[0], -tiny);
}

TEST(VectorMath, IndependentOfThreadsPlaceAndAliasing) {
  const Tensor x = tensor({40003}, 3, f32());
  for (const Function& f : functions()) {
    const std::vector<double> whole = on_any_threads([&] { return apply(f.op, x); });
    const std::vector<double> tail = apply(f.op, x.rows(39990, 40003));
    for (std::size_t i = 0; i < 13; ++i) {
      EXPECT_TRUE(tail[i] == whole[39990 + i] || std::isnan(tail[i])) << f.name;
    }
    const Tensor in_place = x.clone();
    kernels().unary(f.op, Dtype::F32, in_place.data(), in_place.data(), in_place.size());
    const std::vector<double> same = in_place.values();
    for (std::size_t i = 0; i < same.size(); ++i)
      ASSERT_TRUE(same[i] == whole[i] || std::isnan(whole[i])) << f.name;
  }
}

TEST(VectorMath, NothingOfNothing) {
  for (const Function& f : functions()) {
    EXPECT_TRUE(apply(f.op, Tensor({0}, f32())).empty());
    EXPECT_TRUE(apply(f.op, Tensor({0}, f64())).empty());
  }
}

}  // namespace
}  // namespace basin::test
