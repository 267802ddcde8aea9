#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/kernels.h"

namespace basin {
namespace {

using test::f32;
using test::f64;
using test::kernels;
using test::kInfinity;
using test::numbers;
using test::on_any_threads;
using test::tensor;

const std::vector<Shape> kReduced{{1, 1, 1},     {1, 50003, 1}, {3, 20000, 1}, {200, 300, 1},
                                  {4000, 10, 1}, {7, 13, 5},    {1, 2500, 10}, {3, 1500, 300},
                                  {1, 3, 40003}, {60, 2, 129},  {0, 5, 3},     {3, 5, 0}};

std::vector<double> reduce(Reduction op, const Tensor& x, const Shape& extents) {
  return on_any_threads([&] {
    const Tensor y = Tensor::full({extents[0], extents[2]}, -7, x.placement());
    kernels().reduce(op, x.dtype(), x.data(), y.data(), extents[0], extents[1], extents[2]);
    return y.values();
  });
}

/// Calls check(result, the middle's numbers) for each output.
template <class Check>
void for_each_output(const std::vector<double>& results, const std::vector<double>& x, const Shape& extents,
                     const Check& check) {
  ASSERT_EQ(static_cast<Index>(results.size()), extents[0] * extents[2]);
  for (std::size_t at = 0; at < results.size(); ++at) {
    const Index o = static_cast<Index>(at) / extents[2], j = static_cast<Index>(at) % extents[2];
    std::vector<double> terms;
    for (Index m = 0; m < extents[1]; ++m)
      terms.push_back(x[static_cast<std::size_t>((o * extents[1] + m) * extents[2] + j)]);
    check(results[at], terms);
  }
}

TEST(Reduce, Sums) {
  for (const Placement where : {f32(), f64()}) {
    for (const Shape& extents : kReduced) {
      const Tensor x = tensor(extents, 6, where);
      for_each_output(reduce(Reduction::Sum, x, extents), x.values(), extents,
                      [&](double result, const std::vector<double>& terms) {
                        long double sum = 0, size = 0;
                        for (const double term : terms) {
                          sum += term;
                          size += std::abs(term);
                        }
                        // Accumulated in f64, then rounded once.
                        const double tolerance =
                            static_cast<double>(size) * 1e-13 +
                            std::abs(static_cast<double>(sum)) * (where == f32() ? 0x1p-24 : 0x1p-53);
                        ASSERT_NEAR(result, static_cast<double>(sum), tolerance) << to_string(extents);
                      });
    }
  }
}

TEST(Reduce, FindsTheLargest) {
  for (const Placement where : {f32(), f64()}) {
    for (const Shape& extents : kReduced) {
      const Tensor x = tensor(extents, 7, where);
      for_each_output(reduce(Reduction::Max, x, extents), x.values(), extents,
                      [&](double result, const std::vector<double>& terms) {
                        ASSERT_EQ(result, *std::max_element(terms.begin(), terms.end()))
                            << to_string(extents);
                      });
    }
  }
}

TEST(Reduce, LogSumExp) {
  for (const Placement where : {f32(), f64()}) {
    for (const Shape& extents : kReduced) {
      const Tensor x = tensor(extents, 8, where);
      for_each_output(
          reduce(Reduction::LogSumExp, x, extents), x.values(), extents,
          [&](double result, const std::vector<double>& terms) {
            long double sum = 0;
            for (const double term : terms) sum += std::exp(static_cast<long double>(term));
            const auto expected = static_cast<double>(std::log(sum));
            ASSERT_NEAR(result, expected, (where == f32() ? 4 * 0x1p-23 : 1e-14) * (1 + std::abs(expected)))
                << to_string(extents);
          });
    }
  }
}

TEST(Reduce, NothingGivesTheNeutralElement) {
  for (const Placement where : {f32(), f64()}) {
    const Tensor x({0}, where);
    for (const Index inner : {1, 3}) {
      const std::size_t outputs = static_cast<std::size_t>(2 * inner);
      EXPECT_EQ(reduce(Reduction::Sum, x, {2, 0, inner}), std::vector<double>(outputs, 0.0));
      EXPECT_EQ(reduce(Reduction::Max, x, {2, 0, inner}), std::vector<double>(outputs, -kInfinity));
      EXPECT_EQ(reduce(Reduction::LogSumExp, x, {2, 0, inner}), std::vector<double>(outputs, -kInfinity));
    }
  }
}

TEST(Reduce, LogSumExpSurvivesExtremes) {
  for (const Placement where : {f32(), f64()}) {
    const double huge = where == f32() ? 3e38 : 1e308;
    const auto of = [&](const std::vector<double>& terms) {
      const auto n = static_cast<Index>(terms.size());
      const double along = reduce(Reduction::LogSumExp, Tensor::from(terms, {n}, where), {1, n, 1})[0];
      std::vector<double> twice;
      for (const double term : terms) twice.insert(twice.end(), {term, 0.0});
      const double across = reduce(Reduction::LogSumExp, Tensor::from(twice, {n, 2}, where), {1, n, 2})[0];
      EXPECT_TRUE(along == across || (std::isnan(along) && std::isnan(across)));
      return along;
    };
    EXPECT_EQ(of({-kInfinity, -kInfinity}), -kInfinity);
    EXPECT_EQ(of({-kInfinity, 3}), 3);
    EXPECT_EQ(of({kInfinity, 3}), kInfinity);
    EXPECT_EQ(of({kInfinity, kInfinity, -kInfinity}), kInfinity);
    EXPECT_EQ(of({-kInfinity, kInfinity}), kInfinity);
    EXPECT_NEAR(of({huge, huge}), Tensor::full({}, huge, where).item(), huge * 1e-7);
    EXPECT_NEAR(of({-huge, -huge}), -huge, huge * 1e-7);
    EXPECT_NEAR(of({-huge, 2, 2}), 2 + std::log(2), 1e-6);
    EXPECT_NEAR(of({1000, 1000}), 1000 + std::log(2), 1e-4);
    EXPECT_TRUE(std::isnan(of({std::nan(""), 1})));
    EXPECT_TRUE(std::isnan(of({kInfinity, std::nan("")})));
  }
}

TEST(Reduce, NanReachesTheResult) {
  for (const Placement where : {f32(), f64()}) {
    for (const Shape& extents : std::vector<Shape>{{1, 100, 1}, {1, 20000, 1}, {1, 50, 3}}) {
      for (const Index at : {Index{0}, extents[1] / 2, extents[1] - 1}) {
        std::vector<double> values = numbers(element_count(extents), 9);
        values[static_cast<std::size_t>(at * extents[2])] = std::nan("");
        const Tensor x = Tensor::from(values, extents, where);
        for (const Reduction op : {Reduction::Sum, Reduction::Max, Reduction::LogSumExp}) {
          const Tensor y({extents[2]}, where);
          kernels().reduce(op, where.dtype, x.data(), y.data(), 1, extents[1], extents[2]);
          EXPECT_TRUE(std::isnan(y.values()[0])) << to_string(extents) << " at " << at;
          if (extents[2] > 1) {
            EXPECT_FALSE(std::isnan(y.values()[1]));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace basin
