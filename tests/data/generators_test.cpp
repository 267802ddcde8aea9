#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string>

#include "columns.h"
#include "data/generators/bars_and_stripes.h"
#include "data/generators/shifter.h"
#include "data/generators/strokes.h"
#include "temporary.h"
#include "tensor/threads.h"

namespace basin {
namespace {

std::vector<std::uint8_t> sample(const Samples& samples, Index n) {
  const auto begin = samples.pixels().begin() + n * samples.sample_size();
  return {begin, begin + samples.sample_size()};
}

/// Number of samples that differ from one another.
Index distinct_count(const Samples& samples) {
  std::set<std::string> distinct;
  for (Index n = 0; n < samples.count; ++n) {
    const std::vector<std::uint8_t> pixels = sample(samples, n);
    distinct.emplace(pixels.begin(), pixels.end());
  }
  return static_cast<Index>(distinct.size());
}

TEST(BarsAndStripes, HasEveryPatternOnce) {
  for (const Index side : {1, 2, 3, 4, 6}) {
    const Samples samples = bars_and_stripes({.side = side});
    for (Index n = 0; n < samples.count; ++n) {
      const std::vector<std::uint8_t> pixels = sample(samples, n);
      bool bars = true, stripes = true;
      for (Index p = 0; p < side * side; ++p) {
        bars = bars && pixels[static_cast<std::size_t>(p)] == pixels[static_cast<std::size_t>(p % side)];
        stripes = stripes &&
                  pixels[static_cast<std::size_t>(p)] == pixels[static_cast<std::size_t>(p / side * side)];
      }
      EXPECT_TRUE(bars || stripes);
    }
    EXPECT_EQ(samples.count, 2 * (Index{1} << side) - 2);
    EXPECT_EQ(distinct_count(samples), samples.count);
    EXPECT_EQ(bars_and_stripes({.side = side, .count_plain_twice = true}).count, samples.count + 2);
  }
  EXPECT_NE(test::error_of([] { bars_and_stripes({.side = 0}); }), "");
  EXPECT_NE(test::error_of([] { bars_and_stripes({.side = 40}); }), "");
}

TEST(Shifter, SecondRowIsTheFirstShifted) {
  const Samples samples = shifter(Key(2), 3000, 8);
  const std::vector<int> labels = test::labels_of(samples);
  std::array<int, 3> counts{};
  double lit = 0.0;
  for (Index n = 0; n < samples.count; ++n) {
    const std::vector<std::uint8_t> pixels = sample(samples, n);
    const int label = labels[static_cast<std::size_t>(n)];
    ++counts[static_cast<std::size_t>(label)];
    for (std::size_t p = 0; p < 8; ++p) {
      lit += pixels[p] / 255.0;
      ASSERT_EQ(pixels[8 + (p + static_cast<std::size_t>(label) + 7) % 8], pixels[p]);
    }
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 3.5 * std::sqrt(3000 * 2.0 / 9));
  EXPECT_NEAR(lit, 12000, 3.5 * std::sqrt(24000 * 0.25));
  EXPECT_EQ(sample(shifter(Key(2), 5, 8), 4), sample(samples, 4));
  EXPECT_NE(test::error_of([] { shifter(Key(2), 5, 2); }), "");
}

TEST(Strokes, SampleIsAFunctionOfItsNumberAlone) {
  const Key key = Key(4).fold("strokes");
  const int before = thread_count();
  set_thread_count(2);
  const Samples range = strokes(key, 0, 200);
  set_thread_count(1);
  EXPECT_EQ(test::pixels_of(strokes(key, 0, 200)), test::pixels_of(range));
  set_thread_count(before);
  for (const Index n : {0, 1, 57, 199}) {
    const Samples alone = strokes(key, n, 1);
    EXPECT_EQ(test::pixels_of(alone), sample(range, n));
    EXPECT_EQ(test::labels_of(alone)[0], test::labels_of(range)[static_cast<std::size_t>(n)]);
  }
  EXPECT_NE(sample(strokes(Key(5).fold("strokes"), 7, 1), 0), sample(range, 7));
  EXPECT_NE(test::error_of([&] { strokes(key, 0, -1); }), "");
}

TEST(Strokes, ClassesAreBalancedAndNoTwoDrawingsAreEqual) {
  const Samples samples = strokes(Key(1), 0, 2000);
  std::array<int, 10> counts{};
  for (const int label : test::labels_of(samples)) ++counts.at(static_cast<std::size_t>(label));
  for (const int count : counts) EXPECT_EQ(count, 200);
  EXPECT_EQ(distinct_count(samples), samples.count);
}

TEST(Strokes, LiesInsideThePictureLikeHandwriting) {
  const Samples samples = strokes(Key(1), 0, 2000);
  double ink = 0.0, border = 0.0;
  for (std::size_t i = 0; i < samples.pixels().size(); ++i) {
    const std::size_t x = i % 28, y = i / 28 % 28;
    ink += samples.pixels()[i] / 255.0;
    if (x == 0 || y == 0 || x == 27 || y == 27) border += samples.pixels()[i] / 255.0;
  }
  const double mean = ink / static_cast<double>(samples.pixels().size());
  EXPECT_GT(mean, 0.10);
  EXPECT_LT(mean, 0.18);
  EXPECT_LT(border, 0.005 * ink);
}

/// Pixels in [0, 1] with a constant 1 behind them.
std::vector<float> with_constant(const Samples& samples, Index n) {
  std::vector<float> x;
  for (const std::uint8_t pixel : sample(samples, n)) x.push_back(static_cast<float>(pixel) / 255.0f);
  x.push_back(1.0f);
  return x;
}

/// Share of `test` that softmax regression on raw pixels, fitted to `train`, gets right.
double softmax_regression_accuracy(const Samples& train, const Samples& test) {
  const std::vector<int> train_labels = test::labels_of(train), test_labels = test::labels_of(test);
  constexpr std::size_t kInputs = 785;
  std::array<std::vector<float>, 10> weights;
  weights.fill(std::vector<float>(kInputs, 0.0f));
  const auto scores = [&](const std::vector<float>& x) {
    std::array<float, 10> result{};
    for (std::size_t k = 0; k < 10; ++k) {
      for (std::size_t i = 0; i < kInputs; ++i) result[k] += weights[k][i] * x[i];
    }
    return result;
  };
  for (const float rate : {0.02f, 0.02f, 0.01f, 0.005f}) {
    for (Index n = 0; n < train.count; ++n) {
      const std::vector<float> x = with_constant(train, n);
      std::array<float, 10> p = scores(x);
      const float largest = *std::ranges::max_element(p);
      for (float& value : p) value = std::exp(value - largest);
      const float sum = std::accumulate(p.begin(), p.end(), 0.0f);
      for (std::size_t k = 0; k < 10; ++k) {
        const float error =
            (train_labels[static_cast<std::size_t>(n)] == static_cast<int>(k) ? 1.0f : 0.0f) - p[k] / sum;
        for (std::size_t i = 0; i < kInputs; ++i) weights[k][i] += rate * error * x[i];
      }
    }
  }
  int right = 0;
  for (Index n = 0; n < test.count; ++n) {
    const std::array<float, 10> s = scores(with_constant(test, n));
    right += std::ranges::max_element(s) - s.begin() == test_labels[static_cast<std::size_t>(n)] ? 1 : 0;
  }
  return right / static_cast<double>(test.count);
}

double nearest_neighbour_accuracy(const Samples& train, const Samples& test) {
  const std::vector<int> train_labels = test::labels_of(train), test_labels = test::labels_of(test);
  int right = 0;
  for (Index n = 0; n < test.count; ++n) {
    const std::vector<std::uint8_t> x = sample(test, n);
    int nearest = std::numeric_limits<int>::max(), label = -1;
    for (Index m = 0; m < train.count; ++m) {
      const std::uint8_t* y = train.pixels().data() + m * 784;
      int distance = 0;
      for (std::size_t i = 0; i < 784; ++i) distance += (x[i] - y[i]) * (x[i] - y[i]);
      if (distance < nearest) {
        nearest = distance;
        label = train_labels[static_cast<std::size_t>(m)];
      }
    }
    right += label == test_labels[static_cast<std::size_t>(n)] ? 1 : 0;
  }
  return right / static_cast<double>(test.count);
}

TEST(Strokes, IsLearnableButNotByALine) {
  const Key key = Key(0).fold("strokes");
  const Samples train = strokes(key.fold("train"), 0, 8000), test = strokes(key.fold("test"), 0, 2000);
  const double linear = softmax_regression_accuracy(train, test),
               neighbour = nearest_neighbour_accuracy(train, test.head(500));
  RecordProperty("linear", std::to_string(linear));
  RecordProperty("nearest_neighbour", std::to_string(neighbour));
  EXPECT_GT(linear, 0.60);
  EXPECT_LT(linear, 0.97);
  EXPECT_GT(neighbour, 0.90);
}

}  // namespace
}  // namespace basin
