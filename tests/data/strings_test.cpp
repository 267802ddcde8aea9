#include "data/generators/strings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "data/digest.h"
#include "load.h"
#include "support/contains.h"
#include "support/error_of.h"
#include "tensor/threads.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;

std::string digest_of(const Samples& samples) { return digest({"x", samples, {}}); }

TEST(Strings, ASampleIsAFunctionOfKeyAndNumberAlone) {
  const int before = thread_count();
  set_thread_count(2);
  const Samples many = strings(Key(3), 60, 5);
  set_thread_count(1);
  const Samples few = strings(Key(3), 20, 5);
  set_thread_count(before);
  EXPECT_EQ(digest_of(few), digest_of(many.head(20)));
  EXPECT_NE(digest_of(few), digest_of(many.picked(std::vector<Index>{0, 2, 1}).head(3)));
  EXPECT_NE(digest_of(strings(Key(4), 20, 5)), digest_of(few));
}

TEST(Strings, CharactersStandInOrderBetweenTheirCuts) {
  constexpr Index kLongest = 5, kCount = 600;
  const Samples samples = strings(Key(1), kCount, kLongest);
  const Index width = samples.shape()[2];
  EXPECT_EQ(samples.shape(), (Shape{1, kStringHeight, string_width(kLongest)}));
  const auto pixels = samples.pixels();
  const auto labels = samples["label"].integers(), lengths = samples["lengths"].integers(),
             characters = samples["characters"].integers(), cuts = samples["cuts"].integers();
  std::array<int, 10> digits{};
  std::array<int, kLongest + 1> counts{};
  int widths = 0;
  for (Index n = 0; n < kCount; ++n) {
    const auto row = static_cast<std::size_t>(n);
    const std::int32_t count = characters[row], length = lengths[row];
    ASSERT_TRUE(count >= 2 && count <= kLongest && length <= width);
    ++counts[static_cast<std::size_t>(count)];
    std::int32_t begin = 0;
    for (Index i = 0; i < kLongest; ++i) {
      const auto at = static_cast<std::size_t>(n * kLongest + i);
      if (i >= count) {
        EXPECT_EQ(labels[at], 10);
        EXPECT_EQ(cuts[at], 0);
        continue;
      }
      ++digits[static_cast<std::size_t>(labels[at])];
      ++widths;
      const std::int32_t end = cuts[at];
      // As narrow as a shared quarter of 5 pixels on either side leaves it, as wide as 13 with gaps and
      // margin.
      EXPECT_GE(end - begin, 3);
      EXPECT_LE(end - begin, kWidestCharacter + 2);
      int ink = 0;
      for (Index y = 0; y < kStringHeight; ++y) {
        for (std::int32_t x = begin; x < end; ++x)
          ink += pixels[static_cast<std::size_t>((n * kStringHeight + y) * width + x)];
      }
      EXPECT_GT(ink, 5 * 255) << n << " " << i;
      begin = end;
    }
    EXPECT_EQ(begin, length);
    for (Index y = 0; y < kStringHeight; ++y) {
      for (Index x = length; x < width; ++x)
        ASSERT_EQ(pixels[static_cast<std::size_t>((n * kStringHeight + y) * width + x)], 0);
    }
  }
  // Digits and numbers of characters are uniform: within 4.5 standard deviations of a binomial count.
  for (const int digit : digits) EXPECT_NEAR(digit, widths / 10.0, 4.5 * std::sqrt(widths * 0.09));
  for (std::size_t m = 2; m <= kLongest; ++m)
    EXPECT_NEAR(counts[m], kCount / 4.0, 4.5 * std::sqrt(kCount * 0.1875));
}

TEST(Strings, NeighboursOverlap) {
  // What the two sides of a cut hold in the columns beside it: some strings have ink on both, others a gap.
  const Samples samples = strings(Key(2), 200, 3);
  const Index width = samples.shape()[2];
  int joined = 0, apart = 0;
  for (Index n = 0; n < samples.count; ++n) {
    const std::int32_t cut = samples["cuts"].integers()[static_cast<std::size_t>(n * 3)];
    int ink = 0;
    for (Index y = 0; y < kStringHeight; ++y)
      ink += samples.pixels()[static_cast<std::size_t>((n * kStringHeight + y) * width + cut - 1)] > 64;
    ++(ink > 0 ? joined : apart);
  }
  EXPECT_GT(joined, 60);
  EXPECT_GT(apart, 10);
}

TEST(Strings, OfTheCatalog) {
  const Dataset data = load_dataset("strings", {.train = 30, .test = 20});
  EXPECT_EQ(data.train.count, 30);
  EXPECT_EQ(data.train["label"].classes(), 11);
  EXPECT_NE(digest_of(data.train.head(20)), digest_of(data.test));
  EXPECT_EQ(load_dataset("strings", {.train = 3, .test = 2, .length = 3}).train["label"].shape(), (Shape{3}));
  EXPECT_TRUE(contains(error_of([] { strings(Key(1), 3, 1); }), "at most 2 to 16 characters, received 1"));
  EXPECT_TRUE(contains(error_of([] { strings(Key(1), -3, 4); }), "count >= 0"));
}

}  // namespace
}  // namespace basin
