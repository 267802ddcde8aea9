#include "training/source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <span>

#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

std::vector<double> range(Index count) {
  std::vector<double> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0.0);
  return numbers;
}

/// Sample n is the number n.
Samples numbered(Index count) {
  return {real_column("x", Tensor::from(range(count), {count}, {Dtype::F64}))};
}

TEST(Source, MapsColumnsToVariablesOfTheirNames) {
  FactorGraph graph;
  const Variable h = graph.binary("h", {3}), label = graph.categorical("label", {4}),
                 v = graph.real("v", {2, 2});
  const Samples samples{byte_column("image", {4}, {0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8}),
                        integer_column("label", {}, {3, 0, 2}, 4), integer_column("number", {}, {7, 8, 9})};
  const std::vector<Input> inputs = inputs_of(graph, Samples{samples["label"], samples["number"]});
  ASSERT_EQ(inputs.size(), 1u);
  EXPECT_EQ(inputs[0].variable, label);

  const Source source(samples, {{"image", v}, {"label", label}}, test::f32());
  const State batch = source.batch(std::vector<Index>{2, 0}, Key(1));
  EXPECT_EQ(batch[v].shape(), (Shape{2, 2, 2}));
  EXPECT_NEAR(batch[v].tensor().values()[5], 0.2, 1e-7);
  EXPECT_EQ(batch[label].tensor().values(), (std::vector<double>{0, 0, 1, 0, 0, 0, 0, 1}));
  EXPECT_EQ(batch.context().ids.values(), (std::vector<double>{2, 0}));
  EXPECT_EQ(batch.context().samples, 3);
  EXPECT_FALSE(batch.has(h));

  EXPECT_THROW(Source(samples, {{"picture", v}}, test::f32()), Error);
  EXPECT_THROW(Source(samples, {{"label", v}}, test::f32()), Error);
  EXPECT_THROW(Source(samples, {}, test::f32()), Error);
  EXPECT_THROW(Source(samples, {{"label", graph.categorical("other", {5})}}, test::f32()), Error);
}

TEST(Source, TheFirstColumnIsOfTheFirstVariableThatHasNoneElse) {
  FactorGraph graph;
  const Variable label = graph.categorical("label", {4}), v = graph.real("v", {4});
  const Samples samples{byte_column("image", {4}, {0, 1, 2, 3}), integer_column("label", {}, {3}, 4)};
  const std::vector<Input> inputs = inputs_of(graph, samples);
  ASSERT_EQ(inputs.size(), 2u);
  EXPECT_EQ(inputs[0].column, "image");
  EXPECT_EQ(inputs[0].variable, v);
  EXPECT_EQ(inputs[1].variable, label);
  EXPECT_THROW(inputs_of(FactorGraph(), samples), Error);
}

TEST(Source, OrdersAreWhatTheySay) {
  FactorGraph graph;
  const Variable x = graph.real("x", {});
  const auto order = [&](SourceOptions options, Index count, Key key, Index batch) {
    return Source(numbered(count), {{"x", x}}, test::f64(), options).order(key, batch);
  };
  EXPECT_EQ(order({}, 20, Key(5), 4), permutation(Key(5), 20));
  EXPECT_EQ(order({.order = SampleOrder::Given}, 4, Key(5), 2), (std::vector<Index>{0, 1, 2, 3}));
  // three streams of three, and one sample too many
  EXPECT_EQ(order({.order = SampleOrder::Streams}, 10, Key(5), 3),
            (std::vector<Index>{0, 3, 6, 1, 4, 7, 2, 5, 8}));
  const std::vector<Index> blocks = order({.order = SampleOrder::Blocks, .block = 10}, 205, Key(5), 4);
  EXPECT_EQ(std::set<Index>(blocks.begin(), blocks.end()).size(), 205u);
  std::set<Index> touched;  // by the first 75 samples, from eight blocks
  for (std::size_t i = 0; i < 75; ++i) touched.insert(blocks[i] / 10);
  EXPECT_EQ(touched.size(), 8u);
  EXPECT_NE(blocks, order({.order = SampleOrder::Blocks, .block = 10}, 205, Key(6), 4));
}

TEST(Source, BatchesOfSequencesAreAsLongAsTheirLongest) {
  FactorGraph graph;
  const Variable words = graph.real("words", {0, 2}), tags = graph.categorical("tags", {0, 3});
  const Samples samples{real_column("words", Tensor::from(range(24), {3, 4, 2})),
                        integer_column("tags", {4}, {0, 1, 2, 0, 1, 1, 0, 0, 2, 0, 0, 0}, 3),
                        integer_column("lengths", {}, {4, 2, 1})};
  const Source source(samples, inputs_of(graph, samples), test::f32());
  const State batch = source.batch(std::vector<Index>{2, 1}, Key(1));
  EXPECT_EQ(batch[words].shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(batch[words].tensor().values(), (std::vector<double>{16, 17, 18, 19, 8, 9, 10, 11}));
  EXPECT_EQ(batch[tags].tensor().values(), (std::vector<double>{0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0}));
  EXPECT_EQ(batch.context().lengths.values(), (std::vector<double>{1, 2}));
  EXPECT_EQ(source.batch(std::vector<Index>{0}, Key(1))[words].shape(), (Shape{1, 4, 2}));
  EXPECT_EQ(words.size(), 0);
  EXPECT_THROW(State().set(words, Value(Tensor::zeros({2, 5, 3}))), Error);
}

TEST(Source, ResidentColumnsGiveTheSameBatches) {
  FactorGraph graph;
  const Variable x = graph.real("x", {2});
  const Samples samples{byte_column("x", {2}, {0, 10, 20, 30, 40, 50, 60, 70})};
  const Device device = test::f32().device == Device::Cpu ? Device::Guard : test::f32().device;
  const Placement there{Dtype::F32, device};
  const Source host(samples, {{"x", x}}, there), resident(samples, {{"x", x}}, there, {.residency = device});
  const auto expect_equal = [&](std::span<const Index> rows) {
    EXPECT_EQ(resident.batch(rows, Key(1))[x].tensor().values(),
              host.batch(rows, Key(1))[x].tensor().values());
  };
  expect_equal(std::vector<Index>{1, 2, 3, 0, 1, 1});
  // Batches of an epoch's order, from its begin, in its middle, once more, and others in between.
  const std::vector<Index> order = resident.order(Key(2), 2);
  ASSERT_EQ(order.size(), 4u);
  const std::span<const Index> all(order);
  for (const std::size_t begin : {0, 2, 2, 0, 1}) expect_equal(all.subspan(begin, 2));
  expect_equal(std::vector<Index>{3});
  expect_equal(all);
  expect_equal(std::span<const Index>());
  EXPECT_THROW(resident.batch(std::vector<Index>{4}, Key(1)), Error);
}

TEST(Source, ResidentCategoriesAreOneHot) {
  FactorGraph graph;
  const Variable label = graph.categorical("label", {3});
  const Samples samples{integer_column("label", {}, {2, 0, 1, 2}, 3)};
  const Device device = test::f32().device == Device::Cpu ? Device::Guard : test::f32().device;
  const Source resident(samples, {{"label", label}}, {Dtype::F32, device}, {.residency = device});
  EXPECT_EQ(resident.batch(std::vector<Index>{3, 1}, Key(1))[label].tensor().values(),
            (std::vector<double>{0, 0, 1, 1, 0, 0}));
}

TEST(Source, FillsOneBufferAndMakesSamplesAnew) {
  FactorGraph graph;
  const Variable x = graph.real("x", {});
  const Source source(numbered(6), {{"x", x}}, test::f64());
  const std::vector<Index> rows{4, 1};
  const void* first = source.batch(rows, Key(1))[x].tensor().data();
  EXPECT_EQ(source.batch(rows, Key(2))[x].tensor().data(), first);
  const Source made(100, [&](std::span<const Index> numbers, Key) {
    return State().set(x, Value(Tensor::full({static_cast<Index>(numbers.size())}, 2.0)));
  });
  EXPECT_EQ(made.count(), 100);
  EXPECT_EQ(made.batch(rows, Key(1)).context().ids.values(), (std::vector<double>{4, 1}));
  EXPECT_THROW(Source().batch(rows, Key(1)), Error);
}

}  // namespace
}  // namespace basin
