// Generated pictures with labels: rectangles, convex regions, variations of digits; parity and the parabola.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <set>

#include "columns.h"
#include "data/catalog.h"
#include "data/digest.h"
#include "data/generators/convex.h"
#include "data/generators/digit_variations.h"
#include "data/generators/identity.h"
#include "data/generators/parabola.h"
#include "data/generators/parity.h"
#include "data/generators/plane.h"
#include "data/generators/rectangles.h"
#include "temporary.h"
#include "tensor/threads.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;

constexpr Index kSide = 28;

std::span<const std::uint8_t> image(const Samples& samples, Index n) {
  const Index size = samples["image"].sample_size();
  return samples["image"].bytes().subspan(static_cast<std::size_t>(n * size), static_cast<std::size_t>(size));
}

std::string digest_of(const Samples& samples) { return digest({"x", samples, {}}); }

TEST(Shapes, ASampleIsAFunctionOfKeyAndNumberAlone) {
  const Samples digits = rectangles(Key(9), 100);  // any pictures do
  const auto made = [&](Index count) {
    return std::vector{rectangles(Key(3), count),
                       convex(Key(3), count),
                       parity(Key(3), count, 9),
                       parabola(Key(3), count),
                       rotated(digits.head(count), Key(3)),
                       on_noise(digits.head(count), Key(3))};
  };
  const int before = thread_count();
  set_thread_count(2);
  const std::vector<Samples> many = made(100);
  set_thread_count(1);
  const std::vector<Samples> few = made(30);
  set_thread_count(before);
  for (std::size_t i = 0; i < many.size(); ++i) EXPECT_EQ(digest_of(few[i]), digest_of(many[i].head(30)));
  for (const auto make : {+[] { rectangles(Key(1), -1); }, +[] { convex(Key(1), -1); },
                          +[] { parity(Key(1), -1, 3); }, +[] { parabola(Key(1), -1); }})
    EXPECT_TRUE(contains(error_of(make), "count >= 0"));
}

TEST(Shapes, ParityCountsItsBits) {
  const Samples samples = parity(Key(1), 4000, 5);
  std::set<int> patterns;
  int odd = 0;
  for (Index n = 0; n < samples.count; ++n) {
    int pattern = 0, set = 0;
    for (Index b = 0; b < 5; ++b) {
      const std::uint8_t bit = samples.pixels()[static_cast<std::size_t>(5 * n + b)];
      ASSERT_EQ(bit % 255, 0);
      pattern = 2 * pattern + bit / 255;
      set += bit / 255;
    }
    patterns.insert(pattern);
    ASSERT_EQ(test::labels_of(samples)[static_cast<std::size_t>(n)], set % 2) << "sample " << n;
    odd += set % 2;
    if (n == 300) n = 3900;  // labels_of copies
  }
  EXPECT_EQ(patterns.size(), 32u);
  EXPECT_NEAR(odd, 200, 4.0 * 10.0);
  EXPECT_TRUE(contains(error_of([] { parity(Key(1), 5, 0); }), "bits"));
}

TEST(Identity, IsEvenAndItsOwnTarget) {
  const Samples two = identity(2), five = identity(5);
  EXPECT_EQ(two.values().values(), (std::vector<double>{-0.5, 0.5}));
  EXPECT_EQ(five["number"].reals().values(), (std::vector<double>{-0.5, -0.25, 0.0, 0.25, 0.5}));
  EXPECT_EQ(five["target"].reals().values(), five["number"].reals().values());
  EXPECT_EQ(identity(1).values().values(), std::vector<double>{0.5});
  EXPECT_THROW(identity(-1), Error);
  const Dataset data = load_dataset("identity", {});
  EXPECT_EQ(data.train.values().values(), data.test.values().values());
  EXPECT_EQ(data.train.count, 2);
}

TEST(Shapes, TheParabolaIsOne) {
  const Samples samples = parabola(Key(1), 3000);
  double mean = 0.0, squares = 0.0;
  for (Index n = 0; n < samples.count; ++n) {
    const float* point = samples.values().host<float>() + 2 * n;
    ASSERT_TRUE(point[0] >= -1.0f && point[0] < 1.0f);
    ASSERT_EQ(point[1], point[0] * point[0]);
    mean += point[0] / 3000.0;
    squares += point[1] / 3000.0;
  }
  EXPECT_NEAR(mean, 0.0, 4.0 * std::sqrt(1.0 / 3 / 3000));
  EXPECT_NEAR(squares, 1.0 / 3, 4.0 * std::sqrt(4.0 / 45 / 3000));
}

/// The smallest rectangle around the pixels that are not 0: left, top, width, height.
std::array<Index, 4> bounds(std::span<const std::uint8_t> pixels) {
  Index left = kSide, top = kSide, right = -1, bottom = -1;
  for (Index p = 0; p < kSide * kSide; ++p) {
    if (pixels[static_cast<std::size_t>(p)] == 0) continue;
    left = std::min(left, p % kSide), right = std::max(right, p % kSide);
    top = std::min(top, p / kSide), bottom = std::max(bottom, p / kSide);
  }
  return {left, top, right - left + 1, bottom - top + 1};
}

TEST(Shapes, RectanglesAreOutlinesWideOrTall) {
  const Samples samples = rectangles(Key(2), 2000);
  const std::vector<int> labels = test::labels_of(samples);
  std::set<Index> widths;
  for (Index n = 0; n < samples.count; ++n) {
    const auto pixels = image(samples, n);
    const auto [left, top, width, height] = bounds(pixels);
    ASSERT_GE(std::abs(width - height), 3);
    ASSERT_EQ(labels[static_cast<std::size_t>(n)], width > height ? 1 : 0);
    for (Index y = 0; y < kSide; ++y) {
      for (Index x = 0; x < kSide; ++x) {
        const bool within = x >= left && x < left + width && y >= top && y < top + height;
        const bool border = x == left || x == left + width - 1 || y == top || y == top + height - 1;
        ASSERT_EQ(pixels[static_cast<std::size_t>(y * kSide + x)], within && border ? 255 : 0);
      }
    }
    widths.insert(width);
  }
  EXPECT_EQ(widths.size(), 27u);
  EXPECT_EQ(*widths.begin(), 2);
  const auto wide = std::accumulate(labels.begin(), labels.end(), 0);
  EXPECT_NEAR(wide, 1000, 4.0 * std::sqrt(500.0));
}

TEST(Shapes, RectanglesOfPatchesLieOnPatches) {
  constexpr Index kCount = 500;
  const Tensor white({kCount, kSide, kSide}), black = Tensor::zeros({kCount, kSide, kSide});
  std::fill_n(white.host<float>(), white.size(), 1.0f);
  const Samples samples = rectangle_images(Key(2), white, black);
  for (Index n = 0; n < samples.count; ++n) {
    const auto [left, top, width, height] = bounds(image(samples, n));
    const auto lit = std::ranges::count(image(samples, n), 255);
    ASSERT_EQ(lit, width * height);
    ASSERT_TRUE(width >= 10 && height >= 10 && std::abs(width - height) >= 5);
    ASSERT_TRUE(4 * lit >= kSide * kSide && 4 * lit <= 3 * kSide * kSide);
    ASSERT_EQ(test::labels_of(samples.picked(std::vector<Index>{n}))[0], width > height ? 1 : 0);
  }
  EXPECT_TRUE(contains(error_of([&] {
                         rectangle_images(Key(1), white, Tensor({kCount, 28, 27}));
                       }),
                       "patches"));
}

/// Whether the region holds every pixel of its convex hull.
bool holds_its_hull(std::span<const std::uint8_t> pixels) {
  std::vector<std::array<Index, 2>> ends;  // of rows: a hull's corners are among them
  for (Index y = 0; y < kSide; ++y) {
    Index first = -1, last = -1;
    for (Index x = 0; x < kSide; ++x) {
      if (pixels[static_cast<std::size_t>(y * kSide + x)] == 0) continue;
      if (first < 0) first = x;
      last = x;
    }
    if (first < 0) continue;
    ends.push_back({first, y});
    ends.push_back({last, y});
  }
  const auto side = [](const auto& a, const auto& b, const auto& p) {
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]);
  };
  for (Index p = 0; p < kSide * kSide; ++p) {
    if (pixels[static_cast<std::size_t>(p)] != 0) continue;
    const std::array<Index, 2> at{p % kSide, p / kSide};
    // Outside of the hull when some line through it has all of the region strictly on one side: it is enough
    // to try the lines through the point and each end.
    bool is_outside = false;
    for (const auto& end : ends) {
      bool left = false, right = false, behind = false, before = false;
      for (const auto& other : ends) {
        const Index turn = side(at, end, other);
        left = left || turn > 0;
        right = right || turn < 0;
        const Index along = (end[0] - at[0]) * (other[0] - at[0]) + (end[1] - at[1]) * (other[1] - at[1]);
        before = before || (turn == 0 && along > 0);
        behind = behind || (turn == 0 && along < 0);
      }
      is_outside = is_outside || (!(left && right) && !(before && behind));
    }
    if (!is_outside) return false;
  }
  return true;
}

/// The definition: the pixels nearest to the straight line between any two of them.
bool holds_all_lines(std::span<const std::uint8_t> pixels) {
  for (Index p = 0; p < kSide * kSide; ++p) {
    for (Index q = 0; q < p; ++q) {
      if (pixels[static_cast<std::size_t>(p)] == 0 || pixels[static_cast<std::size_t>(q)] == 0) continue;
      const double dx = static_cast<double>(q % kSide - p % kSide),
                   dy = static_cast<double>(q / kSide - p / kSide);
      const double steps = std::max(std::abs(dx), std::abs(dy));
      for (double k = 1.0; k < steps; ++k) {
        const auto x = static_cast<Index>(std::floor(static_cast<double>(p % kSide) + dx * k / steps + 0.5));
        const auto y = static_cast<Index>(std::floor(static_cast<double>(p / kSide) + dy * k / steps + 0.5));
        if (pixels[static_cast<std::size_t>(y * kSide + x)] == 0) return false;
      }
    }
  }
  return true;
}

TEST(Shapes, ConvexRegionsAreConvexAndTheOthersAreNot) {
  const Samples samples = convex(Key(4), 300);
  const std::vector<int> labels = test::labels_of(samples);
  double area[2] = {};
  int look_convex = 0;
  for (Index n = 0; n < samples.count; ++n) {
    const auto pixels = image(samples, n);
    const int label = labels[static_cast<std::size_t>(n)];
    ASSERT_EQ(label, n % 2);
    const bool is_convex = holds_its_hull(pixels);
    ASSERT_TRUE(label == 1 ? is_convex : !holds_all_lines(pixels)) << "sample " << n;
    look_convex += label == 0 && is_convex ? 1 : 0;
    const auto lit = std::ranges::count(pixels, 255);
    ASSERT_EQ(lit + std::ranges::count(pixels, 0), kSide * kSide);
    ASSERT_GE(lit, label == 1 ? 19 : 10);
    area[label] += static_cast<double>(lit) / 150.0;
  }
  EXPECT_NEAR(look_convex, 20, 17) << "few fail for the steps of their edges alone";
  // The paper's settings make both classes equally bright; the deviation of an area is about 270 pixels.
  EXPECT_NEAR(area[0], area[1], 4.0 * 270.0 * std::sqrt(2.0 / 150));
}

TEST(Shapes, VariationsOfDigits) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(400 * kSide * kSide));
  for (Index n = 0; n < 400; ++n) {
    for (Index y = 10; y < 18; ++y) pixels[static_cast<std::size_t>((n * kSide + y) * kSide + 20)] = 200;
  }
  const Samples digits{byte_column("image", {kSide, kSide}, std::move(pixels)),
                       integer_column("label", {}, std::vector<std::int32_t>(400, 3), 10)};
  const Samples turned = rotated(digits, Key(1));
  std::array<int, 4> quarters{};
  for (Index n = 0; n < turned.count; ++n) {
    double x = 0.0, y = 0.0, ink = 0.0;
    for (Index p = 0; p < kSide * kSide; ++p) {
      const double pixel = image(turned, n)[static_cast<std::size_t>(p)];
      ink += pixel, x += pixel * (static_cast<double>(p % kSide) - 13.5),
          y += pixel * (static_cast<double>(p / kSide) - 13.5);
    }
    EXPECT_NEAR(ink, 1600.0, 60.0);
    EXPECT_NEAR(std::hypot(x, y) / ink, 6.5, 0.1) << "as far from the middle as before";
    ++quarters[(x > 0 ? 1u : 0u) + (y > 0 ? 2u : 0u)];
  }
  for (const int count : quarters) EXPECT_NEAR(count, 100, 4.0 * std::sqrt(400 * 3.0 / 16));
  EXPECT_EQ(turned["label"].integers()[5], 3);

  const Samples noisy = on_noise(digits, Key(1));
  double mean = 0.0;
  for (Index n = 0; n < noisy.count; ++n) {
    for (std::size_t p = 0; p < static_cast<std::size_t>(kSide * kSide); ++p) {
      ASSERT_GE(image(noisy, n)[p], image(digits, n)[p]);
      if (image(digits, n)[p] == 0) mean += image(noisy, n)[p] / (400.0 * (kSide * kSide - 8));
    }
  }
  EXPECT_NEAR(mean, 127.5, 4.0 * 73.9 / std::sqrt(400.0 * kSide * kSide));

  const Tensor grey({400, kSide, kSide});
  std::fill_n(grey.host<float>(), grey.size(), 0.5f);
  const Samples pictured = on_images(digits, grey);
  for (std::size_t p = 0; p < pictured.pixels().size(); ++p)
    ASSERT_EQ(pictured.pixels()[p], std::max<int>(128, digits.pixels()[p]));
  EXPECT_TRUE(contains(error_of([&] { on_images(digits, Tensor({399, kSide, kSide})); }), "patches"));
}

TEST(Shapes, SizesOfTheSets) {
  const Dataset wide = load_dataset("rectangles", {.test = 10, .validation = 0.25});
  EXPECT_EQ(wide.train.count + wide.validation.count, 1200);
  EXPECT_EQ(load_dataset("convex", {.train = 50, .test = 10}).test.count, 10);
  EXPECT_EQ(load_dataset("parity", {.train = 7, .test = 3, .size = 12}).train.shape(), (Shape{12}));
  EXPECT_EQ(load_dataset("parabola", {.train = 7, .test = 3}).test.count, 3);
}

TEST(Shapes, DigitsOfBothPartsAreDifferentOnes) {
  if (std::getenv("BASIN_DATA") == nullptr) GTEST_SKIP() << "BASIN_DATA is not set: no MNIST";
  const Dataset basic = load_dataset("basic_digits");
  EXPECT_EQ(basic.train.count, 12000);
  EXPECT_EQ(basic.test.count, 50000);
  std::set<std::string> seen;
  for (const Samples* part : {&basic.train, &basic.test}) {
    for (Index n = 0; n < part->count; ++n) seen.emplace(image(*part, n).begin(), image(*part, n).end());
  }
  EXPECT_EQ(seen.size(), 62000u) << "no digit of MNIST is there twice";
  EXPECT_EQ(digest_of(load_dataset("basic_digits", {.train = 50, .test = 20}).train),
            digest_of(basic.train.head(50)));
  const Dataset turned = load_dataset("rotated_digits", {.train = 50, .test = 20});
  EXPECT_EQ(test::labels_of(turned.train), test::labels_of(basic.train.head(50))) << "the same digits";
  for (const char* name : {"noise_digits", "rotated_image_digits", "rectangle_images"}) {
    const Dataset data = load_dataset(name, {.train = 50, .test = 20});
    EXPECT_EQ(data.train.shape(), (Shape{28, 28}));
    EXPECT_EQ(data.test.count, 20);
  }
  EXPECT_TRUE(contains(error_of([] { load_dataset("noise_digits", {.train = 60000, .test = 20000}); }),
                       "70000 digits"));
}

/// Within [-3, 3], with the radii that each density has: a spiral's up to 2, a ring's 1.6, blades from the
/// middle.
TEST(PlaneTest, PointsLieWhereTheirDensitiesAre) {
  for (const auto& [make, radius, error] :
       {std::tuple{&spiral, 1.33, 0.05}, std::tuple{&gaussian_mixture, 1.62, 0.02},
        std::tuple{&pinwheel, 1.4, 0.06}}) {
    const Samples samples = make(Key(1), 3000), tail = make(Key(1), 100);
    const std::vector<double> points = samples.values().values();
    double mean = 0.0;
    for (std::size_t n = 0; n < points.size(); n += 2) {
      mean += std::hypot(points[n], points[n + 1]) / 3000.0;
      EXPECT_LT(std::max(std::abs(points[n]), std::abs(points[n + 1])), 3.0);
    }
    EXPECT_NEAR(mean, radius, error);  // more than 4 standard errors
    const std::vector<double> head = tail.values().values();
    EXPECT_TRUE(std::equal(head.begin(), head.end(), points.begin()));
    EXPECT_THROW(make(Key(1), -1), Error);
  }
  EXPECT_EQ(load_dataset("spiral", {.train = 7, .test = 3}).test.count, 3);
}

}  // namespace
}  // namespace basin
