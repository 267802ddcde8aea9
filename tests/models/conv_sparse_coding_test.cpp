#include "models/conv_sparse_coding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "energy/minimise/conv_lipschitz.h"
#include "energy/minimise/dictionary.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/split.h"
#include "energy/objectives/latents/latent_minimum.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

using test::f64;

Tensor random(Shape shape, std::uint64_t stream = 0) {
  return normal(Key(41).fold(stream), std::move(shape), f64());
}

ConvSparseCodingOptions options() {
  return {.image_shape = {16, 18},
          .filters = 3,
          .filter = {5, 4},
          .lambda = 0.2,
          .placement = f64(),
          .key = Key(1)};
}

TEST(ConvSparseCoding, IsTheEnergyItSays) {
  const ConvSparseCoding model = conv_sparse_coding(options());
  EXPECT_EQ(model.y.shape, (Shape{1, 16, 18}));
  EXPECT_EQ(model.z.shape, (Shape{3, 20, 21}));
  ASSERT_EQ(model.graph.parameters().size(), 1U);
  EXPECT_EQ(model.graph.parameters()[0].name(), "z.y.weight");
  const Tensor& filters = model.graph.parameters()[0].tensor();
  for (const double norm : sum(square(reshape(filters, {3, 20})), {1}).tensor().values())
    EXPECT_NEAR(norm, 1.0, 1e-12);
  const Value y = random({2, 1, 16, 18}), z = random({2, 3, 20, 21}, 1);
  const Value expected =
      sum_per_sample(square(y - conv_transpose2d(z, filters, {{4, 3}}))) * 0.5 + sum_per_sample(abs(z)) * 0.2;
  const Value found = model.graph.energy(State().set(model.y, y).set(model.z, z));
  for (std::size_t n = 0; n < 2; ++n)
    EXPECT_NEAR(found.tensor().values()[n], expected.tensor().values()[n], 1e-10);
  EXPECT_EQ(inference_rules(model.graph, model.z, Fista(model.z), {}), Rules{"convolutional_lasso"});
}

TEST(ConvSparseCoding, ExplainsAnImageOfOneFilterAtOnePlace) {
  const ConvSparseCoding model = conv_sparse_coding(options());
  std::vector<double> code(static_cast<std::size_t>(model.z.size()), 0.0);
  code[static_cast<std::size_t>((1 * 20 + 9) * 21 + 10)] = 5.0;
  const Value z = Tensor::from(std::span<const double>(code), {1, 3, 20, 21}, f64());
  const Value y = model.decoder->forward(z).detached();
  const Inferred found = infer(model.graph, model.z, Fista(model.z), State().set(model.y, y),
                               {.max_steps = 4000, .tolerance = 1e-7}, Key(2));
  EXPECT_EQ(found.rules, Rules{"convolutional_lasso"});
  EXPECT_EQ(found.unconverged, 0);
  // The lasso shrinks the one code by lambda (its filter has norm 1).
  const std::vector<double> inferred = found.state[model.z].tensor().values();
  EXPECT_NEAR(inferred[static_cast<std::size_t>((1 * 20 + 9) * 21 + 10)], 4.8, 0.05);
}

TEST(ConvSparseCoding, LearnsTheFilterThatMadeTheData) {
  // Images of few copies of one filter, and a start that resembles it; a step along the gradient of the
  // minimum, then norm 1 again.
  ConvSparseCodingOptions one = options();
  one.filters = 1;
  const ConvSparseCoding truth = conv_sparse_coding(one), model = conv_sparse_coding(one);
  const Tensor &wanted = truth.decoder->weight().tensor(), &filter = model.decoder->weight().tensor();
  filter.copy_from((Value(wanted) + Value(random(wanted.shape(), 6)) * 0.2).tensor());
  scale_to_unit_norm(filter);
  const Value spikes = step(Value(uniform(Key(5), {4, 1, 20, 21}, f64())) - 0.98);
  const State batch = State().set(truth.y, truth.decoder->forward(spikes * 3.0).detached());
  const auto likeness = [&] { return sum(Value(filter) * Value(wanted)).item(); };
  EXPECT_LT(likeness(), 0.85);
  const LatentMinimum objective(
      model.z, std::make_shared<const Fista>(model.z),
      {.infer = {.max_steps = 300, .tolerance = 1e-3}, .unit_norm = {"z.y.weight"}});
  Carry carry;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Evaluation evaluation =
        objective.evaluate(model.graph, batch, carry, Key(3).fold(i), {.metrics = false});
    evaluation.gradients[0].accumulate(filter, -0.02, 1.0);
    objective.finish_step(model.graph, batch, carry, Key(3).fold(i));
  }
  EXPECT_GT(likeness(), 0.99);
}

TEST(ConvPsd, AddsThePredictionToTheEnergy) {
  for (const EncoderKind kind : {EncoderKind::Shrinkage, EncoderKind::Tanh, EncoderKind::Relu}) {
    const ConvPsd model = conv_psd({.code = options(), .alpha = 0.7, .encoder = kind});
    const ConvSparseCoding code = conv_sparse_coding(options());
    const Value y = random({2, 1, 16, 18}), z = random({2, 3, 20, 21}, 1);
    const State state = State().set(model.y, y).set(model.z, z);
    const Value expected =
        code.graph.energy(state) + sum_per_sample(square(z - model.encoder->forward(y))) * 0.35;
    const Value found = model.graph.energy(state);
    for (std::size_t n = 0; n < 2; ++n)
      EXPECT_NEAR(found.tensor().values()[n], expected.tensor().values()[n], 1e-10);
    EXPECT_EQ(inference_rules(model.graph, model.z, Fista(model.z), {}), Rules{"convolutional_lasso"});
  }
}

TEST(ConvPsd, TheEncoderStartsAsOneStepOfIsta) {
  const ConvPsd model = conv_psd({.code = options()});
  const ConvSparseCoding code = conv_sparse_coding(options());
  const State state = State().set(code.y, random({1, 1, 16, 18}));
  const double step = 1.0 / conv_lipschitz(code.decoder->weight().tensor());
  const Inferred one = infer(code.graph, code.z, Ista(code.z, {.step = step}), state,
                             {.max_steps = 1, .stop = Stop::Never}, Key(2));
  const Value difference = one.state[code.z] - model.encoder->forward(state[code.y]);
  EXPECT_LT(sum(square(difference)).item(), 1e-20);
}

TEST(ConvEncoder, Differentiates) {
  for (const EncoderKind kind : {EncoderKind::Shrinkage, EncoderKind::Tanh, EncoderKind::Relu}) {
    const ConvEncoder encoder(2, 3, {3, 2}, Key(1), {.kind = kind, .placement = f64()});
    std::vector<Value> leaves{Value::leaf(random({2, 2, 4, 5}))};
    for (const Parameter& parameter : encoder.parameters()) leaves.push_back(parameter.value());
    EXPECT_EQ(encoder.forward(leaves[0]).shape(), (Shape{2, 3, 6, 6}));
    EXPECT_EQ(gradcheck([&] { return encoder.forward(leaves[0]); }, leaves), "");
  }
}

TEST(ConvModels, RefuseWhatDoesNotFit) {
  ConvSparseCodingOptions wrong = options();
  wrong.filters = 0;
  EXPECT_THROW(conv_sparse_coding(wrong), Error);
  wrong = options();
  wrong.filter = {17, 4};
  EXPECT_THROW(conv_sparse_coding(wrong), Error);
  wrong = options();
  wrong.image_shape = {18};
  EXPECT_THROW(conv_sparse_coding(wrong), Error);
  EXPECT_THROW(conv_psd({.code = options(), .alpha = 0.0}), Error);
}

TEST(MeanBestCorrelation, FindsShiftedCopies) {
  const auto filters = [](const std::vector<double>& numbers, Shape shape) {
    return Tensor::from(std::span<const double>(numbers), std::move(shape), f64());
  };
  // An impulse at two places, once turned upside down: one is the other's shifted copy.
  EXPECT_NEAR(mean_best_correlation(filters({1, 0, 0, 0, 0, 0, 0, -3}, {2, 1, 2, 2})), 1.0, 1e-12);
  // (1, 1) and (1, -1): best at one pixel apart, 1 / 2; a third like the second: 1 for both of those, 1 / 2
  // for the first.
  EXPECT_NEAR(mean_best_correlation(filters({1, 1, 1, -1}, {2, 1, 2})), 0.5, 1e-12);
  EXPECT_NEAR(mean_best_correlation(filters({1, 1, 1, -1, -2, 2}, {3, 1, 2})), 2.5 / 3.0, 1e-12);
  // Channels shift together.
  EXPECT_NEAR(mean_best_correlation(filters({1, 0, 0, 0, 0, 0, 0, 1}, {2, 2, 1, 2})), 0.0, 1e-12);
  EXPECT_NEAR(mean_best_correlation(filters({1, 0, 0, 1, 0, 1, 1, 0}, {2, 2, 1, 2})), 0.5, 1e-12);
  EXPECT_TRUE(std::isnan(mean_best_correlation(filters({1, 1, 0, 0}, {2, 1, 2}))));
}

}  // namespace
}  // namespace basin
