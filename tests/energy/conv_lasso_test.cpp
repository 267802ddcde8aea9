#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autograd/ops.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/quadratic.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/conv_lipschitz.h"
#include "energy/minimise/criterion.h"
#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "energy/minimise/split.h"
#include "modules/activation.h"
#include "modules/images/conv2d.h"
#include "modules/sequential/sequential.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "tensor/threads.h"

namespace basin {
namespace {

using test::f32;
using test::f64;

struct Case {
  Placement where = f64();
  Index images = 2, channels = 1, filters = 5, height = 20, width = 22;  // of the image
  std::array<Index, 2> filter = {5, 4}, padding = {4, 3};
  double lambda = 0.1, weight = 1.0, attraction = 0.0;
  bool non_negative = false, bias = false;
};

struct Model {
  FactorGraph graph;
  Variable y, z;
  State state;
};

Tensor draw(const char* name, Shape shape, const Case& c, double scale = 1.0) {
  return (Value(normal(Key(31).fold(name), std::move(shape), c.where)) * scale).tensor();
}

Model model_of(const Case& c) {
  Model model;
  const Shape code{c.filters, c.height + 1 + 2 * c.padding[0] - c.filter[0],
                   c.width + 1 + 2 * c.padding[1] - c.filter[1]};
  model.y = model.graph.real("y", {c.channels, c.height, c.width});
  model.z = c.non_negative ? model.graph.non_negative("z", code) : model.graph.real("z", code);
  ConvTranspose2d decoder(c.filters, c.channels, c.filter, Key(1),
                          {.padding = c.padding, .bias = c.bias, .placement = c.where});
  decoder.parameters()[0].set(draw("filters", decoder.weight().tensor().shape(), c,
                                   1.0 / std::sqrt(static_cast<double>(c.filter[0] * c.filter[1]))));
  if (c.bias) decoder.parameters()[1].set(draw("bias", {c.channels}, c));
  model.graph.add(SquaredError(model.y, decoder, model.z, {.weight = c.weight}));
  if (c.attraction > 0.0) {
    Sequential encoder;
    // An encoder of the decoder's geometry: correlation with the same padding gives a code's shape.
    Conv2d linear(c.channels, c.filters, c.filter, Key(2), {.padding = c.padding, .placement = c.where});
    linear.parameters()[0].set(draw("encoder", linear.weight().tensor().shape(), c, 0.2));
    encoder.add(linear).add(Activation(Activation::Kind::Tanh));
    model.graph.add(SquaredError(model.z, encoder, model.y), c.attraction);
  }
  model.graph.add(L1(model.z, 2.0 * c.lambda), 0.5);
  model.state.set(model.y, draw("y", {c.images, c.channels, c.height, c.width}, c));
  return model;
}

Inferred derived_by(const FactorGraph& graph, const Variable& z, const Transition& transition,
                    const State& state, InferOptions options) {
  options.fuse = Fuse::Off;
  return infer(graph, z, transition, state, options, Key(5));
}

double largest_difference(const Value& a, const Value& b) {
  return max(reshape(abs(a - b), {1, a.tensor().size()}), 1).item();
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {},
      {.filters = 1, .lambda = 0.01},
      {.channels = 2, .filters = 6, .lambda = 0.5, .non_negative = true},
      {.channels = 3, .filters = 4, .bias = true},
      {.padding = {0, 0}},  // codes smaller than the image
      {.padding = {2, 1}, .weight = 3.0},
      {.padding = {4, 0}, .attraction = 0.7},
      {.filters = 3,
       .height = 17,
       .width = 40,
       .filter = {9, 9},
       .padding = {8, 8},
       .lambda = 0.8,
       .attraction = 0.2,
       .bias = true},
      {.images = 1, .height = 9, .width = 16, .filter = {1, 1}, .padding = {0, 0}},
      {.height = 5, .width = 65, .filter = {3, 12}, .padding = {2, 11}, .lambda = 1.0},
  };
  return all;
}

TEST(ConvLasso, EachMoveEqualsTheDerivedOne) {
  for (const Placement& where : {f64(), f32()}) {
    for (std::size_t i = 0; i < cases().size(); ++i) {
      Case c = cases()[i];
      c.where = where;
      SCOPED_TRACE("case " + std::to_string(i) + (where == f32() ? " f32" : " f64"));
      const Model model = model_of(c);
      const ProximalOptions fixed{.step = 0.02 / c.weight};
      for (const Index steps : {1, 8}) {
        const InferOptions options{.max_steps = steps, .stop = Stop::Never};
        const Fista fista(model.z, fixed);
        const Inferred fused = infer(model.graph, model.z, fista, model.state, options, Key(5));
        EXPECT_EQ(fused.rules, Rules{"convolutional_lasso"});
        const Inferred derived = derived_by(model.graph, model.z, fista, model.state, options);
        EXPECT_LT(largest_difference(fused.state[model.z], derived.state[model.z]),
                  where == f32() ? 2e-5 : 1e-12)
            << steps << " steps";
        EXPECT_NEAR(fused.measure.values()[0], derived.measure.values()[0], where == f32() ? 1e-4 : 1e-11);
      }
    }
  }
}

TEST(ConvLasso, FewAndManyCodesGiveTheSameImages) {
  // The next step sees the image that the codes of the last one gave, so that a wrong image shows.
  const Case few{
      .where = f32(), .filters = 8, .height = 32, .width = 32, .filter = {9, 9}, .padding = {8, 8}};
  const Case many{.where = f32(),
                  .images = 1,
                  .channels = 2,
                  .filters = 67,
                  .height = 21,
                  .width = 39,
                  .filter = {6, 7},
                  .padding = {5, 2}};
  for (const Case& size : {few, many})
    for (const double lambda : {0.001, 0.3, 1.0, 1.6}) {
      Case c = size;
      c.lambda = lambda;
      const Model model = model_of(c);
      const Ista ista(model.z, {.step = 0.02});
      const InferOptions options{.max_steps = 12, .stop = Stop::Never};
      const Inferred fused = infer(model.graph, model.z, ista, model.state, options, Key(5));
      const Inferred derived = derived_by(model.graph, model.z, ista, model.state, options);
      EXPECT_LT(largest_difference(fused.state[model.z], derived.state[model.z]), 2e-5)
          << lambda << ", " << c.filters << " filters";
    }
}

TEST(ConvLasso, StopsWhereTheDerivedPathStops) {
  for (const double attraction : {0.0, 0.5}) {
    Case c{.images = 4, .lambda = 0.4, .attraction = attraction};
    Model model = model_of(c);
    // Images of different strength converge at different times.
    const Value strengths = Tensor::from(std::vector<double>{0.0, 0.3, 1.0, 3.0}, {4, 1, 1, 1}, c.where);
    model.state.set(model.y, model.state[model.y] * strengths);
    const Fista fista(model.z, {.step = 0.04});
    for (const Stop stop : {Stop::DualityGap, Stop::StepSize, Stop::Never}) {
      // From zeros codes only grow; from large ones they shrink.
      if (stop == Stop::Never)
        model.state.set(
            model.z, Tensor::full({4, model.z.shape[0], model.z.shape[1], model.z.shape[2]}, 2.0, c.where));
      const InferOptions options{
          .max_steps = stop == Stop::Never ? 30 : 400, .tolerance = 1e-3, .stop = stop, .check_every = 5};
      const Inferred fused = infer(model.graph, model.z, fista, model.state, options, Key(5));
      const Inferred derived = derived_by(model.graph, model.z, fista, model.state, options);
      EXPECT_EQ(fused.steps.values(), derived.steps.values());
      EXPECT_EQ(fused.unconverged, derived.unconverged);
      EXPECT_LT(largest_difference(fused.state[model.z], derived.state[model.z]), 1e-10);
      for (std::size_t n = 0; n < 4; ++n)
        EXPECT_NEAR(fused.measure.values()[n], derived.measure.values()[n], 1e-9);
    }
  }
}

TEST(ConvLasso, ConvergesToTheOptimumByItsOwnStep) {
  Case c{.filters = 6, .lambda = 0.3};
  const Model model = model_of(c);
  const InferOptions options{.max_steps = 5000, .tolerance = 1e-8};
  const Inferred fused = infer(model.graph, model.z, Fista(model.z), model.state, options, Key(5));
  EXPECT_EQ(fused.unconverged, 0);
  EXPECT_EQ(fused.stop, Stop::DualityGap);
  const Split split(model.graph, model.z);
  for (const double gap : relative_duality_gap(gap_terms(split, fused.state)).tensor().values())
    EXPECT_LT(gap, 1.01e-8);
  // From there nothing is left to do.
  const Inferred again = infer(model.graph, model.z, Fista(model.z), fused.state, options, Key(5));
  EXPECT_EQ(again.steps.values(), std::vector<double>(2, 0.0));
}

TEST(ConvLasso, WarmStartsContinue) {
  for (const Placement& where : {f64(), f32()}) {
    for (std::size_t i : {0U, 4U, 5U, 7U}) {
      Case c = cases()[i];
      c.where = where;
      Model model = model_of(c);
      const Ista ista(model.z, {.step = 0.02 / c.weight});
      const InferOptions half{.max_steps = 6, .stop = Stop::Never},
          whole{.max_steps = 12, .stop = Stop::Never};
      const Inferred first = infer(model.graph, model.z, ista, model.state, half, Key(5));
      const Inferred second = infer(model.graph, model.z, ista, first.state, half, Key(5));
      const Inferred once = infer(model.graph, model.z, ista, model.state, whole, Key(5));
      EXPECT_LT(largest_difference(second.state[model.z], once.state[model.z]), where == f32() ? 1e-5 : 1e-12)
          << i;
    }
  }
}

TEST(ConvLasso, EqualBitsOnAnyThreads) {
  const Model model =
      model_of({.where = f32(), .images = 3, .filters = 8, .height = 30, .width = 31, .lambda = 0.3});
  const auto codes = [&](int threads) {
    const int before = thread_count();
    set_thread_count(threads);
    const Inferred found =
        infer(model.graph, model.z, Fista(model.z), model.state, {.max_steps = 20}, Key(5));
    set_thread_count(before);
    return found.state[model.z].tensor().values();
  };
  EXPECT_EQ(codes(1), codes(3));
}

TEST(ConvLasso, IsRecognisedByTypesAlone) {
  const Model model = model_of({});
  const auto recognised = [](const FactorGraph& graph, const Variable& z) {
    return inference_rules(graph, z, Fista(z), {}) == Rules{"convolutional_lasso"};
  };
  EXPECT_TRUE(recognised(model.graph, model.z));
  EXPECT_TRUE(recognised(model_of({.attraction = 0.5}).graph, model.z));
  Model narrow = model_of({.width = 15});
  EXPECT_FALSE(recognised(narrow.graph, narrow.z));
  Model cropped = model_of({.padding = {5, 4}});  // more than the filter
  EXPECT_FALSE(recognised(cropped.graph, cropped.z));
  FactorGraph more = model.graph;
  more.add(L1(model.z, 0.1), 0.0);
  EXPECT_TRUE(recognised(more, model.z)) << "factors without weight do not count";
  more.add(Quadratic(model.z));
  EXPECT_FALSE(recognised(more, model.z));
  // Transitions and placements that it leaves to the derived path.
  const InferOptions two{.max_steps = 2, .stop = Stop::Never};
  EXPECT_EQ(infer(model.graph, model.z, CoordinateDescent(model.z), model.state, two, Key(5)).rules, Rules{});
  EXPECT_EQ(
      infer(model.graph, model.z, Ista(model.z, {.rule = StepRule::Backtracking}), model.state, two, Key(5))
          .rules,
      Rules{});
}

TEST(ConvLasso, NumbersThatAreNotFiniteAreReported) {
  Model model = model_of({});
  std::vector<double> y = model.state[model.y].tensor().values();
  y[7] = std::numeric_limits<double>::quiet_NaN();
  model.state.set(model.y, Tensor::from(y, model.state[model.y].shape(), f64()));
  EXPECT_THROW(infer(model.graph, model.z, Fista(model.z), model.state, {}, Key(5)), Error);
  EXPECT_THROW(
      infer(model.graph, model.z, Fista(model.z), model.state, {.max_steps = 3, .stop = Stop::Never}, Key(5)),
      Error);
}

TEST(ConvLipschitz, BoundsTheLargestEigenvalueClosely) {
  for (const Case& c : {Case{.filters = 6, .height = 60, .width = 60},
                        Case{.filters = 1, .height = 50, .width = 50, .filter = {1, 1}, .padding = {0, 0}},
                        Case{.filters = 2, .height = 60, .width = 60, .filter = {1, 6}, .padding = {0, 5}}}) {
    const Model model = model_of(c);
    State state = model.state;
    Shape codes{c.images};
    codes.insert(codes.end(), model.z.shape.begin(), model.z.shape.end());
    state.set(model.z, Tensor::zeros(codes, c.where));
    const double found = lipschitz(Split(model.graph, model.z), state, Key(9), 300) / 1.01;
    const double bound = conv_lipschitz(model.graph.parameter("z.y.weight").tensor());
    EXPECT_GE(bound, (1.0 - 1e-5) * found);  // equal, but for rounding, for filters of one pixel
    EXPECT_LE(bound, 1.08 * found);          // 5 % of the samples, the rest of the image's borders
  }
}

}  // namespace
}  // namespace basin
