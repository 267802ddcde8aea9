#include "data/generators/sparse_signals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "data/catalog.h"
#include "support/device.h"
#include "tensor/error.h"

namespace basin {
namespace {

std::vector<Index> first_rows(Index count) {
  std::vector<Index> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), Index{0});
  return rows;
}

TEST(SparseSignals, ColumnsHaveNormOneAndSignalsAreTheirSums) {
  const SparseSignals signals(Key(3), {.measurements = 20, .atoms = 30});
  const std::vector<double> d = signals.dictionary().values();
  for (std::size_t a = 0; a < 30; ++a) {
    double square = 0.0;
    for (std::size_t i = 0; i < 20; ++i) square += d[20 * a + i] * d[20 * a + i];
    EXPECT_NEAR(square, 1.0, 1e-6);
  }
  const SparseSignals::Batch batch = signals.batch(first_rows(7), Key(5), test::f64());
  const std::vector<double> x = batch.x.values(), y = batch.y.values();
  for (std::size_t n = 0; n < 7; ++n) {
    for (std::size_t i = 0; i < 20; ++i) {
      double sum = 0.0;
      for (std::size_t a = 0; a < 30; ++a) sum += x[30 * n + a] * d[20 * a + i];
      EXPECT_NEAR(y[20 * n + i], sum, 1e-5);
    }
  }
}

TEST(SparseSignals, CodesHaveTheStatedDensityAndVariance) {
  const SparseSignals signals(Key(3), {.measurements = 20, .atoms = 500});
  const std::vector<double> x = signals.batch(first_rows(400), Key(5)).x.values();
  double active = 0.0, square = 0.0, fourth = 0.0;
  for (const double v : x) {
    active += v != 0.0 ? 1.0 : 0.0;
    square += v * v;
    fourth += v * v * v * v;
  }
  const double count = 200'000.0;
  EXPECT_NEAR(active / count, 0.1, 5 * std::sqrt(0.09 / count));
  EXPECT_NEAR(square / active, 1.0, 5 * std::sqrt(2.0 / (0.1 * count)));
  EXPECT_NEAR(fourth / active, 3.0, 5 * std::sqrt(96.0 / (0.1 * count)));  // that of a normal
}

TEST(SparseSignals, ASampleIsAFunctionOfKeyAndRow) {
  const SparseSignals signals(Key(3), {.measurements = 6, .atoms = 9, .density = 0.5, .noise = 0.1});
  const std::vector<Index> some{4, 2};
  const Tensor all = signals.batch(first_rows(6), Key(5)).y, picked = signals.batch(some, Key(5)).y;
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(picked.values()[i], all.values()[24 + i], 1e-6);
    EXPECT_NEAR(picked.values()[6 + i], all.values()[12 + i], 1e-6);
  }
  EXPECT_NE(signals.batch(some, Key(6)).y.values(), picked.values());
}

TEST(SparseSignals, NoiseIsAddedToTheMeasurements) {
  const SparseSignals clean(Key(3), {.measurements = 50, .atoms = 60}),
      noisy(Key(3), {.measurements = 50, .atoms = 60, .noise = 0.2});
  const SparseSignals::Batch a = clean.batch(first_rows(200), Key(5)),
                             b = noisy.batch(first_rows(200), Key(5));
  EXPECT_EQ(a.x.values(), b.x.values());
  double square = 0.0;
  for (std::size_t i = 0; i < 10'000; ++i) square += std::pow(a.y.values()[i] - b.y.values()[i], 2);
  EXPECT_NEAR(square / 1e4, 0.04, 5 * 0.04 * std::sqrt(2.0 / 1e4));
}

TEST(SparseSignals, IsADataSet) {
  const Dataset data = load_dataset("sparse_signals", {.train = 12, .test = 5, .seed = 2, .size = 10});
  EXPECT_EQ(data.train.shape(), Shape{10});
  EXPECT_EQ(data.train.count, 12);
  EXPECT_EQ(data.test.values().shape(), (Shape{5, 10}));
  const SparseSignals signals = sparse_signals(2, 10);
  EXPECT_EQ(signals.options().atoms, 20);
  EXPECT_EQ(data.test.values().values(), signals.batch(first_rows(5), signals.key().fold("test")).y.values());
  EXPECT_EQ(sparse_signals(0, 0).options().measurements, 250);
}

TEST(SparseSignals, Errors) {
  EXPECT_THROW(SparseSignals(Key(1), {.measurements = 0}), Error);
  EXPECT_THROW(SparseSignals(Key(1), {.density = 0.0}), Error);
  EXPECT_THROW(SparseSignals(Key(1), {.density = 1.5}), Error);
  EXPECT_THROW(SparseSignals(Key(1), {.noise = -1.0}), Error);
}

}  // namespace
}  // namespace basin
