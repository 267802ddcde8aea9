// Normalisation over batches and over features.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "autograd/ops.h"
#include "layers.h"
#include "modules/normalisation/batch_norm.h"
#include "modules/normalisation/layer_norm.h"
#include "modules/normalisation/local_contrast.h"
#include "tensor/error.h"

namespace basin {
namespace {

using test::check;
using test::f64;
using test::host;
using test::numbers;
using test::random;

Context training() { return {.observations = std::make_shared<Observations>()}; }

TEST(BatchNorm, ByHandInTraining) {
  const BatchNorm norm(2, {.momentum = 0.5, .epsilon = 1e-12, .placement = f64()});
  norm.parameters()[0].set(numbers({1, 2}, {2}));   // scale
  norm.parameters()[1].set(numbers({0, 10}, {2}));  // shift
  const Context context = training();
  // Feature 0 holds 1, 3: mean 2, deviation 1; feature 1 holds 0, 4: mean 2, deviation 2.
  const std::vector<double> y = host(norm.forward(numbers({1, 0, 3, 4}, {2, 2}), context));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(y[i], (std::vector<double>{-1, 8, 1, 12})[i], 1e-10);
  ASSERT_EQ(context.observations->seen.size(), 2u);
  EXPECT_EQ(context.observations->seen[0].next.values(), (std::vector<double>{1, 1}));  // 0.5 * 0 + 0.5 * 2
  EXPECT_EQ(context.observations->seen[1].next.values(), (std::vector<double>{1.5, 4.5}));  // unbiased: 2, 8
  EXPECT_EQ(norm.parameters()[2].tensor().values(), (std::vector<double>{0, 0}));  // a step sets them, not we
}

TEST(BatchNorm, KeepsSamplesApartWhenNobodyTrains) {
  const BatchNorm norm(3, {.placement = f64()});
  norm.parameters()[2].set(numbers({1, -1, 0.5}, {3}));
  norm.parameters()[3].set(numbers({4, 1, 0.25}, {3}));
  const Tensor x = random({5, 3, 2, 2});
  const std::vector<double> all = host(norm.forward(x)), one = host(norm.forward(x.rows(2, 3)));
  EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + 24));
  EXPECT_NEAR(all[0], (x.values()[0] - 1.0) / std::sqrt(4.0 + 1e-5), 1e-13);
  EXPECT_NE(host(norm.forward(x, training())), all);
}

TEST(BatchNorm, DifferentiatesThroughTheStatistics) {
  EXPECT_EQ(check(BatchNorm(2), random({3, 2}), training()), "");
  EXPECT_EQ(check(BatchNorm(2), random({2, 2, 3, 2}), training()), "");
  EXPECT_EQ(check(BatchNorm(2, {.affine = false}), random({3, 2, 2}), training()), "");
  EXPECT_EQ(check(BatchNorm(2), random({3, 2, 2, 2})), "");
}

TEST(BatchNorm, AFrozenOneUsesWhatItHas) {
  const BatchNorm norm(2, {.placement = f64()});
  const Context frozen{.observations = std::make_shared<Observations>()};
  frozen.observations->wanted = [](const Parameter&) { return false; };
  const Tensor x = random({3, 2});
  EXPECT_EQ(host(norm.forward(x, frozen)), host(norm.forward(x)));
  EXPECT_TRUE(frozen.observations->seen.empty());
}

TEST(BatchNorm, RefusesWhatDoesNotFit) {
  const BatchNorm norm(2, {.placement = f64()});
  EXPECT_THROW(norm.forward(random({1, 2, 3, 3}), training()), Error);  // one sample
  EXPECT_NO_THROW(norm.forward(random({1, 2, 3, 3})));
  Context twice = training();
  twice.replicas = 2;
  EXPECT_THROW(norm.forward(random({2, 2}), twice), Error);  // one sample, twice
  EXPECT_THROW(norm.forward(random({2, 3})), Error);
  EXPECT_THROW(norm.forward(random({2})), Error);
  EXPECT_THROW(BatchNorm(0), Error);
  EXPECT_THROW(BatchNorm(2, {.momentum = 0.0}), Error);
}

TEST(LayerNorm, ByHand) {
  const LayerNorm norm({2}, {.epsilon = 1e-12, .placement = f64()});
  const std::vector<double> y = host(norm.forward(numbers({1, 3, 0, 4}, {2, 2})));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(y[i], i % 2 == 0 ? -1.0 : 1.0, 1e-10);
}

TEST(LayerNorm, DifferentiatesAndKeepsSamplesApart) {
  EXPECT_EQ(check(LayerNorm({3}), random({2, 4, 3})), "");
  EXPECT_EQ(check(LayerNorm({2, 3}), random({2, 2, 3})), "");
  EXPECT_EQ(check(LayerNorm({3}, {.affine = false}), random({2, 3})), "");
  const LayerNorm norm({2, 3}, {.placement = f64()});
  const Tensor x = random({4, 2, 3});
  const std::vector<double> all = host(norm.forward(x)), one = host(norm.forward(x.rows(1, 2)));
  EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + 6));
  EXPECT_THROW(norm.forward(random({4, 3, 2})), Error);
  EXPECT_THROW(norm.forward(random({3})), Error);
  EXPECT_THROW(LayerNorm({}), Error);
}

// 0/0 where nothing varies: an epsilon that is 0 as a float is none.
TEST(Norms, AnEpsilonThatIsNoneIsRefused) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double none : {0.0, -1.0, 1e-50, infinity, std::nan("")}) {
    EXPECT_THROW(BatchNorm(2, {.epsilon = none}), Error) << none;
    EXPECT_THROW(LayerNorm({2}, {.epsilon = none}), Error) << none;
    EXPECT_THROW(LocalContrast({.floor = none}), Error) << none;
  }
  EXPECT_THROW(LocalContrast({.deviation = 0.0}), Error);
  EXPECT_THROW(LocalContrast({.deviation = 1e-200}), Error);
  const Tensor flat = Tensor::full({2, 2, 3, 3}, 1.5, test::f32());
  const double least = std::numeric_limits<float>::min();
  const BatchNorm batch(2, {.epsilon = least, .placement = test::f32()});
  for (const Value& y : {batch.forward(flat, training()),
                         LayerNorm({2, 3, 3}, {.epsilon = least, .placement = test::f32()}).forward(flat),
                         LocalContrast({.size = 3, .floor = least}).forward(flat)}) {
    for (const double number : host(y)) EXPECT_TRUE(std::isfinite(number));
  }
}

}  // namespace
}  // namespace basin
