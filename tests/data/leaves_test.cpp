#include "data/generators/leaves.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/catalog.h"
#include "temporary.h"
#include "tensor/threads.h"

namespace basin {
namespace {

using test::error_of;

TEST(Leaves, ImageIsAFunctionOfItsNumberAlone) {
  const int before = thread_count();
  set_thread_count(2);
  const ImageStack many = leaves(Key(1), 0, 6, {.side = 40});
  set_thread_count(1);
  const ImageStack last = leaves(Key(1), 4, 2, {.side = 40});
  set_thread_count(before);
  EXPECT_EQ(last[0].pixels.values(), many[4].pixels.values());
  EXPECT_EQ(last[1].pixels.values(), many[5].pixels.values());
  EXPECT_NE(many[0].pixels.values(), many[1].pixels.values());
  EXPECT_NE(leaves(Key(2), 4, 1, {.side = 40})[0].pixels.values(), many[4].pixels.values());
}

TEST(Leaves, GreysAreUniform) {
  // A leaf's grey is uniform in [0, 1]; only the smoothed borders pull towards the middle.
  double sum = 0, squares = 0, count = 0;
  for (const Image& image : leaves(Key(3), 0, 60, {.side = 64, .least_radius = 3, .largest_radius = 16})) {
    for (const double value : image.pixels.values()) {
      ASSERT_TRUE(value >= 0 && value <= 1.00001);
      sum += value;
      squares += value * value;
      ++count;
    }
  }
  EXPECT_NEAR(sum / count, 0.5, 0.02);
  EXPECT_GT(squares / count - 0.25, 0.065);
  EXPECT_LT(squares / count - 0.25, 0.088);  // 1/12 = 0.083 without borders
}

TEST(Leaves, AreFlatInsideWithBordersBetween) {
  // Most neighbours are on the same leaf and equal; others differ by anything.
  Index equal = 0, far = 0, pairs = 0;
  for (const Image& image : leaves(Key(4), 0, 5, {.side = 128, .least_radius = 4})) {
    for (Index p = 0; p + 1 < image.pixels.size(); ++p) {
      const double difference = std::abs(image.pixels.host<float>()[p + 1] - image.pixels.host<float>()[p]);
      equal += difference < 0.005 ? 1 : 0;
      far += difference > 0.25 ? 1 : 0;
      ++pairs;
    }
  }
  EXPECT_GT(static_cast<double>(equal), 0.6 * static_cast<double>(pairs));
  EXPECT_GT(static_cast<double>(far), 0.02 * static_cast<double>(pairs));
}

/// Power of row k, averaged over the rows of all images, under a Hann window: without it the ends of a row,
/// which do not meet, would be an edge of their own.
std::vector<double> row_spectrum(const ImageStack& images, Index side) {
  std::vector<double> power(static_cast<std::size_t>(side / 2));
  for (const Image& image : images) {
    for (Index y = 0; y < side; y += 4) {
      for (std::size_t k = 1; k < power.size(); ++k) {
        double real = 0, imaginary = 0;
        for (Index x = 0; x < side; ++x) {
          const double turn = 2 * std::numbers::pi * static_cast<double>(x) / static_cast<double>(side);
          const double value = (image.pixels.host<float>()[y * side + x] - 0.5) * (1 - std::cos(turn));
          real += value * std::cos(turn * static_cast<double>(k));
          imaginary += value * std::sin(turn * static_cast<double>(k));
        }
        power[k] += real * real + imaginary * imaginary;
      }
    }
  }
  return power;
}

double slope(const std::vector<double>& power, std::size_t from, std::size_t to) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t k = from; k <= to; ++k) {
    const double lx = std::log(static_cast<double>(k)), ly = std::log(power[k]);
    n += 1;
    x += lx;
    y += ly;
    xx += lx * lx;
    xy += lx * ly;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

TEST(Leaves, LookTheSameAtEveryScale) {
  // Power over a plane falls like f^-alpha, alpha near 2 (photographs: 2.0 +- 0.3), which is f^(1 - alpha)
  // along a line. Leaves of one size have the alpha = 3 of single edges instead.
  const auto alpha = [](const LeavesOptions& options) {
    return 1 - slope(row_spectrum(leaves(Key(5), 0, 16, options), options.side), 4, 32);
  };
  const double all_sizes = alpha({.side = 128, .least_radius = 1, .largest_radius = 256}),
               one_size = alpha({.side = 128, .least_radius = 15, .largest_radius = 16});
  RecordProperty("all_sizes", std::to_string(all_sizes));
  RecordProperty("one_size", std::to_string(one_size));
  EXPECT_GT(all_sizes, 2.1);
  EXPECT_LT(all_sizes, 2.7);
  EXPECT_GT(one_size, 2.8);
}

TEST(Leaves, RefusesImpossibleOptions) {
  EXPECT_NE(error_of([] { leaves(Key(1), 0, 1, {.least_radius = 0.1}); }), "");
  EXPECT_NE(error_of([] { leaves(Key(1), 0, 1, {.least_radius = 9, .largest_radius = 9}); }), "");
  EXPECT_NE(error_of([] { leaves(Key(1), 0, 1, {.side = 0}); }), "");
  EXPECT_NE(error_of([] { leaves(Key(1), 0, 1, {.polygons = 1.5}); }), "");
  EXPECT_NE(error_of([] { leaves(Key(1), -1, 1); }), "");
}

TEST(LoadDataset, PatchesOfLeaves) {
  const DatasetOptions options{
      .train = 300, .test = 40, .seed = 3, .patches = {.size = 8, .whiten = Whiten::Zca}};
  const Dataset data = load_dataset("leaves", options);
  EXPECT_EQ(data.train.shape(), (Shape{8, 8}));
  EXPECT_EQ(data.train.count, 300);
  EXPECT_EQ(data.test.count, 40);
  EXPECT_TRUE(data.preprocessing.whitening.defined());
  EXPECT_EQ(load_dataset("leaves", options).train.values().values(), data.train.values().values());
  EXPECT_EQ(load_dataset("leaves", {.train = 4, .test = 3, .patches = {.size = 70}}).train.shape(),
            (Shape{70, 70}));
}

}  // namespace
}  // namespace basin
