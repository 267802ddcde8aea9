// Distortions of images: what they leave alone, what they move, and what they draw.
#include "data/images/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>

#include "config/config.h"
#include "data/fill_batch.h"
#include "temporary.h"
#include "tensor/threads.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;

constexpr Index kSide = 28;

std::vector<std::uint8_t> random_bytes(Key key, std::size_t count) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(key.fold(i).bits()));
  return bytes;
}

std::vector<std::uint8_t> distorted(const Augmentation& how, const Shape& shape, Key key,
                                    const std::vector<std::uint8_t>& image) {
  std::vector<std::uint8_t> out(image.size());
  augment(how, shape, key, image.data(), out.data());
  return out;
}

TEST(Augment, WithoutAnythingItLeavesTheBitsAlone) {
  for (const Shape& shape : {Shape{1, 28, 28}, Shape{3, 32, 32}, Shape{2, 5, 17}}) {
    const auto image = random_bytes(Key(1), static_cast<std::size_t>(element_count(shape)));
    EXPECT_EQ(distorted({}, shape, Key(2), image), image);
    std::vector<float> in(image.begin(), image.end()), out(image.size());
    for (float& x : in) x = x / 7.0f - 11.0f;
    augment({}, shape, Key(2), in.data(), out.data());
    EXPECT_EQ(out, in);
  }
  EXPECT_TRUE(Augmentation{}.is_none());
  EXPECT_TRUE(Augmentation{.sigma = 6.0}.is_none());
  EXPECT_FALSE(Augmentation{.flip = true}.is_none());
}

TEST(Augment, CropsAndFlipsMoveWholePixels) {
  const Shape shape{2, 9, 7};
  const auto image = random_bytes(Key(3), 2 * 9 * 7);
  const auto moved = [&](bool flipped, Index right, Index down) {
    std::vector<std::uint8_t> out(image.size());
    for (Index c = 0; c < 2; ++c) {
      for (Index y = 0; y < 9; ++y) {
        for (Index x = 0; x < 7; ++x) {
          const Index from_x = flipped ? 6 - (x - right) : x - right, from_y = y - down;
          if (from_x < 0 || from_x > 6 || from_y < 0 || from_y > 8) continue;
          out[static_cast<std::size_t>((c * 9 + y) * 7 + x)] =
              image[static_cast<std::size_t>((c * 9 + from_y) * 7 + from_x)];
        }
      }
    }
    return out;
  };
  std::set<std::vector<std::uint8_t>> expected, seen;
  for (const bool flipped : {false, true}) {
    for (Index right = -2; right <= 2; ++right) {
      for (Index down = -2; down <= 2; ++down) expected.insert(moved(flipped, right, down));
    }
  }
  ASSERT_EQ(expected.size(), 50u);
  for (std::uint64_t i = 0; i < 600; ++i)
    seen.insert(distorted({.flip = true, .crop = 2}, shape, Key(i), image));
  EXPECT_EQ(seen, expected);
}

/// The image x + 100 y, whose distorted values say where they come from (away from the edges).
struct Origins {
  static constexpr Index kSize = 65;
  std::vector<double> in = std::vector<double>(kSize * kSize), out = in;
  Origins() {
    for (Index p = 0; p < kSize * kSize; ++p)
      in[static_cast<std::size_t>(p)] =
          static_cast<double>(p % kSize) + 100.0 * static_cast<double>(p / kSize);
  }
  void draw(const Augmentation& how, Key key) { augment(how, {1, kSize, kSize}, key, in.data(), out.data()); }
  double at(Index x, Index y) const { return out[static_cast<std::size_t>((32 + y) * kSize + 32 + x)]; }
};

TEST(Augment, DrawsUniformShiftsAnglesAndFactors) {
  Origins origins;
  constexpr int kCount = 3000;
  constexpr double kMiddle = 32.0 + 3200.0;
  double shift = 0.0, angle = 0.0, factor = 0.0;
  for (int i = 0; i < kCount; ++i) {
    const Key key(static_cast<std::uint64_t>(i));
    origins.draw({.shift = 0.25}, key);  // kMiddle - dx - 100 dy, both within 0.25
    const double moved = kMiddle - origins.at(0, 0);
    ASSERT_LE(std::abs(moved), 25.26);
    shift += moved * moved / kCount;
    origins.draw({.rotate = 30.0}, key);  // along x: cosine - 100 sine
    const double sine =
        (origins.at(0, 8) - origins.at(0, -8) - 100.0 * (origins.at(8, 0) - origins.at(-8, 0))) / 16.0 /
        10001.0;
    const double degrees = std::asin(sine) * 180.0 / std::numbers::pi;
    ASSERT_LE(std::abs(degrees), 30.01);
    angle += degrees * degrees / kCount;
    origins.draw({.scale = 0.2}, key);
    const double wide = 16.0 / (origins.at(8, 0) - origins.at(-8, 0)),
                 high = 1600.0 / (origins.at(0, 8) - origins.at(0, -8));
    ASSERT_TRUE(wide > 0.799 && wide < 1.201 && high > 0.799 && high < 1.201);
    factor += (wide - 1.0) * (wide - 1.0) / kCount;
    EXPECT_TRUE(i >= 5 || std::abs(wide - high) > 1e-4) << "the axes have factors of their own";
  }
  // Mean squares of uniform numbers, a^2 / 3, whose own deviation is 0.894 of that over sqrt(count).
  const double z = 4.0 * 0.9 / std::sqrt(kCount);
  EXPECT_NEAR(shift, 10001.0 * 0.25 * 0.25 / 3, z * 10001.0 * 0.25 * 0.25 / 3);
  EXPECT_NEAR(angle, 300.0, z * 300.0);
  EXPECT_NEAR(factor, 0.04 / 3, z * 0.04 / 3 + 1e-5);
}

TEST(Augment, ElasticFieldsAreSmoothedNoise) {
  // Uniform noise in -a .. a, smoothed by sigma: deviation a / sqrt(3) / (2 sigma sqrt(pi)), and a
  // correlation of exp(-d^2 / (4 sigma^2)) over d pixels.
  std::vector<double> in(65 * 65), out(65 * 65);
  for (Index p = 0; p < 65 * 65; ++p) in[static_cast<std::size_t>(p)] = static_cast<double>(p % 65);
  constexpr double kSigma = 2.0, kMost = 5.0;
  constexpr int kCount = 400;
  double squares = 0.0, apart = 0.0, down = 0.0, mean = 0.0;
  const auto field = [&](Index x, Index y) {
    return out[static_cast<std::size_t>(y * 65 + x)] - static_cast<double>(x);
  };
  for (int i = 0; i < kCount; ++i) {
    augment({.elastic = kMost, .sigma = kSigma}, {1, 65, 65}, Key(static_cast<std::uint64_t>(i)), in.data(),
            out.data());
    for (Index y = 12; y < 53; y += 8) {
      for (Index x = 12; x < 50; x += 8) {
        mean += field(x, y);
        squares += field(x, y) * field(x, y);
        apart += field(x, y) * field(x + 3, y);
        down += field(x, y) * field(x, y + 3);
      }
    }
  }
  const double n = kCount * 6.0 * 5.0,
               variance = kMost * kMost / 3.0 / (4.0 * kSigma * kSigma * std::numbers::pi);
  EXPECT_NEAR(mean / n, 0.0, 4.0 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n / variance, 1.0, 0.06);
  EXPECT_NEAR(apart / squares, std::exp(-9.0 / (4.0 * kSigma * kSigma)), 0.04);
  EXPECT_NEAR(down / squares, std::exp(-9.0 / (4.0 * kSigma * kSigma)), 0.04);
}

constexpr Augmentation kAll{
    .shift = 2.0, .rotate = 15.0, .scale = 0.15, .elastic = 34.0, .flip = true, .crop = 1};

Column digits(Index count) {
  return byte_column("image", {kSide, kSide},
                     random_bytes(Key(7), static_cast<std::size_t>(count * kSide * kSide)));
}

std::vector<double> batch_of(const Column& column, const std::vector<Index>& rows,
                             const BatchOptions& options) {
  const Tensor out({static_cast<Index>(rows.size()), column.sample_size()});
  fill_batch(column, rows, options, out);
  return out.values();
}

TEST(Augment, BatchesDrawBySampleAndKeyAlone) {
  const Column column = digits(300);
  std::vector<Index> rows(300);
  std::iota(rows.begin(), rows.end(), Index{0});
  BatchOptions options{.key = Key(5), .augment = kAll};
  const int before = thread_count();
  set_thread_count(2);
  const std::vector<double> whole = batch_of(column, rows, options);
  set_thread_count(1);
  EXPECT_EQ(batch_of(column, rows, options), whole);
  set_thread_count(before);
  const std::vector<double> some = batch_of(column, {17, 250, 4}, options);
  for (std::size_t k = 0; k < 3; ++k) {
    const std::size_t row = std::array<std::size_t, 3>{17, 250, 4}.at(k), size = kSide * kSide;
    EXPECT_TRUE(std::equal(some.begin() + static_cast<std::ptrdiff_t>(k * size),
                           some.begin() + static_cast<std::ptrdiff_t>((k + 1) * size),
                           whole.begin() + static_cast<std::ptrdiff_t>(row * size)));
  }
  options.key = Key(6);
  EXPECT_NE(batch_of(column, rows, options), whole) << "an epoch sees new ones";
  options.augment = {};
  const std::vector<double> plain = batch_of(column, rows, options);
  for (std::size_t p = 0; p < plain.size(); ++p)
    ASSERT_EQ(plain[p], static_cast<double>(static_cast<float>(column.bytes()[p]) / 255.0f));
}

TEST(Augment, ScalesComeAfterwards) {
  const Column column = digits(20);
  std::vector<Index> rows(20);
  std::iota(rows.begin(), rows.end(), Index{0});
  const std::vector<double> grey = batch_of(column, rows, {.key = Key(5), .augment = kAll});
  const std::vector<double> bits =
      batch_of(column, rows, {.scale = PixelScale::Threshold, .key = Key(5), .augment = kAll});
  for (std::size_t p = 0; p < grey.size(); ++p)
    ASSERT_EQ(bits[p], grey[p] >= 128.0 / 255.0 - 1e-6 ? 1.0 : 0.0);
  for (const double bit :
       batch_of(column, rows, {.scale = PixelScale::Stochastic, .key = Key(5), .augment = kAll}))
    ASSERT_TRUE(bit == 0.0 || bit == 1.0);
  // Reals of the same numbers agree up to the rounding to bytes.
  Tensor reals({20, kSide, kSide});
  for (Index p = 0; p < reals.size(); ++p)
    reals.host<float>()[p] = static_cast<float>(column.bytes()[static_cast<std::size_t>(p)]) / 255.0f;
  const std::vector<double> real =
      batch_of(real_column("image", reals), rows, {.key = Key(5), .augment = kAll});
  for (std::size_t p = 0; p < grey.size(); ++p) ASSERT_NEAR(real[p], grey[p], 0.51 / 255.0);
}

TEST(Augment, WhatCannotBeIsSaid) {
  const std::vector<Index> rows{0};
  const BatchOptions options{.augment = {.flip = true}};
  EXPECT_TRUE(
      contains(error_of([&] { batch_of(byte_column("x", {12}, random_bytes(Key(1), 12)), rows, options); }),
               "expected images"));
  EXPECT_TRUE(contains(error_of([&] {
                         batch_of(integer_column("x", {2, 2}, {0, 1, 0, 1}, 2), rows, options);
                       }),
                       "integers of 'x'"));
  const auto read = [](const std::string& text) {
    const Config config = Config::parse("[augment]\n" + text);
    const Augmentation how = read_augmentation(config.table("augment"));
    config.finish();
    return how;
  };
  EXPECT_EQ(read("shift = 2\nrotate = 15\nscale = 0.15\nelastic = 34\nflip = true\ncrop = 1"), kAll);
  for (const char* text :
       {"shift = -1", "rotate = 200", "scale = 1", "sigma = 0", "crop = 0.5", "elastic = inf", "zoom = 1"})
    EXPECT_NE(error_of([&] { read(text); }), "") << text;
}

}  // namespace
}  // namespace basin
