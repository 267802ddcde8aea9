#include "data/dataset.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "columns.h"
#include "data/fill_batch.h"
#include "data/generators/bars_and_stripes.h"
#include "support/device.h"
#include "temporary.h"
#include "tensor/backend.h"
#include "tensor/philox.h"
#include "tensor/threads.h"

namespace basin {
namespace {

using test::contains;
using test::error_of;

/// Every byte in turn, scrambled.
Samples byte_samples(Index count, Index size) {
  std::vector<std::uint8_t> bytes;
  for (Index i = 0; i < count * size; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 37 + i / 256));
  return {byte_column("image", {size}, std::move(bytes))};
}

std::vector<Index> all_rows(const Samples& samples) {
  std::vector<Index> rows(static_cast<std::size_t>(samples.count));
  std::iota(rows.begin(), rows.end(), Index{0});
  return rows;
}

std::vector<double> batch(const Samples& samples, const std::vector<Index>& rows, const BatchOptions& options,
                          Placement placement) {
  const Tensor out({static_cast<Index>(rows.size()), samples.sample_size()}, placement);
  fill_batch(samples.first(), rows, options, out);
  return out.values();
}

TEST(FillBatch, UnitDividesBy255) {
  const Samples samples = byte_samples(3, 300);
  const std::vector<double> f64 = batch(samples, {2, 0}, {}, test::f64()),
                            f32 = batch(samples, {2, 0}, {}, test::f32());
  for (std::size_t i = 0; i < f64.size(); ++i) {
    const std::uint8_t byte = samples.pixels()[i < 300 ? 600 + i : i - 300];
    EXPECT_EQ(f64[i], byte / 255.0);
    EXPECT_EQ(f32[i], static_cast<double>(static_cast<float>(byte) / 255.0f));
  }
}

TEST(FillBatch, ThresholdIsInclusive) {
  const Samples samples{byte_column("image", {4}, {0, 127, 128, 255})};
  EXPECT_EQ(batch(samples, {0}, {.scale = PixelScale::Threshold, .threshold = 0.5}, test::f32()),
            (std::vector<double>{0, 0, 1, 1}));
  EXPECT_EQ(batch(samples, {0}, {.scale = PixelScale::Threshold, .threshold = 128 / 255.0}, test::f64()),
            (std::vector<double>{0, 0, 1, 1}));
  EXPECT_EQ(batch(samples, {0}, {.scale = PixelScale::Threshold, .threshold = 0.0}, test::f32()),
            (std::vector<double>{1, 1, 1, 1}));
}

TEST(FillBatch, StochasticIsTheStreamsWordAgainstTheByte) {
  const Key key = Key(3).fold("binarise");
  for (const Index size : {1, 5, 7, 16, 30, 64, 301, 784}) {
    const Samples samples = byte_samples(9, size);
    const std::vector<Index> rows = {4, 8, 0, 4};
    const BatchOptions options{.scale = PixelScale::Stochastic, .key = key};
    const std::vector<double> f32 = batch(samples, rows, options, test::f32());
    EXPECT_EQ(f32, batch(samples, rows, options, test::f64()));
    for (std::size_t i = 0; i < f32.size(); ++i) {
      const auto draw = static_cast<std::size_t>(rows[i / static_cast<std::size_t>(size)] * size) +
                        i % static_cast<std::size_t>(size);
      const std::uint64_t word = philox_word(key.bits(), draw);
      const bool is_set = word * 255 < samples.pixels()[draw] * ((std::uint64_t{1} << 32) - 1) + 255 &&
                          samples.pixels()[draw] > 0;
      ASSERT_EQ(f32[i], is_set ? 1.0 : 0.0) << "size " << size << ", draw " << draw;
    }
  }
}

TEST(FillBatch, StochasticFollowsTheGreyValue) {
  std::vector<std::uint8_t> bytes;
  for (Index i = 0; i < 4000 * 256; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  const Samples samples{byte_column("image", {256}, std::move(bytes))};
  const std::vector<double> drawn =
      batch(samples, all_rows(samples), {.scale = PixelScale::Stochastic, .key = Key(11)}, test::f32());
  double square_sum = 0.0;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    double hits = 0.0;
    for (std::size_t n = 0; n < 4000; ++n) hits += drawn[n * 256 + byte];
    const double p = static_cast<double>(byte) / 255.0;
    if (byte == 0 || byte == 255) {
      EXPECT_EQ(hits, 4000 * p);
    } else {
      square_sum += (hits - 4000 * p) * (hits - 4000 * p) / (4000 * p * (1 - p));
    }
  }
  const double z = (square_sum - 254) / std::sqrt(2.0 * 254);  // chi-squared with 254 degrees of freedom
  EXPECT_LT(std::abs(z), 3.5);
}

TEST(FillBatch, DoesNotDependOnThreads) {
  const Samples samples = byte_samples(400, 784);  // large enough to be split
  const int before = thread_count();
  for (const PixelScale scale : {PixelScale::Unit, PixelScale::Stochastic}) {
    set_thread_count(1);
    const std::vector<double> one =
        batch(samples, all_rows(samples), {.scale = scale, .key = Key(5)}, test::f32());
    set_thread_count(2);
    EXPECT_EQ(one, batch(samples, all_rows(samples), {.scale = scale, .key = Key(5)}, test::f32()));
  }
  set_thread_count(before);
}

TEST(FillBatch, AllocatesNoTensorAndTakesTheSamplesShape) {
  const Samples flat = byte_samples(10, 784);
  const Samples samples{byte_column("image", {28, 28}, test::pixels_of(flat))};
  const std::vector<Index> rows = {1, 2, 3};
  const Tensor out({3, 28, 28}, test::f32());
  const std::uint64_t before = allocation_count(test::device());
  fill_batch(samples.first(), rows, {}, out);
  EXPECT_EQ(allocation_count(test::device()), before);
  EXPECT_EQ(out.values()[1], samples.pixels()[785] / 255.0f);
}

TEST(FillBatch, RefusesWhatDoesNotFit) {
  const Samples samples = byte_samples(10, 6);
  const std::vector<Index> rows = {1, 2}, beyond = {1, 10}, negative = {-1, 0};
  EXPECT_TRUE(contains(error_of([&] {
                         fill_batch(samples.first(), rows, {}, Tensor({2, 5}, test::f32()));
                       }),
                       "[2, 6]"));
  EXPECT_TRUE(contains(error_of([&] {
                         fill_batch(samples.first(), rows, {}, Tensor({3, 4}, test::f32()));
                       }),
                       "[3, 4]"));
  EXPECT_NE(error_of([&] { fill_batch(samples.first(), rows, {}, Tensor()); }), "");
  EXPECT_TRUE(contains(error_of([&] {
                         fill_batch(samples.first(), beyond, {}, Tensor({2, 6}, test::f32()));
                       }),
                       "received 10"));
  EXPECT_NE(error_of([&] { fill_batch(samples.first(), negative, {}, Tensor({2, 6}, test::f32())); }), "");
  EXPECT_EQ(error_of([&] { fill_batch(samples.first(), {}, {}, Tensor({0, 6}, test::f32())); }), "");
}

Samples real_samples() {
  return {real_column("x", Tensor::from(std::vector<float>{-1.5f, 0.25f, 7.0f, 2.0f, -3.0f, 1e-3f}, {2, 3}))};
}

TEST(FillBatch, DrawsBitsWithRealProbabilities) {
  const std::vector<float> p{0.0f, 1.0f, 0.25f, 0.9f};
  const Samples samples{
      real_column("x", Tensor::from(std::vector<float>{0, 0, 0, 0, 0.0f, 1.0f, 0.25f, 0.9f}, {2, 4}))};
  constexpr int kDraws = 20000;
  std::vector<double> sums(4, 0.0);
  for (int i = 0; i < kDraws; ++i) {
    const BatchOptions drawn{.scale = PixelScale::Stochastic,
                             .key = Key(3).fold(static_cast<std::uint64_t>(i))};
    const std::vector<double> bits = batch(samples, {1}, drawn, test::f32());
    if (i < 20) {  // whatever the batch
      EXPECT_EQ(batch(samples, {0, 1}, drawn, test::f64()).at(6), bits[2]);
    }
    for (std::size_t j = 0; j < 4; ++j) sums[j] += bits[j];
  }
  EXPECT_EQ(sums[0], 0.0);
  EXPECT_EQ(sums[1], kDraws);
  for (std::size_t j = 2; j < 4; ++j) {
    EXPECT_NEAR(sums[j] / kDraws, p[j], 4.5 * std::sqrt(p[j] * (1 - p[j]) / kDraws));
  }
}

TEST(FillBatch, CopiesRealValuesAsTheyAre) {
  const Samples samples = real_samples();
  EXPECT_EQ(batch(samples, {1, 0, 1}, {}, test::f32()),
            (std::vector<double>{2, -3, 1e-3f, -1.5, 0.25, 7, 2, -3, 1e-3f}));
  EXPECT_EQ(batch(samples, {1, 0}, {}, test::f64()), (std::vector<double>{2, -3, 1e-3f, -1.5, 0.25, 7}));
  EXPECT_TRUE(contains(error_of([&] { batch(samples, {0}, {.scale = PixelScale::Threshold}, test::f32()); }),
                       "real values"));
  EXPECT_EQ(samples.head(1).values().values(), (std::vector<double>{-1.5, 0.25, 7}));
  EXPECT_TRUE(samples.head(1).is_real() && samples.head(1).count == 1);
  EXPECT_NE(error_of([&] { samples.head(3); }), "");
  EXPECT_TRUE(contains(error_of([&] { best_log_likelihood(samples); }), "real numbers"));
}

TEST(Samples, HeadKeepsTheFirst) {
  Samples samples = byte_samples(4, 3);
  samples.add(integer_column("label", {}, {3, 2, 1, 0}, 4));
  const Samples two = samples.head(2);
  EXPECT_EQ(two.count, 2);
  EXPECT_EQ(test::labels_of(two), (std::vector<int>{3, 2}));
  EXPECT_EQ(two.labels()->classes(), 4);
  const std::vector<std::uint8_t> all = test::pixels_of(samples);
  EXPECT_EQ(test::pixels_of(two), std::vector<std::uint8_t>(all.begin(), all.begin() + 6));
  EXPECT_NE(error_of([&] { samples.head(5); }), "");
}

TEST(BestLogLikelihood, IsThatOfTheFrequencies) {
  const Samples samples{byte_column("image", {2}, {1, 2, 3, 4, 1, 2, 5, 6})};
  EXPECT_NEAR(best_log_likelihood(samples), 0.5 * std::log(0.5) + 0.5 * std::log(0.25), 1e-14);
  EXPECT_NEAR(best_log_likelihood(bars_and_stripes()), -std::log(30.0), 1e-13);
  EXPECT_NEAR(32 * best_log_likelihood(bars_and_stripes({.count_plain_twice = true})), -108.131, 5e-4);
  EXPECT_NEAR(16 * best_log_likelihood(bars_and_stripes({.side = 3, .count_plain_twice = true})), -41.589,
              5e-4);
}

}  // namespace
}  // namespace basin
