#include "models/layers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "models/architectures.h"
#include "support/contains.h"
#include "support/device.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin::test {
namespace {

std::string error_of(const std::vector<std::string>& texts, const Shape& sample = {28, 28}) {
  try {
    (void)read_layers(texts, sample);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Index parameters_of(const std::vector<Layer>& layers) {
  Index sum = 0;
  for (const Layer& layer : layers) sum += layer.parameters;
  return sum;
}

Index multiply_adds_of(const std::vector<Layer>& layers) {
  Index sum = 0;
  for (const Layer& layer : layers) sum += layer.multiply_adds;
  return sum;
}

/// What is said of shapes and numbers of parameters is what the built network has.
void expect_as_planned(const std::vector<std::string>& texts, const Shape& sample) {
  const std::vector<Layer> layers = read_layers(texts, sample);
  const auto network = build_layers(layers, Key(1), f32());
  Shape shape = sample;
  shape.insert(shape.begin(), 3);
  Shape expected = layers.back().out;
  expected.insert(expected.begin(), 3);
  EXPECT_EQ(network->forward(Value(normal(Key(2), shape, f32()))).shape(), expected) << texts.back();
  Index numbers = 0;
  for (const Parameter& parameter : network->parameters()) {
    if (!parameter.is_trained()) continue;
    // Filters of connections that are not there hold zeros, which are no numbers of the network.
    const std::vector<double> values = parameter.tensor().values();
    numbers += parameter.tensor().size();
    if (parameter.tensor().rank() == 4) numbers -= std::ranges::count(values, 0.0);
  }
  EXPECT_EQ(numbers, parameters_of(layers)) << texts.back();
}

TEST(Layers, HaveTheShapesAndNumbersThatAreSaid) {
  expect_as_planned({"conv 4 5x3 stride 2x1 pad 1"}, {13, 12});
  expect_as_planned({"conv 4 3x3 dilation 2 groups 2"}, {2, 9, 8});
  expect_as_planned({"conv_transpose 3 4x4 stride 2 pad 1"}, {2, 5, 6});
  expect_as_planned({"local 3 3x2 stride 2"}, {2, 7, 6});
  for (const char* pool : {"max", "average", "lp", "log_sum_exp"})
    expect_as_planned({std::string("pool ") + pool + " 3x2 stride 2x1 pad 1"}, {2, 8, 7});
  expect_as_planned({"pool lp 2 p 3", "pool log_sum_exp 2 beta 0.5"}, {8, 8});
  expect_as_planned({"conv 4 3x3", "batch_norm", "relu", "local_contrast 5", "layer_norm", "dropout 0.5"},
                    {9, 9});
  expect_as_planned({"dense 12", "maxout 3", "prelu", "dense 5", "batch_norm", "flatten"}, {4, 3});
  expect_as_planned({"batch_norm", "conv 2 3x3", "prelu 0.1 2", "winner_take_all 3", "winner_take_all 1 2"},
                    {5, 4});
  expect_as_planned(mlp_layers({30, 20}, "tanh", 0.2), {7});
  // Samples [H, W] are one map, one feature.
  expect_as_planned({"batch_norm"}, {6, 5});
  EXPECT_EQ(parameters_of(read_layers({"batch_norm"}, {6, 5})), 2);
  expect_as_planned({"relu", "prelu 0.2 1", "conv 2 3"}, {6, 5});
  EXPECT_TRUE(contains(error_of({"maxout 2"}), "features in groups of 2, received 1"));
}

TEST(Layers, AlongSequences) {
  expect_as_planned({"conv1d 4 3 stride 2 pad 1", "relu", "dense 5"}, {2, 9});
  expect_as_planned({"conv1d 4 3 dilation 2 groups 2"}, {2, 9});
  expect_as_planned({"conv_transpose1d 6 4 stride 3 pad 1 groups 2", "tanh", "conv1d 1 3"}, {4, 5});
  EXPECT_TRUE(contains(error_of({"conv1d 2 5"}, {3, 4}), "a filter that fits into 4 steps, received 5"));
  EXPECT_TRUE(contains(error_of({"conv 2 3x3", "conv1d 2 3"}),
                       "layer 2 'conv1d 2 3': expected samples that are sequences, [channels, length]"));
  EXPECT_TRUE(contains(error_of({"conv_transpose1d 2 1 pad 2"}, {3, 4}), "padding that leaves a step"));
  EXPECT_TRUE(contains(error_of({"conv1d 2 3 groups 2"}, {3, 4}), "groups that divide"));
}

TEST(Layers, DenseWithoutBias) {
  expect_as_planned({"dense 3 no_bias", "tanh", "dense 2 no_bias"}, {5});
  EXPECT_EQ(parameters_of(read_layers({"dense 3 no_bias"}, {5})), 15);
}

// Features of a first and a second stage: what taps kept, in their order, then what is there.
TEST(Layers, JoinWhatTapsHaveKept) {
  const std::vector<std::string> texts = {"conv 2 3x3", "tanh", "tap",  "pool average 2", "tap",
                                          "conv 3 2x2", "tanh", "join", "dense 4"};
  expect_as_planned(texts, {6, 6});
  const std::vector<Layer> layers = read_layers(texts, {6, 6});
  EXPECT_EQ(layers[8].out, (Shape{2 * 4 * 4 + 2 * 2 * 2 + 3}));
  const auto network = build_layers(layers, Key(1), f64()),
             derived = build_layers(layers, Key(1), f64(), {.fused = false});
  const Value x = normal(Key(2), {2, 6, 6}, f64());
  const std::vector<Value> at = network->outputs(x);
  EXPECT_EQ(at[8].tensor().values(),
            concat({flatten(at[2]), flatten(at[4]), flatten(at[7])}, 1).tensor().values());
  EXPECT_EQ(at.back().tensor().values(), derived->forward(x).tensor().values());
  std::vector<Value> leaves{Value::leaf(x.tensor())};
  for (const Parameter& parameter : network->parameters()) leaves.push_back(parameter.value());
  EXPECT_EQ(gradcheck([&] { return network->forward(leaves[0]); }, leaves), "");
  // Computed together or each by itself.
  const std::vector<double> fused = network->forward(x).tensor().values(),
                            plain = derived->forward(x).tensor().values();
  for (std::size_t i = 0; i < fused.size(); ++i) EXPECT_NEAR(fused[i], plain[i], 1e-12);
}

TEST(Layers, TapsAndJoinsBelongTogether) {
  EXPECT_TRUE(contains(error_of({"conv 2 3x3", "join"}),
                       "[layers] layer 2 'join': expected a tap below it, whose features it joins"));
  EXPECT_TRUE(contains(error_of({"tap", "conv 2 3x3"}), "layer 1 'tap': expected a join above it"));
  EXPECT_TRUE(contains(error_of({"tap", "join", "join"}), "layer 3 'join': expected a tap below it"));
  EXPECT_TRUE(contains(error_of({"tap 2", "join"}), "no more words, received '2'"));
  expect_as_planned({"tap", "join", "tap", "tanh", "join"}, {3});
}

TEST(Layers, OfLeNet5) {
  expect_as_planned(lenet5_layers(), {28, 28});
  // LeCun et al. 1998, section II.B: 156, 1,516, 48,120 and 10,164 numbers; their pools were trained.
  EXPECT_EQ(parameters_of(read_layers(lenet5_layers(), {28, 28})), 156 + 1516 + 48120 + 10164);
}

TEST(Layers, AreCountedWithoutBeingBuilt) {
  std::vector<std::string> alexnet = alexnet_layers();
  alexnet.emplace_back("dense 1000");
  const std::vector<Layer> layers = read_layers(alexnet, {3, 224, 224});
  EXPECT_EQ(layers[13].multiply_adds, 9216 * 4096);
  EXPECT_EQ(parameters_of(layers), 60'965'224);
  EXPECT_EQ(multiply_adds_of(layers), 724'406'816);
  // The tutorial counts the fourth convolution over all maps; its rounded rows add up to 832 million.
  alexnet[8] = "conv 384 3x3 pad 1";
  EXPECT_EQ(multiply_adds_of(read_layers(alexnet, {3, 224, 224})) / 1'000'000, 836);
  std::vector<std::string> zf = zf_layers();
  zf.emplace_back("dense 1000");
  EXPECT_EQ(parameters_of(read_layers(zf, {3, 224, 224})), 62'357'608);
}

TEST(Layers, StartAsWhatFollowsThemAsks) {
  const auto kind = [](const std::vector<std::string>& texts) {
    return read_layers(texts, {1, 8, 8}).front().initializer.kind;
  };
  EXPECT_EQ(kind({"dense 3", "relu"}), Initializer::Kind::HeNormal);
  EXPECT_EQ(kind({"conv 3 3x3", "batch_norm", "leaky 0.1"}), Initializer::Kind::HeNormal);
  EXPECT_EQ(kind({"dense 3", "tanh"}), Initializer::Kind::GlorotUniform);
  EXPECT_EQ(kind({"dense 3", "tanh", "dense 4", "relu"}), Initializer::Kind::GlorotUniform);
  EXPECT_EQ(kind({"dense 3"}), Initializer::Kind::GlorotUniform);
}

TEST(Layers, DrawTheirWeightsUnderTheKey) {
  const std::vector<Layer> layers = read_layers({"conv 2 3x3", "relu", "dense 4"}, {6, 6});
  const auto weights = [&](Key key) {
    return build_layers(layers, key, f32())->parameters()[0].tensor().values();
  };
  EXPECT_EQ(weights(Key(1)), weights(Key(1)));
  EXPECT_NE(weights(Key(1)), weights(Key(2)));
}

TEST(Layers, ThatNoMachineHoldsAreRefusedBeforeTheFirstIsDrawn) {
  // The first of each fits into memory, and would be drawn.
  for (const std::vector<std::string>& texts :
       {std::vector<std::string>{"dense 10000", "dense 1000000000"}, {"conv 1000000000 1x1"}}) {
    const std::uint64_t before = allocation_count(Device::Cpu);
    std::string said;
    try {
      (void)build_layers(read_layers(texts, {28, 28}), Key(1), {Dtype::F32, Device::Cpu});
    } catch (const Error& error) {
      said = error.what();
    }
    EXPECT_TRUE(contains(said, "half of the machine's memory")) << texts.back() << ": " << said;
    EXPECT_TRUE(contains(said, "[layers] '" + texts.back() + "'")) << said;
    EXPECT_EQ(allocation_count(Device::Cpu), before) << texts.back();
  }
}

TEST(Layers, ThatDoNotFitAreNamed) {
  EXPECT_TRUE(contains(error_of({"conv 20 5x5", "pool max 2", "conv 50 13x5"}),
                       "[layers] layer 3 'conv 50 13x5': expected a window that fits into maps of 12x12"));
  EXPECT_TRUE(contains(error_of({"dense 30", "conv 20 5x5"}),
                       "layer 2 'conv 20 5x5': expected samples that are maps"));
  EXPECT_TRUE(contains(error_of({"cnov 20 5x5"}), "did you mean 'conv'?"));
  EXPECT_TRUE(contains(error_of({"rleu"}), "did you mean 'relu'?"));
  EXPECT_TRUE(contains(error_of({""}), "the name of a layer"));
  EXPECT_TRUE(contains(error_of({"dense"}), "the number of units, received none"));
  EXPECT_TRUE(contains(error_of({"dense 0"}), "a whole number of 1 to"));
  EXPECT_TRUE(contains(error_of({"dense 3.5"}), "received '3.5'"));
  EXPECT_TRUE(contains(error_of({"dense 30 40"}), "no more words, received '40'"));
  EXPECT_TRUE(contains(error_of({"conv 20 5x5 stride"}), "a value behind 'stride'"));
  EXPECT_TRUE(contains(error_of({"conv 20 5x5 stride 0"}), "stride, a whole number of 1 to"));
  EXPECT_TRUE(contains(error_of({"conv 20 5x5x5"}), "received '5x5'"));
  EXPECT_TRUE(contains(error_of({"conv 4 3x3", "conv 6 3x3 groups 4"}),
                       "groups that divide 4 maps below and 6 above"));
  EXPECT_TRUE(contains(error_of({"conv 16 5x5 connections lenet5"}), "16 maps above 6"));
  EXPECT_TRUE(contains(error_of({"pool middle 2"}), "a kind of pool"));
  EXPECT_TRUE(contains(error_of({"pool max 2 pad 2"}), "padding below the size"));
  // Its window would be walked place by place.
  EXPECT_TRUE(
      contains(error_of({"pool average 1000000000 pad 999999999"}),
               "layer 1 'pool average 1000000000 pad 999999999': expected padding of at most the maps'"));
  EXPECT_TRUE(contains(error_of({"conv 2 1x1 stride 1000000000 pad 1000000000"}), "padding of at most"));
  EXPECT_TRUE(contains(error_of({"conv_transpose 2 1x1 stride 1000000000"}), "layer 1 'conv_transpose"));
  EXPECT_TRUE(
      contains(error_of({"conv_transpose 2 1x1 stride 10000000"}), "at most 2^53 numbers of a sample"));
  EXPECT_TRUE(contains(error_of({"pool lp 2 p 2000"}), "layer 1 'pool lp 2 p 2000': expected p"));
  EXPECT_TRUE(contains(error_of({"relu", "pool log_sum_exp 2 beta 1e7"}), "layer 2"));
  EXPECT_TRUE(contains(error_of({"local_contrast 4"}), "an odd size"));
  EXPECT_TRUE(
      contains(error_of({"local_contrast 1025"}), "layer 1 'local_contrast 1025': expected an odd size"));
  EXPECT_TRUE(contains(error_of({"dropout 1"}), "in [0, 0.999]"));
  EXPECT_TRUE(
      contains(error_of({"dense 6", "leaky x"}),
               "[layers] layer 2 'leaky x': expected a, a finite number in [-inf, inf], received 'x'"));
  EXPECT_TRUE(contains(error_of({"leaky nan"}), "a finite number"));
  EXPECT_TRUE(contains(error_of({"leaky 0.1 2"}), "no more words, received '2'"));
  EXPECT_TRUE(contains(error_of({"rrelu 0.5 0.1"}), "low <= high"));
  EXPECT_TRUE(contains(error_of({"dense 6", "maxout"}), "expected group, received none"));
  EXPECT_TRUE(contains(error_of({"dense 6", "maxout 4"}), "features in groups of 4, received 6"));
  EXPECT_TRUE(contains(error_of({"dense 6", "prelu 0.1 1000000000"}), "as many features as below, 6, or 1"));
  EXPECT_TRUE(contains(error_of({"dense 6", "winner_take_all 7"}), "k of at most 6"));
  EXPECT_TRUE(contains(error_of({"dense 6", "winner_take_all 3 2"}), "k of at most 2"));
  EXPECT_TRUE(contains(error_of({"dense 6", "winner_take_all 3 4"}), "features in groups of 4"));
  EXPECT_TRUE(contains(error_of({"conv 1000000000 1000000x1000"}, {1000, 1000000, 1000}), "more than 2^63"));
}

}  // namespace
}  // namespace basin::test
