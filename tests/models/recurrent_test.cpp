#include "models/recurrent.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "support/contains.h"
#include "support/device.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

RecurrentModelOptions options(Domain domain = Domain::Categorical, bool bidirectional = false) {
  return {.input = {domain, 5},
          .hidden = 4,
          .stack = {.layers = 2,
                    .bidirectional = bidirectional,
                    .dropout = 0.5,
                    .layer = {.embedding = 3, .placement = test::f64()}},
          .key = Key(2)};
}

State sequences(const RecurrentModel& model, Index rows, Index steps) {
  return State().set(model.x, largest(normal(Key(3), {rows, steps, 5}, test::f64()), 1));
}

TEST(RecurrentModel, ClassifiersScoreWhatTheyHaveComeTo) {
  for (const bool bidirectional : {false, true}) {
    const RecurrentModel model = recurrent_classifier(options(Domain::Categorical, bidirectional), 3);
    const State state = sequences(model, 2, 6);
    EXPECT_EQ(model.net->forward(state[model.x]).shape(), (Shape{2, 3}));
    Context context;
    context.lengths = Tensor::from(std::vector<double>{4, 6}, {2}, {Dtype::F64, Device::Cpu});
    const Value short_one = slice(slice(state[model.x], 0, 0, 1), 1, 0, 4);
    const std::vector<double> batch = model.net->forward(state[model.x], context).tensor().values(),
                              alone = model.net->forward(short_one).tensor().values();
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(batch[k], alone[k], 1e-12);
    // F(x) = -log sum_y exp f_y, over the label.
    const Value f = model.net->forward(state[model.x]);
    const std::vector<double> free = free_energy(model.graph, {model.y}, state).tensor().values(),
                              expected = (-log_sum_exp(f, -1)).tensor().values();
    for (std::size_t n = 0; n < 2; ++n) EXPECT_NEAR(free[n], expected[n], 1e-12);
  }
}

TEST(RecurrentModel, NamesItsParts) {
  const RecurrentModel model = sequence_model(options(), {Domain::Categorical, 5});
  EXPECT_NO_THROW(model.graph.parameter("x.next.layers.0.embedding.weight"));
  EXPECT_NO_THROW(model.graph.parameter("x.next.layers.2.recurrent.weight"));
  EXPECT_NO_THROW(model.graph.parameter("x.next.output.bias"));
  EXPECT_EQ(recurrent_regression(options(Domain::Real), 2).y.shape, (Shape{2}));
  EXPECT_EQ(autoregressive_model(options(Domain::Binary)).graph.variables().size(), 1u);
}

TEST(RecurrentModel, RbmsOfStepsTakeTheirBiasesFromTheNet) {
  const RecurrentRbm model = recurrent_rbm(options(Domain::Binary), 7, 0.5);
  EXPECT_EQ(model.graph.parameter("v.h.weight").tensor().shape(), (Shape{5, 7}));
  EXPECT_EQ(model.graph.parameter("output.bias").tensor().shape(), (Shape{5 + 7}));
  EXPECT_EQ(model.graph.parameter("output.weight").tensor().shape(), (Shape{4, 5 + 7}));
  EXPECT_EQ(model.graph.parameter("layers.0.embedding.weight").tensor().shape(), (Shape{5, 3}));
  for (const Parameter& parameter : model.graph.parameters())
    EXPECT_EQ(parameter.tensor().placement(), test::f64()) << parameter.name();
  const Tensor x = bernoulli(Key(3), Tensor::full({2, 3, 5}, 0.5, test::f64()));
  EXPECT_EQ(free_energy(model.graph, {model.h}, State().set(model.x, x).set(model.v, x)).shape(), (Shape{2}));
  EXPECT_THROW(recurrent_rbm(options(), 7), Error) << "symbols";
  EXPECT_THROW(recurrent_rbm(options(Domain::Binary), 0), Error);
  EXPECT_THROW(recurrent_rbm(options(Domain::Binary, true), 7), Error) << "both directions";
}

TEST(RecurrentModel, WhatNoMachineHoldsIsRefusedBeforeTheFirstWeightIsDrawn) {
  RecurrentModelOptions wide = options(), deep = options();
  wide.hidden = 20'000'000;  // its first matrix would fit
  deep.stack.layers = 1'000'000'000'000;
  const Device device = options().stack.layer.placement.device;
  for (const RecurrentModelOptions& each : {wide, deep}) {
    const std::uint64_t before = allocation_count(device);
    try {
      (void)sequence_model(each, {Domain::Categorical, 5});
      ADD_FAILURE() << each.hidden;
    } catch (const Error& error) {
      EXPECT_TRUE(test::contains(error.what(), "half of the machine's memory")) << error.what();
    }
    EXPECT_EQ(allocation_count(device), before);
  }
}

TEST(RecurrentModel, RefusesMissingSizes) {
  RecurrentModelOptions none = options();
  none.hidden = 0;
  EXPECT_THROW(recurrent_classifier(none, 3), Error);
  EXPECT_THROW(recurrent_classifier(options(), 1), Error);
  EXPECT_THROW(recurrent_regression(options(Domain::NonNegative), 1), Error);
  EXPECT_THROW(autoregressive_model(options(Domain::Binary, true)), Error);
}

}  // namespace
}  // namespace basin
