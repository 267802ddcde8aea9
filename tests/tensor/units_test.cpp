#include <cmath>
#include <optional>

#include "tensor/kernels.h"

namespace basin::test {
namespace {

/// A layer to run `units` on: inputs of a few units' size, biases, and for the normal kinds precisions from
/// 0.5 to 2.
struct Layer {
  Layer(Unit unit_, Index rows_, Index columns, Placement where, Index group_ = 1)
      : unit(unit_), rows(rows_), units(columns), group(group_), placement(where) {
    input = scaled(tensor({rows, units}, 21, where), 4.0, 0.0);
    bias = scaled(tensor({units}, 22, where), 2.0, 0.0);
    base = scaled(tensor({units}, 23, where), 1.0, 0.0);
    precision = scaled(tensor({units}, 24, where), 0.75, 1.25);
  }

  static Tensor scaled(const Tensor& x, double by, double plus) {
    std::vector<double> values = x.values();
    for (double& v : values) v = v * by + plus;
    return Tensor::from(values, x.shape(), x.placement());
  }

  bool normal_kind() const { return unit == Unit::Gaussian || unit == Unit::NonNegative; }

  struct Result {
    std::vector<double> mean, sample;
  };

  /// Rows [first, last) with the draws that they have in the whole layer.
  Result run(std::uint64_t key, Index first, Index last, bool with_mean = true,
             bool with_sample = true) const {
    const Tensor x = input.rows(first, last);
    const Tensor mean = Tensor::full(x.shape(), -7.0, placement),
                 sample = Tensor::full(x.shape(), -7.0, placement);
    kernels().units({.dtype = placement.dtype,
                     .unit = unit,
                     .rows = last - first,
                     .units = units,
                     .group = group,
                     .input = x.data(),
                     .bias = bias.data(),
                     .base = tempered ? base.data() : nullptr,
                     .scale = tempered ? 0.3 : 1.0,
                     .precision = normal_kind() ? precision.data() : nullptr,
                     .key = key,
                     .first_draw = static_cast<std::uint64_t>(first * units),
                     .mean = with_mean ? mean.data() : nullptr,
                     .sample = with_sample ? sample.data() : nullptr});
    return {mean.values(), sample.values()};
  }
  Result run(std::uint64_t key) const { return run(key, 0, rows); }

  /// a = scale * (input + bias) + base of unit i of the whole layer.
  double total(std::size_t i) const {
    const std::size_t j = i % static_cast<std::size_t>(units);
    if (!numbers) numbers = {input.values(), bias.values(), base.values()};
    const double a = (*numbers)[0][i] + (*numbers)[1][j];
    return tempered ? 0.3 * a + (*numbers)[2][j] : a;
  }

  Unit unit;
  Index rows, units, group;
  Placement placement;
  bool tempered = false;
  Tensor input, bias, base, precision;
  mutable std::optional<std::vector<std::vector<double>>> numbers;
};

constexpr Unit kKinds[] = {Unit::Binary, Unit::Gaussian, Unit::NonNegative, Unit::Categorical};

TEST(Units, BinaryIsTheSigmoidAndItsBernoulliDraw) {
  for (const Placement& where : {f32(), f64()}) {
    for (const bool tempered : {false, true}) {
      Layer layer(Unit::Binary, 37, 1003, where);
      layer.tempered = tempered;
      const Layer::Result result = layer.run(99);
      for (std::size_t i = 0; i < result.mean.size(); ++i) {
        const double truth = 1.0 / (1.0 + std::exp(-layer.total(i)));
        ASSERT_NEAR(result.mean[i], truth, where.dtype == Dtype::F32 ? 3e-7 : 1e-15);
      }
      // The same bits as the separate kernels on the same numbers.
      const Tensor p = Tensor::from(result.mean, {37, 1003}, where), drawn({37, 1003}, where);
      kernels().bernoulli(where.dtype, 99, 0, p.data(), drawn.data(), p.size());
      EXPECT_EQ(result.sample, drawn.values());
    }
  }
}

TEST(Units, RowsMayHaveScalesOfTheirOwn) {
  for (const Placement& where : {f32(), f64()}) {
    for (const Unit unit : {Unit::Binary, Unit::Gaussian, Unit::NonNegative, Unit::Categorical}) {
      const Index rows = 5, columns = 1002;  // a row in several pieces
      const Layer layer(unit, rows, columns, where, unit == Unit::Categorical ? 3 : 1);
      const std::vector<double> scales{0.0, 0.25, 0.5, 1.0, 2.0};
      const Tensor row_scales = Tensor::from(scales, {rows}, where);
      UnitCall call{.dtype = where.dtype, .unit = unit, .rows = rows, .units = columns, .group = layer.group};
      call.input = layer.input.data();
      call.bias = layer.bias.data();
      call.base = layer.base.data();
      call.scale = 0.5;
      call.precision = layer.normal_kind() ? layer.precision.data() : nullptr;
      call.key = 9;
      call.first_draw = 100;
      const Tensor mean({rows, columns}, where), sample({rows, columns}, where);
      UnitCall all = call;
      all.row_scales = row_scales.data();
      all.mean = mean.data();
      all.sample = sample.data();
      kernels().units(all);
      for (Index n = 0; n < rows; ++n) {
        const Tensor x = layer.input.rows(n, n + 1), own_mean({1, columns}, where),
                     own_sample({1, columns}, where);
        UnitCall one = call;
        one.rows = 1;
        one.input = x.data();
        one.scale = 0.5 * scales[static_cast<std::size_t>(n)];
        one.first_draw = 100 + static_cast<std::uint64_t>(n * columns);
        one.mean = own_mean.data();
        one.sample = own_sample.data();
        kernels().units(one);
        EXPECT_EQ(mean.rows(n, n + 1).values(), own_mean.values()) << static_cast<int>(unit) << " " << n;
        EXPECT_EQ(sample.rows(n, n + 1).values(), own_sample.values()) << static_cast<int>(unit) << " " << n;
      }
    }
  }
}

TEST(Units, BinaryMeanHasTheBitsOfTheSigmoidKernel) {
  for (const Placement& where : {f32(), f64()}) {
    const Layer layer(Unit::Binary, 5, 301, where);
    std::vector<double> total(5 * 301);
    for (std::size_t i = 0; i < total.size(); ++i) total[i] = layer.total(i);
    const Tensor a = Tensor::from(total, {5, 301}, where),
                 mean({5, 301}, where);  // rounded once, as the kernel's sum is
    kernels().unary(Unary::Sigmoid, where.dtype, a.data(), mean.data(), a.size());
    EXPECT_EQ(layer.run(1).mean, mean.values());
  }
}

TEST(Units, BinaryOfInfinitiesAndNan) {
  const std::vector<double> inputs = {kInfinity, -kInfinity, 1e30, -1e30, std::nan("")};
  for (const Placement& where : {f32(), f64()}) {
    Layer layer(Unit::Binary, 1, 5, where);
    layer.input = Tensor::from(inputs, {1, 5}, where);
    const Layer::Result result = layer.run(3);
    EXPECT_EQ(std::vector<double>(result.mean.begin(), result.mean.begin() + 4),
              (std::vector<double>{1, 0, 1, 0}));
    EXPECT_EQ(result.sample, (std::vector<double>{1, 0, 1, 0, 0}));
    EXPECT_TRUE(std::isnan(result.mean[4]));
  }
}

TEST(Units, GaussianIsAShiftedAndScaledNormal) {
  for (const Placement& where : {f32(), f64()}) {
    Layer layer(Unit::Gaussian, 17, 601, where);
    layer.tempered = true;
    const Layer::Result result = layer.run(98);
    Tensor z({17, 601}, where);
    kernels().normal(where.dtype, 98, 0, z.data(), z.size());
    const std::vector<double> normals = z.values(), precision = layer.precision.values();
    for (std::size_t i = 0; i < result.mean.size(); ++i) {
      const double lambda = precision[i % 601], mean = layer.total(i) / lambda;
      const double tolerance = where.dtype == Dtype::F32 ? 2e-6 : 1e-14;
      ASSERT_NEAR(result.mean[i], mean, tolerance);
      ASSERT_NEAR(result.sample[i], mean + normals[i] / std::sqrt(lambda), tolerance);
    }
  }
}

/// log Q(x) = log of the standard normal's upper tail, from the C library where it does not underflow.
double log_upper_tail(double x) { return std::log(0.5 * std::erfc(x / std::sqrt(2.0))); }

TEST(Units, NonNegativeInvertsTheTruncatedDistribution) {
  // One unit, many draws: Q(sqrt(lambda) (z - mu)) / Q(-sqrt(lambda) mu) is the uniform that the draw came
  // from.
  for (const double a : {-30.0, -12.0, -6.0, -4.0, -1.0, 0.0, 2.0, 9.0}) {
    const Index n = 4000;
    Layer layer(Unit::NonNegative, 1, n, f64());
    layer.input = Tensor::full({1, n}, a, f64());
    layer.bias = Tensor::zeros({n}, f64());
    layer.precision = Tensor::full({n}, 4.0, f64());
    const Layer::Result result = layer.run(77);
    Tensor u({n}, f64());
    kernels().uniform(Dtype::F64, 77, 0, u.data(), n);
    const std::vector<double> drawn = u.values();
    const double start = -a / 2.0;  // -mu sqrt(lambda), mu = a / 4
    for (std::size_t i = 0; i < result.sample.size(); ++i) {
      const double z = result.sample[i];
      ASSERT_GE(z, 0.0);
      const double v = drawn[i] + 0x1p-33;
      ASSERT_NEAR(std::exp(log_upper_tail(start + 2.0 * z) - log_upper_tail(start)), v,
                  1e-11 * (1.0 + std::abs(start)))
          << a;
    }
    double sum = 0.0, square = 0.0;
    for (const double z : result.sample) {
      sum += z;
      square += z * z;
    }
    const double count = static_cast<double>(n), mean = sum / count,
                 deviation = std::sqrt(square / count - mean * mean);
    EXPECT_LT(std::abs(mean - result.mean[0]) / (deviation / std::sqrt(count)), 4.0)
        << a;  // a standard normal
  }
}

TEST(Units, NonNegativeMeanByQuadrature) {
  for (const double a : {-50.0, -20.0, -10.1, -9.9, -5.0, 0.0, 3.0, 40.0}) {
    // a z - z^2 / 2 on [0, inf), unit precision.
    double weight = 0.0, moment = 0.0;
    const double peak = std::max(a, 0.0), width = a < -3.0 ? 40.0 / -a : 12.0,
                 low = std::max(0.0, peak - width);
    const int steps = 200000;
    for (int i = 0; i <= steps; ++i) {
      const double z = low + (peak + width - low) * i / steps;
      const double simpson = i == 0 || i == steps ? 1.0 : i % 2 == 1 ? 4.0 : 2.0;
      const double p = simpson * std::exp(a * z - 0.5 * z * z - (a * peak - 0.5 * peak * peak));
      weight += p;
      moment += p * z;
    }
    for (const Placement& where : {f32(), f64()}) {
      Layer layer(Unit::NonNegative, 1, 1, where);
      layer.input = Tensor::full({1, 1}, a, where);
      layer.bias = Tensor::zeros({1}, where);
      layer.precision = Tensor::full({1}, 1.0, where);
      EXPECT_NEAR(layer.run(1).mean[0] / (moment / weight), 1.0, where.dtype == Dtype::F32 ? 1e-6 : 1e-10)
          << a;
    }
  }
}

TEST(Units, NonNegativeInTheFarthestTail) {
  // An exponential of rate -a to all digits: mean -1 / a.
  for (const double a : {-1e4, -1e6, -1e12, -1e30}) {
    Layer layer(Unit::NonNegative, 1, 1, f64());
    layer.input = Tensor::full({1, 1}, a, f64());
    layer.bias = Tensor::zeros({1}, f64());
    layer.precision = Tensor::full({1}, 1.0, f64());
    const Layer::Result result = layer.run(5);
    Tensor u({1}, f64());
    kernels().uniform(Dtype::F64, 5, 0, u.data(), 1);
    EXPECT_NEAR(result.mean[0] * -a, 1.0, 1e-7);
    EXPECT_NEAR(result.sample[0] * a, std::log(u.item() + 0x1p-33), 1e-6);
  }
  Layer layer(Unit::NonNegative, 1, 3, f32());
  layer.input = Tensor::from(std::vector<double>{-kInfinity, 1e20, std::nan("")}, {1, 3}, f32());
  layer.bias = Tensor::zeros({3}, f32());
  layer.precision = Tensor::full({3}, 1.0, f32());
  const Layer::Result result = layer.run(5);
  EXPECT_EQ(result.mean[0], 0.0);
  EXPECT_EQ(result.sample[0], 0.0);
  EXPECT_NEAR(result.mean[1] / 1e20, 1.0, 1e-6);
  EXPECT_TRUE(std::isnan(result.mean[2]));
  EXPECT_TRUE(std::isnan(result.sample[2]));
}

TEST(Units, CategoricalIsASoftmaxAndAOneHotDraw) {
  for (const Placement& where : {f32(), f64()}) {
    const Layer layer(Unit::Categorical, 4000, 15, where, 5);
    const Layer::Result result = layer.run(55);
    std::vector<double> frequency(15), expected(15), variance(15);
    for (std::size_t at = 0; at < result.mean.size(); at += 5) {
      double total = 0.0, ones = 0.0, probability = 0.0;
      for (std::size_t k = 0; k < 5; ++k) total += std::exp(layer.total(at + k));
      for (std::size_t k = 0; k < 5; ++k) {
        const double p = std::exp(layer.total(at + k)) / total;
        ASSERT_NEAR(result.mean[at + k], p, where.dtype == Dtype::F32 ? 1e-6 : 1e-14);
        ASSERT_TRUE(result.sample[at + k] == 0.0 || result.sample[at + k] == 1.0);
        ones += result.sample[at + k];
        probability += result.mean[at + k];
        frequency[(at + k) % 15] += result.sample[at + k];
        expected[(at + k) % 15] += p;
        variance[(at + k) % 15] += p * (1.0 - p);
      }
      ASSERT_EQ(ones, 1.0);
      ASSERT_NEAR(probability, 1.0, 1e-6);
    }
    for (std::size_t j = 0; j < 15; ++j)
      EXPECT_LT(std::abs(frequency[j] - expected[j]) / std::sqrt(variance[j]), 4.0) << j;
  }
}

TEST(Units, CategoricalOfHugeInputs) {
  for (const Placement& where : {f32(), f64()}) {
    Layer layer(Unit::Categorical, 1, 3, where, 3);
    layer.input = Tensor::from(std::vector<double>{1e30, -1e30, -kInfinity}, {1, 3}, where);
    const Layer::Result result = layer.run(2);
    EXPECT_EQ(result.mean, (std::vector<double>{1, 0, 0}));
    EXPECT_EQ(result.sample, (std::vector<double>{1, 0, 0}));
  }
}

TEST(Units, IndependentOfThreadsSlicesAndOutputs) {
  for (const Unit unit : kKinds) {
    for (const Placement& where : {f32(), f64()}) {
      const Index columns = unit == Unit::Categorical ? 603 : 601;
      Layer layer(unit, 31, columns, where, unit == Unit::Categorical ? 3 : 1);
      layer.tempered = true;
      const std::vector<double> mean = on_any_threads([&] { return layer.run(7).mean; });
      const std::vector<double> sample = on_any_threads([&] { return layer.run(7).sample; });
      const Layer::Result slice = layer.run(7, 11, 24);
      EXPECT_TRUE(std::equal(slice.mean.begin(), slice.mean.end(), mean.begin() + 11 * columns));
      EXPECT_TRUE(std::equal(slice.sample.begin(), slice.sample.end(), sample.begin() + 11 * columns));
      EXPECT_EQ(layer.run(7, 0, 31, true, false).mean, mean);
      EXPECT_EQ(layer.run(7, 0, 31, false, true).sample, sample);
      EXPECT_EQ(layer.run(7, 0, 31, true, false).sample,
                std::vector<double>(sample.size(), -7.0));  // null outputs are not written
      EXPECT_NE(layer.run(8).sample, sample);
    }
  }
}

TEST(Units, OutputsMayOverwriteTheInput) {
  for (const Unit unit : kKinds) {
    for (const Placement& where : {f32(), f64()}) {
      const Layer layer(unit, 9, 603, where, unit == Unit::Categorical ? 3 : 1);
      const Layer::Result apart = layer.run(7);
      for (const bool mean_in_place : {false, true}) {
        const Tensor in_place = layer.input.clone(), other(layer.input.shape(), where);
        kernels().units({.dtype = where.dtype,
                         .unit = unit,
                         .rows = 9,
                         .units = 603,
                         .group = layer.group,
                         .input = in_place.data(),
                         .bias = layer.bias.data(),
                         .precision = layer.precision.data(),
                         .key = 7,
                         .mean = mean_in_place ? in_place.data() : other.data(),
                         .sample = mean_in_place ? other.data() : in_place.data()});
        EXPECT_EQ((mean_in_place ? in_place : other).values(), apart.mean);
        EXPECT_EQ((mean_in_place ? other : in_place).values(), apart.sample);
      }
    }
  }
}

TEST(Units, OneLongRowIsDrawnAsManyShortOnes) {
  // conditional.cpp lays a batch out as one row: draws keep their numbers.
  const Layer layer(Unit::Binary, 1, 70001, f32());
  const std::vector<double> row = on_any_threads([&] { return layer.run(7).sample; });
  Tensor p = Tensor::from(layer.run(7).mean, {70001}, f32()), drawn({70001}, f32());
  kernels().bernoulli(Dtype::F32, 7, 0, p.data(), drawn.data(), 70001);
  EXPECT_EQ(row, drawn.values());
}

TEST(Units, NoRows) {
  for (const Unit unit : kKinds) EXPECT_TRUE(Layer(unit, 3, 6, f32(), 3).run(7, 2, 2).sample.empty());
}

}  // namespace
}  // namespace basin::test
