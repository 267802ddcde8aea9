#include "models/reader.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "support/contains.h"
#include "support/device.h"
#include "support/error_of.h"
#include "tensor/random.h"

namespace basin::test {
namespace {

ReaderOptions small() {
  return {.image = {1, 4, 12},
          .labels = 3,
          .most = 4,
          .layers = {"conv 2 3x3 pad 1", "tanh", "pool max 2x3"},
          .longest = 2,
          .parts = 2,
          .hidden = 5,
          .key = Key(1),
          .placement = f64()};
}

TEST(ReaderModel, OnCutCharactersItIsAClassifierOfThem) {
  const ReaderModel model = reader(small());
  EXPECT_EQ(model.stride, 3);
  EXPECT_EQ(model.segments.shape, (Shape{4, 2}));
  const Tensor images = normal(Key(2), {2, 1, 4, 12}, f64());
  // The first string: 2 to pixel 5, 0 to pixel 10, none; the second: 1 to pixel 4, 1 to 6, 2 to 12.
  const auto code = [](std::vector<double> digits) {
    std::vector<double> one_hot;
    for (const double digit : digits) {
      for (int k = 0; k < 4; ++k) one_hot.push_back(k == static_cast<int>(digit) ? 1.0 : 0.0);
    }
    return one_hot;
  };
  const Tensor labels = Tensor::from(code({2, 0, 3, 3, 1, 1, 2, 3}), {2, 4, 4}, f64());
  const Tensor ends = Tensor::from(std::vector<double>{5, 10, 0, 0, 4, 6, 12, 0}, {2, 4}, f64());
  Context context;
  context.lengths = Tensor::from(std::vector<double>{10.0, 12.0}, {2}, {Dtype::F64, Device::Cpu});
  const Tensor segments = segments_of(model, ends);
  EXPECT_EQ(segments.values(), (std::vector<double>{0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1}));
  const State batch =
      State().in(context).set(model.image, images).set(model.label, labels).set(model.segments, segments);
  Carry carry;
  const double loss =
      ConditionalLikelihood({model.label}).evaluate(model.graph, batch, carry, Key(0)).metrics.at("loss");
  // Cross-entropies of the labels of their segments alone.
  const std::vector<double> p = log_softmax(model.scores->forward(images)).tensor().values();
  const auto at = [&](std::size_t n, std::size_t t, std::size_t d, std::size_t k) {
    return p[((n * 4 + t) * 2 + d) * 3 + k];
  };
  const double expected =
      -0.5 * (at(0, 1, 1, 2) + at(0, 3, 1, 0) + at(1, 0, 0, 1) + at(1, 1, 0, 1) + at(1, 3, 1, 2));
  EXPECT_NEAR(loss, expected, 1e-12);
}

TEST(ReaderModel, NormalisedScoresAreProbabilities) {
  ReaderOptions options = small();
  options.normalised = true;
  const Value scores = reader(options).scores->forward(normal(Key(2), {2, 1, 4, 12}, f64()));
  ASSERT_EQ(scores.shape(), (Shape{2, 4, 2, 3}));
  for (const double total : sum(exp(scores), {3}).tensor().values()) EXPECT_NEAR(total, 1.0, 1e-12);
}

TEST(ReaderModel, MistakesAreErrors) {
  ReaderOptions options = small();
  options.layers = {"conv 2 3x3"};
  EXPECT_TRUE(
      contains(error_of([&] { reader(options); }), "a divisor of W, received [1, 4, 12] and [2, 2, 10]"));
  options.layers = {"dense 4"};
  EXPECT_TRUE(contains(error_of([&] { reader(options); }), "layers that end in maps"));
  const ReaderModel model = reader(small());
  const auto cut = [&](std::vector<double> ends) {
    return error_of([&] { segments_of(model, Tensor::from(ends, {1, 4}, f64())); });
  };
  EXPECT_TRUE(contains(cut({1, 10, 0, 0}), "received character 0 of row 0 from stretch 0 to 0"));
  EXPECT_TRUE(contains(cut({3, 12, 0, 0}), "character 1 of row 0 from stretch 1 to 4"));
}

}  // namespace
}  // namespace basin::test
