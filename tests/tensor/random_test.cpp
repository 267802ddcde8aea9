#include "tensor/random.h"

#include <algorithm>
#include <cmath>

#include "tensor/kernels.h"
#include "tensor/philox.h"

namespace basin::test {
namespace {

TEST(Random, UniformsAreTheReferenceWords) {
  const Key key(42);
  const std::vector<double> single = uniform(key, {5003}, f32()).values(),
                            full = uniform(key, {5003}, f64()).values();
  for (std::size_t i = 0; i < single.size(); ++i) {
    const std::uint32_t word = philox_word(key.bits(), i);
    ASSERT_EQ(single[i], (word >> 8) * 0x1p-24) << i;
    ASSERT_EQ(full[i], word * 0x1p-32) << i;
  }
}

TEST(Random, DrawsDependOnKeyAndIndexAlone) {
  const Key key(5);
  for (const Placement& where : {f32(), f64()}) {
    const std::vector<double> u = on_any_threads([&] { return uniform(key, {100003}, where).values(); });
    const std::vector<double> z = on_any_threads([&] { return normal(key, {100003}, where).values(); });
    for (const Index n : {1, 2, 3, 4, 5, 17, 511, 512, 513, 1000}) {
      const std::vector<double> fewer_u = uniform(key, {n}, where).values(),
                                fewer_z = normal(key, {n}, where).values();
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        ASSERT_EQ(fewer_u[i], u[i]);
        ASSERT_EQ(fewer_z[i], z[i]);
      }
    }
  }
}

TEST(Random, NormalsAreBoxAndMuller) {
  const Key key(6);
  const std::vector<double> single = normal(key, {4001}, f32()).values(),
                            full = normal(key, {4001}, f64()).values();
  for (std::size_t i = 0; i < single.size(); ++i) {
    const double radius = std::sqrt(-2.0 * std::log((philox_word(key.bits(), i / 2 * 2) + 1.0) * 0x1p-32));
    const double angle = 2.0 * 3.14159265358979323846 * philox_word(key.bits(), i / 2 * 2 + 1) * 0x1p-32;
    const double truth = radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle));
    ASSERT_NEAR(full[i], truth, 1e-14);
    ASSERT_NEAR(single[i], truth, 3e-6) << i;  // 24 bits of the angle
  }
}

/// Largest distance between a sample's distribution function and the true one, times sqrt(n): Kolmogorov's
/// statistic.
double kolmogorov(std::vector<double> x, double (*cdf)(double)) {
  std::sort(x.begin(), x.end());
  const double n = static_cast<double>(x.size());
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double p = cdf(x[i]);
    worst = std::max(
        {worst, std::abs(p - static_cast<double>(i) / n), std::abs(p - static_cast<double>(i + 1) / n)});
  }
  return worst * std::sqrt(n);
}

// The keys are fixed, so that these either always pass or never; Kolmogorov's statistic exceeds 1.95 once in
// 1000 keys.
TEST(Random, UniformsAreUniform) {
  for (const Placement& where : {f32(), f64()}) {
    const std::vector<double> u = uniform(Key(11), {200000}, where).values();
    EXPECT_LT(kolmogorov(u, [](double x) { return x; }), 1.95);
    double product = 0.0;
    for (std::size_t i = 1; i < u.size(); ++i) product += (u[i] - 0.5) * (u[i - 1] - 0.5);
    const double z = product / std::sqrt(200000.0) * 12.0;  // neighbours are uncorrelated: a standard normal
    EXPECT_LT(std::abs(z), 4.0);
    EXPECT_GE(*std::min_element(u.begin(), u.end()), 0.0);
    EXPECT_LT(*std::max_element(u.begin(), u.end()), 1.0);
  }
}

TEST(Random, NormalsAreNormal) {
  for (const Placement& where : {f32(), f64()}) {
    const std::vector<double> x = normal(Key(12), {200000}, where).values();
    EXPECT_LT(kolmogorov(x, [](double v) { return 0.5 * std::erfc(-v / std::sqrt(2.0)); }), 1.95);
    double mean = 0.0, square = 0.0, fourth = 0.0, neighbours = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      mean += x[i];
      square += x[i] * x[i];
      fourth += x[i] * x[i] * x[i] * x[i];
      neighbours += x[i] * x[i ^ 1U];
    }
    const double n = static_cast<double>(x.size());
    EXPECT_LT(std::abs(mean / std::sqrt(n)), 4.0);                       // each a standard normal
    EXPECT_LT(std::abs((square - n) / std::sqrt(2.0 * n)), 4.0);         // Var[x^2] = 2
    EXPECT_LT(std::abs((fourth - 3.0 * n) / std::sqrt(96.0 * n)), 4.0);  // Var[x^4] = 96
    EXPECT_LT(std::abs(neighbours / std::sqrt(2.0 * n)), 4.0);           // each pair counts twice
  }
}

TEST(Random, BernoulliIsAUniformBelowP) {
  const Key key(13);
  for (const Placement& where : {f32(), f64()}) {
    const Tensor p = uniform(Key(14), {70001}, where);
    const std::vector<double> y = on_any_threads([&] { return bernoulli(key, p).values(); });
    const std::vector<double> u = uniform(key, {70001}, where).values(), bound = p.values();
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], u[i] < bound[i] ? 1.0 : 0.0);
  }
}

TEST(Random, BernoulliOfCertainties) {
  const std::vector<double> p = {0.0, 1.0, std::nan(""), -1.0, 2.0};
  for (const Placement& where : {f32(), f64()}) {
    EXPECT_EQ(bernoulli(Key(1), Tensor::from(p, {5}, where)).values(), (std::vector<double>{0, 1, 0, 0, 1}));
  }
}

// Any p in (0, 2^-24] stands for 2^-24 in f32, as random.h says: of 2^26 draws about four are 1.
TEST(Random, BernoulliBelowTheStepOfUniforms) {
  constexpr Index kPart = Index{1} << 22;
  const Tensor tiny = Tensor::full({kPart}, 1e-30, f32()), step = Tensor::full({kPart}, 0x1p-24, f32());
  const auto ones = [](const Tensor& bits) {
    const std::vector<double> all = bits.values();
    return static_cast<double>(std::count(all.begin(), all.end(), 1.0));
  };
  double count = 0.0;
  for (std::uint64_t part = 0; part < 16; ++part) {
    const std::uint64_t first = part * static_cast<std::uint64_t>(kPart);
    const double own = ones(bernoulli(Key(13), tiny, first));
    EXPECT_EQ(own, ones(bernoulli(Key(13), step, first)));
    count += own;
  }
  EXPECT_NEAR(count, 4.0, 3.0 * std::sqrt(4.0));
  EXPECT_GT(count, 0.0);
}

TEST(Random, NoDraws) {
  for (const Placement& where : {f32(), f64()}) {
    EXPECT_EQ(uniform(Key(1), {0}, where).size(), 0);
    EXPECT_EQ(normal(Key(1), {0, 5}, where).size(), 0);
    EXPECT_EQ(bernoulli(Key(1), Tensor({0}, where)).size(), 0);
  }
}

}  // namespace
}  // namespace basin::test
