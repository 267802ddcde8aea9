#include "data/images/whitening.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "support/numbers.h"
#include "temporary.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;

using Matrix = std::vector<std::vector<double>>;

/// Rows of a tensor [N, ...].
Matrix rows(const Tensor& tensor) {
  const std::vector<double> values = tensor.values();
  const auto size = values.size() / static_cast<std::size_t>(tensor.dim(0));
  Matrix result;
  for (std::size_t at = 0; at < values.size(); at += size) {
    result.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(at),
                        values.begin() + static_cast<std::ptrdiff_t>(at + size));
  }
  return result;
}

Matrix covariance(const Tensor& samples) {
  const Matrix x = rows(samples);
  const std::size_t size = x[0].size();
  std::vector<double> mean(size);
  for (const auto& row : x) {
    for (std::size_t i = 0; i < size; ++i) mean[i] += row[i] / static_cast<double>(x.size());
  }
  Matrix result(size, std::vector<double>(size));
  for (const auto& row : x) {
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j < size; ++j)
        result[i][j] += (row[i] - mean[i]) * (row[j] - mean[j]) / static_cast<double>(x.size());
    }
  }
  return result;
}

/// 5000 samples of `size` numbers that mix independent ones of very different spread, about means 1, 2, ...
Tensor mixed(std::size_t size) {
  constexpr std::size_t kCount = 5000;
  const std::vector<double> z = test::numbers(static_cast<Index>(kCount * size), 3),
                            mix = test::numbers(static_cast<Index>(size * size), 4);
  std::vector<double> x(kCount * size);
  for (std::size_t n = 0; n < kCount; ++n) {
    for (std::size_t i = 0; i < size; ++i) {
      x[n * size + i] = static_cast<double>(i + 1);
      for (std::size_t k = 0; k < size; ++k)
        x[n * size + i] += mix[i * size + k] * z[n * size + k] * std::pow(0.5, static_cast<double>(k));
    }
  }
  return Tensor::from(std::span<const double>(x), {static_cast<Index>(kCount), static_cast<Index>(size)});
}

TEST(Whitening, MakesTheCovarianceTheIdentity) {
  const Tensor samples = mixed(8);
  for (const WhiteningKind kind : {WhiteningKind::Pca, WhiteningKind::Zca}) {
    const Matrix c = covariance(whiten(fit_whitening(samples, {.kind = kind, .epsilon = 0}), samples));
    for (std::size_t i = 0; i < 8; ++i) {
      for (std::size_t j = 0; j < 8; ++j) EXPECT_NEAR(c[i][j], i == j ? 1 : 0, 2e-4);
    }
  }
}

TEST(Whitening, GoesBack) {
  const Tensor samples = mixed(8);
  for (const double epsilon : {0.0, 0.1}) {
    for (const WhiteningKind kind : {WhiteningKind::Pca, WhiteningKind::Zca}) {
      const Whitening whitening = fit_whitening(samples, {.kind = kind, .epsilon = epsilon});
      const std::vector<double> back = unwhiten(whitening, whiten(whitening, samples)).values(),
                                wanted = samples.values();
      for (std::size_t i = 0; i < back.size(); ++i) ASSERT_NEAR(back[i], wanted[i], 1e-4);
    }
  }
}

TEST(Whitening, OfAKnownCovariance) {
  // Four points with mean (1, -1), variances 4 along (cos a, sin a) and 1 across it.
  const double a = 0.3, c = std::cos(a), s = std::sin(a), long_ = 2 * std::numbers::sqrt2,
               short_ = std::numbers::sqrt2;
  const std::vector<double> points = {1 + long_ * c,  -1 + long_ * s,  1 - long_ * c,  -1 - long_ * s,
                                      1 - short_ * s, -1 + short_ * c, 1 + short_ * s, -1 - short_ * c};
  const Tensor samples = Tensor::from(std::span(points), {4, 2});
  const Whitening pca = fit_whitening(samples, {.kind = WhiteningKind::Pca, .epsilon = 0});
  const auto expect = [](const Tensor& found, std::vector<double> wanted) {
    const std::vector<double> values = found.values();
    ASSERT_EQ(values.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(values[i], wanted[i], 1e-6);
  };
  expect(pca.mean, {1, -1});
  expect(pca.forward, {c / 2, s / 2, -s, c});
  expect(pca.inverse, {2 * c, -s, 2 * s, c});
  const Whitening zca = fit_whitening(samples, {.kind = WhiteningKind::Zca, .epsilon = 0});
  expect(zca.forward, {c * c / 2 + s * s, c * s / 2 - c * s, c * s / 2 - c * s, s * s / 2 + c * c});
  // Epsilon counts in mean variances: (4 + 1) / 2 each.
  const Whitening soft = fit_whitening(samples, {.kind = WhiteningKind::Pca, .epsilon = 0.4});
  expect(soft.forward, {c / std::sqrt(5), s / std::sqrt(5), -s / std::sqrt(2), c / std::sqrt(2)});
  // One dimension: what is kept is the projection on the long axis.
  const Whitening one = fit_whitening(samples, {.kind = WhiteningKind::Zca, .dimensions = 1, .epsilon = 0});
  expect(unwhiten(one, whiten(one, samples)), {points[0], points[1], points[2], points[3], 1, -1, 1, -1});
  EXPECT_EQ(fit_whitening(samples, {.kind = WhiteningKind::Pca, .dimensions = 1}).forward.shape(),
            (Shape{1, 2}));
}

TEST(Whitening, LeavesOutWhatDoesNotVary) {
  const Tensor samples = mixed(6);
  for (Index n = 0; n < samples.dim(0); ++n) {
    float* row = samples.host<float>() + 6 * n;
    row[5] = 7.0f;
    row[4] = row[0];
  }
  const Whitening pca = fit_whitening(samples, {.kind = WhiteningKind::Pca, .epsilon = 0});
  EXPECT_EQ(pca.forward.shape(), (Shape{4, 6}));
  const std::vector<double> back = unwhiten(pca, whiten(pca, samples)).values(), wanted = samples.values();
  for (std::size_t i = 0; i < back.size(); ++i) ASSERT_NEAR(back[i], wanted[i], 1e-4);
  EXPECT_TRUE(contains(error_of([&] { fit_whitening(samples, {.dimensions = 5}); }), "1 to 4"));
}

TEST(Whitening, ShowsDirectionsAndFilters) {
  const Tensor samples = mixed(5);
  const Whitening whitening = fit_whitening(samples, {.kind = WhiteningKind::Pca, .dimensions = 3});
  const Tensor w = Tensor::from(std::span<const double>(test::numbers(3, 8)), {1, 3});
  const std::vector<double> direction = unwhiten_directions(whitening, w).values(),
                            filter = unwhiten_filters(whitening, w).values();
  const std::vector<double> point = unwhiten(whitening, w).values(), mean = whitening.mean.values();
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(direction[i], point[i] - mean[i], 1e-5);
  const Matrix y = rows(whiten(whitening, samples)), x = rows(samples);
  const std::vector<double> weights = w.values();
  for (std::size_t n = 0; n < 10; ++n) {
    double white = 0, plain = 0;
    for (std::size_t k = 0; k < 3; ++k) white += weights[k] * y[n][k];
    for (std::size_t i = 0; i < 5; ++i) plain += filter[i] * (x[n][i] - mean[i]);
    EXPECT_NEAR(white, plain, 1e-4);
  }
}

TEST(Whitening, DoesNotTouchItsInput) {
  const Tensor samples = mixed(4);
  const std::vector<double> before = samples.values();
  const Whitening whitening = fit_whitening(samples);
  const Tensor white = whiten(whitening, samples);
  const std::vector<double> white_before = white.values();
  unwhiten(whitening, white);
  EXPECT_EQ(samples.values(), before);
  EXPECT_EQ(white.values(), white_before);
}

TEST(Whitening, RefusesWhatCannotBeWhitened) {
  EXPECT_NE(error_of([] { fit_whitening(Tensor::zeros({1, 4})); }), "");
  EXPECT_TRUE(contains(error_of([] { fit_whitening(Tensor::full({9, 4}, 3)); }), "differ"));
  EXPECT_TRUE(contains(error_of([] { fit_whitening(Tensor::zeros({2, 5000})); }), "4096"));
  EXPECT_TRUE(contains(error_of([] { fit_whitening(Tensor::full({9, 4}, std::nan(""))); }), "finite"));
  EXPECT_NE(error_of([] { fit_whitening(mixed(4), {.epsilon = -1}); }), "");
  EXPECT_NE(error_of([] { whiten(Whitening{}, mixed(4)); }), "");
  EXPECT_TRUE(contains(error_of([] { whiten(fit_whitening(mixed(4)), mixed(5)); }), "of 4"));
}

}  // namespace
}  // namespace basin
