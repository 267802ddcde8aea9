#include "modules/sequences/recurrent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "modules/linear.h"
#include "modules/sequences/steps.h"
#include "support/device.h"
#include "support/numbers.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

using Values = std::vector<Value>;
using Cell = RecurrentCell;

constexpr Index kIn = 2, kHidden = 3, kSteps = 4, kRows = 3;

Tensor random(Shape shape, std::uint64_t stream = 0) {
  return normal(Key(5).fold(stream), std::move(shape), test::f64());
}

Context with_lengths(const std::vector<double>& lengths) {
  Context context;
  context.lengths = Tensor::from(lengths, {static_cast<Index>(lengths.size())}, {Dtype::F64, Device::Cpu});
  return context;
}

TEST(Recurrent, ItsParametersAreCountedBeforeTheyAreDrawn) {
  for (const Cell cell : {Cell::Elman, Cell::Jordan, Cell::Lstm, Cell::Gru}) {
    for (const Index embedding : {0, 5}) {
      for (const bool peepholes : {false, cell == Cell::Lstm}) {
        RecurrentOptions options{.cell = cell, .peepholes = peepholes, .embedding = embedding};
        double count = 0.0;
        for (const Parameter& parameter : Recurrent(7, 3, Key(1), options).parameters())
          count += static_cast<double>(parameter.tensor().size());
        EXPECT_EQ(Recurrent::parameter_count(7, 3, options), count) << static_cast<int>(cell) << embedding;
      }
    }
  }
}

const Context kRagged = with_lengths({4, 2, 3});

std::vector<double> host(const Value& value) { return value.tensor().values(); }

RecurrentOptions options(Cell cell) { return {.cell = cell, .placement = test::f64()}; }

/// Every parameter at random.
void randomise(const Module& module) {
  std::uint64_t stream = 7;
  for (const Parameter& parameter : module.parameters())
    parameter.tensor().copy_from(random(parameter.tensor().shape(), stream++));
}

std::string check(const Module& module, const Context& context = kRagged) {
  randomise(module);
  Values leaves{Value::leaf(random({kRows, kSteps, kIn}))};
  for (const Parameter& parameter : module.parameters()) leaves.push_back(parameter.value());
  return gradcheck([&] { return module.forward(leaves[0], context); }, leaves);
}

void expect_near(const std::vector<double>& got, const std::vector<double>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-12) << i;
}

/// Steps [begin, end) of sequences.
Value steps_of(const Value& x, Index begin, Index end) { return slice(x, 1, begin, end); }

TEST(Recurrent, CellsDifferentiateTwice) {
  RecurrentOptions embedded = options(Cell::Gru), peepholes = options(Cell::Lstm),
                   relu = options(Cell::Elman), reversed = options(Cell::Jordan);
  embedded.embedding = 2;
  peepholes.peepholes = reversed.reversed = true;
  relu.unit = RecurrentUnit::Relu;
  for (const RecurrentOptions& each : {options(Cell::Elman), options(Cell::Jordan), options(Cell::Lstm),
                                       options(Cell::Gru), embedded, peepholes, relu, reversed})
    EXPECT_EQ(check(Recurrent(kIn, kHidden, Key(1), each)), "");
}

TEST(Recurrent, BothDirectionsAndStacksDifferentiateTwice) {
  EXPECT_EQ(check(Bidirectional(kIn, 2, Key(1), options(Cell::Gru))), "");
  Context dropping = kRagged;
  dropping.key = Key(3);
  EXPECT_EQ(
      check(recurrent_stack(kIn, 2, Key(1), {.layers = 2, .dropout = 0.3, .layer = options(Cell::Lstm)}),
            dropping),
      "");
}

TEST(Recurrent, ElmanAndJordanAreTheirFormulas) {
  for (const Cell cell : {Cell::Elman, Cell::Jordan}) {
    const Recurrent layer(kIn, kHidden, Key(1), options(cell));
    randomise(layer);
    const std::vector<Parameter> p = layer.parameters();
    const Value x = random({kRows, kSteps, kIn});
    Value fed = Tensor::zeros({kRows, kHidden}, test::f64());
    for (Index t = 0; t < kSteps; ++t) {
      const Value now = reshape(steps_of(x, t, t + 1), {kRows, kIn});
      const Value h = tanh(matmul(now, p[0].value()) + p[2].value() + matmul(fed, p[1].value()));
      fed = cell == Cell::Elman ? h : matmul(h, p[3].value()) + p[4].value();
      expect_near(host(steps_of(layer.forward(x), t, t + 1)), host(fed));
    }
  }
}

TEST(Recurrent, ForgetGatesStartOpen) {
  const Recurrent layer(kIn, 2, Key(1), options(Cell::Lstm));
  EXPECT_EQ(host(layer.parameters()[2].value()), (std::vector<double>{0, 0, 1, 1, 0, 0, 0, 0}));
}

/// What stands past the end of a sequence changes nothing, and one in a batch is as it is alone.
TEST(Recurrent, SequencesOfABatchAreAsTheyAreAlone) {
  const std::vector<double> lengths = kRagged.lengths.values();
  for (const Cell cell : {Cell::Elman, Cell::Jordan, Cell::Lstm, Cell::Gru}) {
    const Bidirectional layer(kIn, kHidden, Key(1), options(cell));
    const Value x = random({kRows, kSteps, kIn}), y = layer.forward(x, kRagged);
    for (Index n = 0; n < kRows; ++n) {
      const auto length = static_cast<Index>(lengths[static_cast<std::size_t>(n)]);
      const Value own = slice(y, 0, n, n + 1);
      expect_near(host(steps_of(own, 0, length)),
                  host(layer.forward(steps_of(slice(x, 0, n, n + 1), 0, length))));
      for (const double past : host(steps_of(own, length, kSteps))) EXPECT_EQ(past, 0.0);
    }
  }
}

/// The reversed half is a layer on the sequence turned around.
TEST(Recurrent, ReversedLayersBeginAtTheEnd) {
  RecurrentOptions turned = options(Cell::Lstm);
  turned.reversed = true;
  const Recurrent backward(kIn, kHidden, Key(1), turned), forward(kIn, kHidden, Key(1), options(Cell::Lstm));
  const Value x = random({1, kSteps, kIn});
  const auto flipped = [](const Value& values) {
    Values parts = unstack(values, 1);
    std::ranges::reverse(parts);
    return stack(parts, 1);
  };
  expect_near(host(backward.forward(x)), host(flipped(forward.forward(flipped(x)))));
}

TEST(Recurrent, AStateGoesOnWhereItWasHandedOver) {
  for (const Cell cell : {Cell::Elman, Cell::Jordan, Cell::Lstm, Cell::Gru}) {
    const Recurrent layer(kIn, kHidden, Key(1), options(cell));
    const Value x = random({kRows, kSteps, kIn});
    const Walked whole = layer.run(x, {}), first = layer.run(steps_of(x, 0, 3), {});
    const Walked second = layer.run(steps_of(x, 3, kSteps), first.state);
    EXPECT_EQ(first.state.shape(), (Shape{kRows, layer.state_size()}));
    expect_near(host(second.outputs), host(steps_of(whole.outputs, 3, kSteps)));
    expect_near(host(second.state), host(whole.state));
  }
}

TEST(Recurrent, StreamsGoOnFromBatchToBatch) {
  Sequential layers = recurrent_stack(kIn, kHidden, Key(1), {.layers = 2, .layer = options(Cell::Gru)});
  const Value x = random({kRows, kSteps, kIn});
  Context context;
  context.streams = std::make_shared<Streams>();
  layers.forward(steps_of(x, 0, 2), context);
  EXPECT_EQ(context.streams->ends.size(), 2u);
  // A second look at the same batch starts where the first did.
  const std::vector<double> again = host(context.streams->ends[0].state);
  layers.forward(steps_of(x, 0, 2), context);
  EXPECT_EQ(host(context.streams->ends[0].state), again);
  context.streams->starts = std::exchange(context.streams->ends, {});
  expect_near(host(layers.forward(steps_of(x, 2, kSteps), context)),
              host(steps_of(layers.forward(x), 2, kSteps)));
  EXPECT_THROW(Bidirectional(kIn, kHidden, Key(1)).forward(x.tensor().to(Dtype::F32), context), Error);
  RecurrentOptions turned = options(Cell::Gru);
  turned.reversed = true;
  EXPECT_THROW(Recurrent(kIn, kHidden, Key(1), turned).forward(x, context), Error);
}

TEST(Recurrent, NamesItsParameters) {
  const auto names = [](const Module& module) {
    std::vector<std::string> all;
    for (const Parameter& parameter : module.parameters()) all.push_back(parameter.name());
    return all;
  };
  EXPECT_EQ(names(Recurrent(kIn, 3, Key(1), {.cell = Cell::Gru})),
            (std::vector<std::string>{"input.weight", "recurrent.weight", "bias", "candidate.bias"}));
  EXPECT_EQ(names(Recurrent(kIn, 3, Key(1), {.peepholes = true})).back(), "peephole.weight");
  EXPECT_EQ(names(Bidirectional(kIn, 3, Key(1), {.cell = Cell::Elman})).back(), "backward.bias");
  EXPECT_EQ(names(recurrent_stack(kIn, 3, Key(1), {.layers = 2, .dropout = 0.1})).back(), "2.bias");
}

TEST(Recurrent, RefusesWhatMakesNoSense) {
  EXPECT_THROW(parse_recurrent_cell("ltsm"), Error);
  EXPECT_THROW(Recurrent(0, 3, Key(1)), Error);
  EXPECT_THROW(Recurrent(2, 3, Key(1), {.cell = Cell::Gru, .peepholes = true}), Error);
  EXPECT_THROW(recurrent_stack(2, 3, Key(1), {.layers = 0}), Error);
  const Recurrent layer(kIn, kHidden, Key(1), options(Cell::Lstm));
  EXPECT_THROW(layer.forward(random({3, 4, 5})), Error);
  EXPECT_THROW(layer.forward(random({3, 4})), Error);
  EXPECT_THROW(layer.run(random({3, 4, kIn}), random({3, kHidden})), Error);
  for (const std::vector<double>& lengths : {std::vector<double>{4, 0, 1}, {4, 5, 1}, {4, 1.5, 1}, {4, 1}})
    EXPECT_THROW(layer.forward(random({3, 4, kIn}), with_lengths(lengths)), Error);
}

TEST(Steps, LastIsEachSequencesOwn) {
  const Value x = random({kRows, kSteps, kIn});
  EXPECT_EQ(host(LastStep().forward(x)), host(steps_of(x, 3, 4)));
  const std::vector<double> all = host(x), last = host(LastStep().forward(x, kRagged));
  const std::vector<Index> at{3, 1, 2};
  for (Index n = 0; n < kRows; ++n) {
    for (Index j = 0; j < kIn; ++j)
      EXPECT_EQ(last[static_cast<std::size_t>(n * kIn + j)],
                all[static_cast<std::size_t>((n * kSteps + at[static_cast<std::size_t>(n)]) * kIn + j)]);
  }
  const std::vector<double> both = host(LastStep({.from_start = 1}).forward(x, kRagged));
  EXPECT_EQ(both[0], last[0]);
  EXPECT_EQ(both[1], all[1]);
  EXPECT_EQ(check(LastStep({.from_start = 1})), "");
  EXPECT_THROW(LastStep({.from_start = 3}).forward(x), Error);
  EXPECT_THROW(LastStep().forward(random({3, 4})), Error);
}

TEST(Steps, MeansEndAtLengths) {
  const Value x = random({kRows, kSteps, kIn});
  expect_near(host(MeanStep().forward(x)), host(mean(x, {1})));
  const std::vector<double> means = host(MeanStep().forward(x, kRagged)), all = host(x);
  EXPECT_NEAR(means[2], 0.5 * (all[8] + all[10]), 1e-14);
  EXPECT_EQ(check(MeanStep()), "");
  EXPECT_EQ(check(MeanStep(), {}), "");
}

}  // namespace
}  // namespace basin
