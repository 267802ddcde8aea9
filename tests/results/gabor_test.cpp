#include "results/gabor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "support/device.h"
#include "support/numbers.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr Index kSide = 12;
constexpr double kPi = std::numbers::pi;

std::vector<double> draw(const Gabor& g, Index height = kSide, Index width = kSide) {
  std::vector<double> tile;
  for (Index y = 0; y < height; ++y) {
    for (Index x = 0; x < width; ++x) {
      const double dx = static_cast<double>(x) - g.centre_x, dy = static_cast<double>(y) - g.centre_y;
      const double u = dx * std::cos(g.orientation) + dy * std::sin(g.orientation);
      const double v = dy * std::cos(g.orientation) - dx * std::sin(g.orientation);
      const double envelope =
          std::exp(-0.5 * (u * u / (g.sigma_u * g.sigma_u) + v * v / (g.sigma_v * g.sigma_v)));
      tile.push_back(g.amplitude * envelope * std::cos(2 * kPi * g.frequency * u + g.phase));
    }
  }
  return tile;
}

/// Twenty Gabor functions of all kinds, well inside the tile.
std::vector<Gabor> examples() {
  std::vector<Gabor> gabors;
  const std::vector<double> n = test::numbers(20 * 8, 5);
  for (std::size_t i = 0; i < n.size(); i += 8) {
    gabors.push_back({.centre_x = 5.5 + 2.5 * n[i],
                      .centre_y = 5.5 + 2.5 * n[i + 1],
                      .sigma_u = 1.8 + 0.5 * n[i + 2],
                      .sigma_v = 2.2 + 0.8 * n[i + 3],
                      .orientation = 0.5 * kPi * (1 + n[i + 4]),
                      .frequency = 0.22 + 0.1 * n[i + 5],
                      .phase = kPi * n[i + 6],
                      .amplitude = 2 + n[i + 7],
                      .explained = 0});
  }
  return gabors;
}

std::vector<Gabor> fit(const std::vector<double>& tiles, Placement placement, Index height = kSide,
                       Index width = kSide) {
  const auto count = static_cast<Index>(tiles.size()) / (height * width);
  return fit_gabors(Tensor::from(std::span(tiles), {count, height * width}, placement), height, width);
}

TEST(FitGabors, RecoversGaborFunctions) {
  std::vector<double> tiles;
  for (const Gabor& gabor : examples()) {
    const std::vector<double> tile = draw(gabor);
    tiles.insert(tiles.end(), tile.begin(), tile.end());
  }
  for (const Placement placement : {test::f64(), test::f32()}) {
    const std::vector<Gabor> found = fit(tiles, placement);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Gabor wanted = examples()[i];
      SCOPED_TRACE(i);
      EXPECT_GT(found[i].explained, 1 - 1e-6);
      EXPECT_NEAR(found[i].centre_x, wanted.centre_x, 0.02);
      EXPECT_NEAR(found[i].centre_y, wanted.centre_y, 0.02);
      EXPECT_NEAR(found[i].sigma_u, wanted.sigma_u, 0.02);
      EXPECT_NEAR(found[i].sigma_v, wanted.sigma_v, 0.02);
      EXPECT_NEAR(found[i].frequency, wanted.frequency, 0.01);
      EXPECT_NEAR(std::sin(found[i].orientation - wanted.orientation), 0, 0.01);
      // Its own parameters must draw the tile: phase and amplitude are what these say.
      const std::vector<double> drawn = draw(found[i]);
      for (std::size_t p = 0; p < drawn.size(); ++p) ASSERT_NEAR(drawn[p], tiles[i * drawn.size() + p], 3e-3);
      EXPECT_TRUE(found[i].orientation >= 0 && found[i].orientation < kPi);
    }
  }
}

TEST(FitGabors, SharesOutNoise) {
  // Noise of a tenth of the tile's variance stays unexplained, but for what eight free numbers of 144 catch
  // of it.
  std::vector<double> tiles;
  const std::vector<double> noise = test::numbers(20 * kSide * kSide, 9);
  for (std::size_t i = 0; i < 20; ++i) {
    const std::vector<double> tile = draw(examples()[i]);
    const double power =
        std::inner_product(tile.begin(), tile.end(), tile.begin(), 0.0) / static_cast<double>(tile.size());
    const double factor = std::sqrt(power / 9 * 3);  // numbers() has a variance of 1/3
    for (std::size_t p = 0; p < tile.size(); ++p)
      tiles.push_back(tile[p] + factor * noise[i * tile.size() + p]);
  }
  for (const Gabor& found : fit(tiles, test::f64())) {
    EXPECT_GT(found.explained, 0.86);
    EXPECT_LT(found.explained, 0.95);
  }
}

TEST(FitGabors, FindsLittleInNoise) {
  const std::vector<Gabor> found = fit(test::numbers(30 * kSide * kSide, 1), test::f32());
  for (const Gabor& gabor : found) EXPECT_LT(gabor.explained, 0.4);
  EXPECT_EQ(share_explained(found, 0.8), 0.0);
  EXPECT_EQ(share_explained(found, 0.0), 1.0);
}

TEST(FitGabors, TakesOblongTilesAndFlatOnes) {
  const Gabor wanted{.centre_x = 9,
                     .centre_y = 3,
                     .sigma_u = 2,
                     .sigma_v = 3,
                     .orientation = 0.4,
                     .frequency = 0.15,
                     .phase = 1,
                     .amplitude = 1};
  std::vector<double> tiles = draw(wanted, 8, 20);
  tiles.resize(tiles.size() * 2, 0.0);
  tiles.resize(tiles.size() + 160, 3.0);
  const std::vector<Gabor> found = fit(tiles, test::f64(), 8, 20);
  EXPECT_GT(found[0].explained, 0.9999);
  EXPECT_NEAR(found[0].centre_x, 9, 0.02);
  EXPECT_NEAR(found[0].phase, 1, 0.02);
  EXPECT_EQ(found[1].explained, 0);
  EXPECT_EQ(found[2].explained, 0);
  EXPECT_NEAR(share_explained(found, 0.8), 1.0 / 3, 1e-12);
}

TEST(FitGabors, RefusesWhatIsNoTile) {
  EXPECT_THROW(fit_gabors(Tensor(), 3, 3), Error);
  EXPECT_THROW(fit_gabors(Tensor::zeros({2, 10}, test::f32()), 3, 3), Error);
  EXPECT_THROW(fit_gabors(Tensor::zeros({1, 65 * 2}, test::f32()), 65, 2), Error);
  EXPECT_THROW(fit_gabors(Tensor::full({1, 9}, std::nan(""), test::f32()), 3, 3), Error);
}

}  // namespace
}  // namespace basin
