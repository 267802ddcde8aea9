#include <cmath>

#include "tensor/kernels.h"

namespace basin::test {
namespace {

TEST(Momentum, OneStepOfTheFormula) {
  for (const Placement& where : {f32(), f64()}) {
    const Index n = 50003;
    const Tensor gradient = tensor({n}, 31, where), velocity = tensor({n}, 32, where),
                 parameter = tensor({n}, 33, where);
    const std::vector<double> g = gradient.values(), v = velocity.values(), w = parameter.values();
    kernels().momentum({.dtype = where.dtype,
                        .n = n,
                        .gradient = gradient.data(),
                        .rate = 0.1,
                        .momentum = 0.9,
                        .decay = 0.01,
                        .velocity = velocity.data(),
                        .parameter = parameter.data()});
    const std::vector<double> new_v = velocity.values(), new_w = parameter.values();
    const double tolerance = where.dtype == Dtype::F32 ? 3e-7 : 1e-15;
    for (std::size_t i = 0; i < g.size(); ++i) {
      const double expected = 0.9 * v[i] + 0.1 * g[i] - 0.01 * w[i];
      ASSERT_NEAR(new_v[i], expected, tolerance);
      ASSERT_NEAR(new_w[i], w[i] + expected, tolerance);
    }
  }
}

TEST(Momentum, IndependentOfThreads) {
  on_any_threads([] {
    const Tensor gradient = tensor({50003}, 31, f32()), velocity = tensor({50003}, 32, f32()),
                 parameter = tensor({50003}, 33, f32());
    kernels().momentum({.dtype = Dtype::F32,
                        .n = 50003,
                        .gradient = gradient.data(),
                        .rate = 0.1,
                        .momentum = 0.9,
                        .decay = 0.01,
                        .velocity = velocity.data(),
                        .parameter = parameter.data()});
    return parameter.values();
  });
}

std::vector<double> column_sums(const Tensor& x, double alpha, double beta, const Tensor& start) {
  const Tensor sums = start.clone();
  kernels().column_sums(x.dtype(), x.data(), x.dim(0), x.dim(1), alpha, beta, sums.data());
  return sums.values();
}

TEST(ColumnSums, AddUpEveryColumn) {
  for (const Placement& where : {f32(), f64()}) {
    for (const Shape& shape :
         std::vector<Shape>{{1, 1}, {3, 5}, {100, 784}, {129, 63}, {1000, 65}, {7, 200}}) {
      const Tensor x = tensor(shape, 41, where), start = tensor({shape[1]}, 42, where);
      const std::vector<double> values = x.values(), old = start.values();
      const std::vector<double> sums = on_any_threads([&] { return column_sums(x, -0.5, 2.0, start); });
      for (Index j = 0; j < shape[1]; ++j) {
        double sum = 0.0;
        for (Index n = 0; n < shape[0]; ++n) sum += values[static_cast<std::size_t>(n * shape[1] + j)];
        const double expected = -0.5 * sum + 2.0 * old[static_cast<std::size_t>(j)];
        ASSERT_NEAR(sums[static_cast<std::size_t>(j)], expected, where.dtype == Dtype::F32 ? 2e-5 : 1e-12)
            << to_string(shape);
      }
    }
  }
}

TEST(ColumnSums, ZeroBetaForgetsAndNoRowsGiveZero) {
  for (const Placement& where : {f32(), f64()}) {
    const Tensor nan = Tensor::full({2}, std::nan(""), where);
    EXPECT_EQ(column_sums(Tensor::from(std::vector<double>{1, 2, 3, 4}, {2, 2}, where), 1.0, 0.0, nan),
              (std::vector<double>{4, 6}));
    EXPECT_EQ(column_sums(Tensor({0, 2}, where), 1.0, 0.0, nan), (std::vector<double>{0, 0}));
    EXPECT_TRUE(column_sums(Tensor({3, 0}, where), 1.0, 0.0, Tensor({0}, where)).empty());
  }
}

double softplus(double a) { return std::fmax(a, 0.0) + std::log1p(std::exp(-std::abs(a))); }

std::vector<double> softplus_difference(const Tensor& x, const Tensor& bias, double from, double to,
                                        double start) {
  const Tensor y = Tensor::full({x.dim(0)}, start, {Dtype::F64, x.device()});
  kernels().softplus_difference(x.dtype(), x.data(), bias.data(), x.dim(0), x.dim(1), from, to,
                                static_cast<double*>(y.data()));
  return y.values();
}

TEST(SoftplusDifference, OfEveryRow) {
  for (const Placement& where : {f32(), f64()}) {
    for (const Shape& shape : std::vector<Shape>{{1, 1}, {5, 3}, {100, 500}, {3, 1001}, {64, 256}}) {
      for (const double size : {1.0, 30.0, 1e4}) {  // up to huge inputs of either sign
        std::vector<double> scaled = tensor(shape, 51, where).values();
        for (double& v : scaled) v *= size;
        const Tensor x = Tensor::from(scaled, shape, where), bias = tensor({shape[1]}, 52, where);
        const std::vector<double> in = x.values(), b = bias.values();
        const std::vector<double> y =
            on_any_threads([&] { return softplus_difference(x, bias, 0.25, 0.75, 2.0); });
        for (Index n = 0; n < shape[0]; ++n) {
          double expected = 2.0, scale = 0.0;
          for (Index j = 0; j < shape[1]; ++j) {
            const double t = in[static_cast<std::size_t>(n * shape[1] + j)] + b[static_cast<std::size_t>(j)];
            expected += softplus(0.75 * t) - softplus(0.25 * t);
            scale += std::abs(t) + 1.0;
          }
          ASSERT_NEAR(
              y[static_cast<std::size_t>(n)], expected,
              (where.dtype == Dtype::F32 ? 3e-8 : 1e-15) * scale + 1e-6 * (where.dtype == Dtype::F32));
        }
      }
    }
  }
}

TEST(SoftplusDifference, TinyStepsKeepTheirDigits) {
  // 1000 temperatures: a step's difference is small beside its softplus terms, and errors must not add up in
  // one direction.
  const Tensor x = tensor({1, 500}, 53, f32()), bias = tensor({500}, 54, f32());
  const std::vector<double> in = x.values(), b = bias.values();
  double expected = 0.0, found = 0.0;
  for (std::size_t j = 0; j < 500; ++j) expected += softplus(in[j] + b[j]) - softplus(0.0);
  for (int k = 0; k < 1000; ++k) found += softplus_difference(x, bias, k / 1000.0, (k + 1) / 1000.0, 0.0)[0];
  EXPECT_NEAR(found, expected, 1e-3);
}

TEST(SoftplusDifference, NanAndNothing) {
  for (const Placement& where : {f32(), f64()}) {
    const Tensor x = Tensor::from(std::vector<double>{1, std::nan("")}, {1, 2}, where),
                 bias = Tensor::zeros({2}, where);
    EXPECT_TRUE(std::isnan(softplus_difference(x, bias, 0.0, 1.0, 0.0)[0]));
    EXPECT_EQ(softplus_difference(Tensor({2, 0}, where), Tensor({0}, where), 0.0, 1.0, 3.0),
              (std::vector<double>{3, 3}));
    EXPECT_TRUE(softplus_difference(Tensor({0, 4}, where), Tensor::zeros({4}, where), 0.0, 1.0, 3.0).empty());
  }
}

}  // namespace
}  // namespace basin::test
