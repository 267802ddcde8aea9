#include "modules/sequences/segment_columns.h"

#include <gtest/gtest.h>

#include "layers.h"
#include "support/contains.h"
#include "support/error_of.h"

namespace basin::test {
namespace {

TEST(SegmentColumns, PartsAreMeansOfTheirColumns) {
  // Two maps of five columns; segments of up to three, in two parts.
  const SegmentColumns columns(5, {.longest = 3, .parts = 2});
  const std::vector<double> a = {1, 2, 4, 8, 16}, b = {0, 1, 0, -1, 3};
  std::vector<double> both = a;
  both.insert(both.end(), b.begin(), b.end());
  const Value read = columns.forward(numbers(both, {1, 2, 5}));
  ASSERT_EQ(read.shape(), (Shape{1, 5, 3, 7}));
  EXPECT_EQ(columns.size_of(2), 7);
  const std::vector<double> all = host(read);
  const auto segment = [&](std::size_t t, std::size_t d) {
    const auto at = all.begin() + static_cast<std::ptrdiff_t>((t * 3 + d) * 7);
    return std::vector<double>(at, at + 7);
  };
  EXPECT_EQ(segment(3, 0), (std::vector<double>{8, -1, 8, -1, 1, 0, 0}));
  EXPECT_EQ(segment(3, 1), (std::vector<double>{4, 0, 8, -1, 0, 1, 0}));
  // Columns 2, 3, 4 in halves of 1.5: (4 + 8 / 2) / 1.5 and (8 / 2 + 16) / 1.5.
  const std::vector<double> three = segment(4, 2);
  EXPECT_NEAR(three[0], 8.0 / 1.5, 1e-12);
  EXPECT_NEAR(three[1], -0.5 / 1.5, 1e-12);
  EXPECT_NEAR(three[2], 20.0 / 1.5, 1e-12);
  EXPECT_NEAR(three[3], 2.5 / 1.5, 1e-12);
  // Zeros before the sequence: the segment of two that ends with the first column.
  EXPECT_EQ(segment(0, 1), (std::vector<double>{0, 0, 1, 0, 0, 1, 0}));
}

TEST(SegmentColumns, Differentiable) {
  EXPECT_EQ(check(SegmentColumns(4, {.longest = 3, .parts = 2}), random({2, 2, 3, 4})), "");
}

TEST(SegmentColumns, MistakesAreErrors) {
  EXPECT_TRUE(contains(error_of([] { SegmentColumns(4, {.longest = 5}); }), "1 to 4 columns"));
  EXPECT_TRUE(contains(error_of([] { SegmentColumns(4, {.longest = 2, .parts = 0}); }), "at least 1 part"));
  EXPECT_TRUE(contains(error_of([] {
                         SegmentColumns(4, {.longest = 2}).forward(random({2, 3, 5}));
                       }),
                       "expected [N, ..., 4], received [2, 3, 5]"));
}

}  // namespace
}  // namespace basin::test
