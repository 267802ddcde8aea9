#include "data/splits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "columns.h"
#include "data/catalog.h"
#include "temporary.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;

/// Classes of 50, 30, 15 and 5 samples; sample n is the number n.
Samples unequal() {
  std::vector<std::int32_t> labels, numbers;
  for (const auto& [label, count] : {std::pair{0, 50}, std::pair{1, 30}, std::pair{2, 15}, std::pair{3, 5}})
    labels.insert(labels.end(), static_cast<std::size_t>(count), label);
  for (std::int32_t n = 0; n < 100; ++n) numbers.push_back(n);
  return {integer_column("number", {}, numbers), integer_column("label", {}, labels, 4)};
}

std::vector<int> numbers_of(const Samples& samples) {
  const auto numbers = samples["number"].integers();
  return {numbers.begin(), numbers.end()};
}

std::vector<int> counts_of(const Samples& samples) {
  std::vector<int> counts(4);
  for (const int label : test::labels_of(samples)) ++counts.at(static_cast<std::size_t>(label));
  return counts;
}

TEST(TakeOut, EachClassGivesItsShareAndNothingIsLost) {
  const Samples all = unequal();
  for (const Index count : {0, 1, 20, 37, 99}) {
    const Parts parts = take_out(all, count, Key(3));
    EXPECT_EQ(parts.taken.count, count);
    std::vector<int> taken = numbers_of(parts.taken), kept = numbers_of(parts.kept), together;
    EXPECT_TRUE(std::ranges::is_sorted(taken) && std::ranges::is_sorted(kept));
    std::ranges::merge(taken, kept, std::back_inserter(together));
    EXPECT_EQ(together, numbers_of(all));
    const std::vector<int> counts = counts_of(parts.taken), of_all = counts_of(all);
    for (std::size_t c = 0; c < 4; ++c)
      EXPECT_LE(std::abs(counts[c] - static_cast<double>(count) * of_all[c] / 100), 1.0) << count;
  }
  EXPECT_EQ(counts_of(take_out(all, 20, Key(3)).taken), (std::vector<int>{10, 6, 3, 1}));
  EXPECT_EQ(numbers_of(take_out(all, 20, Key(3)).taken), numbers_of(take_out(all, 20, Key(3)).taken));
  EXPECT_NE(numbers_of(take_out(all, 20, Key(4)).taken), numbers_of(take_out(all, 20, Key(3)).taken));
  EXPECT_TRUE(contains(error_of([&] { take_out(all, 100, Key(1)); }), "0 to 99"));
}

TEST(DrawLabelled, IsNestedAndBalanced) {
  const Samples all = unequal();
  EXPECT_EQ(most_labelled(all), 20);
  std::set<int> smaller;
  for (const Index count : {1, 2, 5, 9, 16, 20}) {
    const Samples some = draw_labelled(all, count, Key(7));
    const std::vector<int> numbers = numbers_of(some), counts = counts_of(some);
    EXPECT_EQ(some.count, count);
    const auto [least, most] = std::ranges::minmax(counts);
    EXPECT_LE(most - least, 1);
    const std::set<int> now(numbers.begin(), numbers.end());
    EXPECT_TRUE(std::ranges::includes(now, smaller)) << count;
    smaller = now;
  }
  EXPECT_NE(numbers_of(draw_labelled(all, 16, Key(8))), numbers_of(draw_labelled(all, 16, Key(7))));
  EXPECT_EQ(numbers_of(draw_labelled(all, 100, Key(7))), numbers_of(all));
}

TEST(DrawLabelled, NamesTheClassThatHasTooFew) {
  const Samples all = unequal();
  EXPECT_TRUE(contains(error_of([&] { draw_labelled(all, 40, Key(1)); }), "class 3"));
  EXPECT_TRUE(contains(error_of([&] { draw_labelled(all, 101, Key(1)); }), "1 to 100"));
  const Samples unlabelled{all["number"]};
  EXPECT_TRUE(contains(error_of([&] { draw_labelled(unlabelled, 4, Key(1)); }), "without") ||
              contains(error_of([&] { draw_labelled(unlabelled, 4, Key(1)); }), "categories"));
}

TEST(LoadDataset, HasValidationSamplesAndALabelledSubset) {
  const DatasetOptions options{.train = 300, .test = 20, .validation = 0.2, .labels = 40};
  const Dataset data = load_dataset("strokes", options);
  EXPECT_EQ(data.train.count, 240);
  EXPECT_EQ(data.validation.count, 60);
  EXPECT_EQ(data.labelled.count, 40);
  for (int c = 0; c < 10; ++c) {
    EXPECT_EQ(std::ranges::count(test::labels_of(data.validation), c), 6);
    EXPECT_EQ(std::ranges::count(test::labels_of(data.labelled), c), 4);
  }
  DatasetOptions other = options;
  other.labels_seed = 1;
  EXPECT_EQ(test::pixels_of(load_dataset("strokes", other).train), test::pixels_of(data.train));
  EXPECT_NE(test::pixels_of(load_dataset("strokes", other).labelled), test::pixels_of(data.labelled));
  const Dataset all = load_dataset("strokes", {.train = 30, .test = 20});
  EXPECT_EQ(all.labelled.count, 30);
  EXPECT_EQ(all.validation.count, 0);
  EXPECT_EQ(load_dataset("bars_and_stripes").labelled.count, 0);
  EXPECT_NE(error_of([] { load_dataset("bars_and_stripes", {.labels = 4}); }), "");
  const Dataset few = load_dataset(
      "strokes", {.train = 300, .validation = 100, .labels = 200, .few_train = 50, .few_test = 7});
  EXPECT_EQ(few.train.count, 50);
  EXPECT_EQ(few.validation.count, 12);
  EXPECT_EQ(few.labelled.count, 50);
  EXPECT_EQ(few.test.count, 7);
}

}  // namespace
}  // namespace basin
