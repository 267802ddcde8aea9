// Pictures of networks from the results of small runs: what they show, number by number.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "models/layers.h"
#include "support/contains.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/experiment_fixture.h"
#include "training/measures/classification.h"
#include "training/measures/made_up.h"
#include "training/plots/classified.h"
#include "training/plots/images.h"
#include "training/plots/label_energy.h"
#include "training/plots/layers.h"
#include "training/plots/loss_surface.h"
#include "training/plots/reconstructions.h"
#include "training/plots/rolls.h"

namespace basin {
namespace {

namespace fs = std::filesystem;
using test::contains;

const char* const kConvnet = R"(
seed = 4
protocol = "supervised"
data = { name = "strokes", train = 200, test = 60 }
head = { kind = "softmax" }
fine_tune = { epochs = 2, batch = 20, optimizer = { kind = "adam", learning_rate = 5e-3 } }

[[stages]]
name = "net"
model = { kind = "network", layers = ["conv 3 5x5", "relu", "pool max 2", "conv 4 3x3", "tanh", "pool max 2"] }
)";

const char* const kSoftmax = R"(
seed = 4
data = { name = "strokes", train = 200, test = 60 }
head = { kind = "softmax" }
fine_tune = { epochs = 2, batch = 20, optimizer = { kind = "adam", learning_rate = 5e-3 } }
)";

const char* const kRows = R"(
seed = 4
data = { name = "strokes", train = 200, test = 60 }
model = { kind = "recurrent", cell = "gru", hidden = 8, predict = "label" }
train = { epochs = 1, batch = 20 }
optimizer = { kind = "adam", learning_rate = 1e-2 }
)";

// Patterns of 4 x 4 bits as sequences of four frames.
const char* const kFrames = R"(
seed = 4
data = { name = "bars_and_stripes" }
model = { kind = "recurrent", cell = "lstm", hidden = 6 }
train = { epochs = 3, batch = 10, dtype = "f64" }
optimizer = { kind = "adam", learning_rate = 1e-2 }
results = { sample_chains = 2, sample_steps = 9 }
)";

const char* const kTwoNumbers = R"(
seed = 1
data = { name = "identity" }
model = { kind = "regression", layers = ["dense 1 no_bias", "tanh", "dense 1 no_bias", "tanh"] }
train = { epochs = 300, batch = 2, dtype = "f64" }
optimizer = { learning_rate = 0.5 }
)";

const char* const kDenoising = R"(
seed = 4
data = { name = "strokes", train = 200, test = 60 }
model = { kind = "autoencoder", codes = 9, corruption = "masking", amount = 0.4 }
train = { epochs = 1, batch = 20 }
optimizer = { learning_rate = 0.1 }
)";

const char* const kPredicted = R"(
seed = 4
data = { name = "strokes", train = 200, test = 60 }
model = { kind = "psd", atoms = 9, lambda = 0.1, alpha = 1.0 }
train = { epochs = 1, batch = 20 }
optimizer = { learning_rate = 0.1 }
)";

class Plots : public test::ExperimentFolder {
 protected:
  RunResult run(const char* text, const std::vector<std::string>& settings = {}) const {
    return run_experiment(test::plan_of_text(text, settings), options("run.h5"));
  }
  void expect_refused(const char* text, const std::vector<std::string>& settings, const std::string& part) {
    try {
      run(text, settings);
      ADD_FAILURE() << "expected an error about " << part;
    } catch (const Error& error) {
      EXPECT_TRUE(contains(error.what(), part)) << error.what();
    }
    EXPECT_FALSE(fs::exists(file("run.h5"))) << "refused before anything is trained";
  }
};

/// A run, and its last stage as its file gives it back.
struct Restored {
  Plan plan;
  RestoredStage stage;
  Store results;

  Restored(const RunResult& result, const char* text, const std::vector<std::string>& settings = {})
      : plan(test::plan_of_text(text, settings)),
        stage(result.store, plan, "", test::device()),
        results(stage.results()) {}
  State first(Index count) { return first_samples(stage.view(), count); }
};

void expect_near(const Tensor& found, const Value& expected, double tolerance) {
  const std::vector<double> a = found.values(), b = expected.tensor().values();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << i;
}

TEST_F(Plots, AConvnetGivesThemAll) {
  const std::string all =
      "head.plots=[\"filters\", \"feature_maps\", \"confusion\", \"misclassified\", \"saliency\", "
      "\"class_images\", \"curves\"]";
  const RunResult result = run(kConvnet, {all});
  ASSERT_EQ(result.pictures.size(), 7u);
  for (const std::string& picture : result.pictures) EXPECT_GE(load_png(picture).width, 300) << picture;
  Restored restored(result, kConvnet);
  EXPECT_EQ(plots_of(restored.stage.stage()).size(), 10u);
  // Again from the file: the same picture, byte for byte.
  draw("class_images", {.path = file("again.png"), .title = "strokes"}, restored.stage.view(),
       restored.results);
  EXPECT_EQ(load_png(file("again.png")).pixels, load_png(file("run_head_class_images.png")).pixels);
}

TEST_F(Plots, RowsOfReconstructionsAreNamedForWhatTheyShow) {
  const auto rows_of = [&](const char* text) {
    fs::remove(file("run.h5"));
    Restored restored(run(text), text);
    const Stage& stage = restored.stage.stage();
    return need<Reconstructions>(stage, "test").rows(restored.first(3), stage.key);
  };
  const auto names = [](const std::vector<Reconstructions::Row>& rows) {
    std::vector<std::string> all;
    for (const Reconstructions::Row& row : rows) all.push_back(row.name);
    return all;
  };
  const std::vector<Reconstructions::Row> denoised = rows_of(kDenoising), predicted = rows_of(kPredicted);
  EXPECT_EQ(names(denoised), (std::vector<std::string>{"data", "corrupted", "codes"}));
  EXPECT_EQ(names(predicted), (std::vector<std::string>{"data", "codes", "encoder"}));
  // A corrupted pixel is the data's or 0, and some are lost.
  const std::vector<double> data = denoised[0].pictures.tensor().values(),
                            corrupted = denoised[1].pictures.tensor().values();
  std::size_t lost = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (corrupted[i] != data[i]) {
      ++lost;
      EXPECT_EQ(corrupted[i], 0.0) << i;
    }
  }
  EXPECT_GT(lost, 0u);
  // Codes at the minimum of the energy reconstruct better than those that the encoder predicts.
  const auto error = [&](const Value& made) {
    double sum = 0;
    const std::vector<double> x = predicted[0].pictures.tensor().values(), y = made.tensor().values();
    for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum;
  };
  EXPECT_LT(error(predicted[1].pictures), error(predicted[2].pictures));
}

TEST_F(Plots, FeatureMapsAreWhatConvolutionsMake) {
  Restored restored(run(kConvnet), kConvnet);
  const Stage& head = restored.stage.stage();
  const auto& layers = need<NetworkLayers>(head, "test");
  const Value x = restored.first(2)[head.inputs.at(0).variable];
  const std::vector<FeatureMaps> maps = feature_maps(layers, x);
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_EQ(maps[0].name, "layer 1: conv 3 5x5, relu");
  EXPECT_EQ(maps[1].name, "layer 4: conv 4 3x3, tanh");
  const std::vector<Parameter> parameters = layers.network->parameters();
  const Value by_hand = relu(conv2d(reshape(x, {2, 1, 28, 28}), parameters[0].value()) +
                             reshape(parameters[1].value(), {3, 1, 1}));
  expect_near(maps[0].maps, by_hand, 1e-5);
  EXPECT_EQ(maps[1].maps.shape(), (Shape{2, 4, 10, 10}));
}

TEST(FeatureMaps, GoThroughNormalisations) {
  const std::vector<std::string> texts{"local_contrast 3", "conv 3 3x3", "layer_norm",
                                       "local_contrast 5", "relu",       "pool max 2",
                                       "batch_norm",       "flatten",    "layer_norm"};
  const NetworkLayers layers{build_layers(read_layers(texts, {8, 8}), Key(1), test::f32()), texts};
  const Value x = normal(Key(3), {2, 8, 8}, test::f32());
  const std::vector<Value> outputs = layers.network->outputs(x);
  const std::vector<FeatureMaps> maps = feature_maps(layers, x);
  ASSERT_EQ(maps.size(), 3u);
  EXPECT_EQ(maps[0].name, "layer 1: local_contrast 3");
  expect_near(maps[0].maps, outputs[1], 0.0);  // above the one map that samples are made
  EXPECT_EQ(maps[1].name, "layer 2: conv 3 3x3, layer_norm, local_contrast 5, relu");
  expect_near(maps[1].maps, outputs[5], 0.0);
  EXPECT_EQ(maps[2].name, "layer 7: batch_norm");
  expect_near(maps[2].maps, outputs[7], 0.0);
}

TEST(Filters, AreTheFirstWeightsInTheShapeThatIsSeen) {
  const auto filters = [](const std::vector<std::string>& texts, const Shape& sample) {
    const NetworkLayers layers{build_layers(read_layers(texts, sample), Key(1), test::f32()), texts};
    return std::pair(first_filters(layers, sample), layers.network->parameters().at(0));
  };
  const auto [grey, w] = filters({"conv 4 3x2", "relu"}, {8, 8});
  EXPECT_EQ(grey.pixels, (Shape{1, 3, 2}));
  expect_near(grey.rows, w.value(), 0.0);
  const auto [colours, of_three] = filters({"relu", "conv 4 3x3"}, {3, 8, 8});
  EXPECT_EQ(colours.pixels, (Shape{3, 3, 3}));
  expect_near(colours.rows, of_three.value(), 0.0);
  for (const Index channels : {Index{2}, Index{4}}) {  // each a picture of its own
    const auto [each, of_many] = filters({"conv 4 3x3"}, {channels, 8, 8});
    EXPECT_EQ(each.pixels, (Shape{1, 3, 3}));
    EXPECT_EQ(each.rows.dim(0), 4 * channels);
    expect_near(each.rows, of_many.value(), 0.0);
    const auto [of_units, columns] = filters({"dense 6"}, {channels, 4, 5});
    EXPECT_EQ(of_units.pixels, (Shape{1, 4, 5}));
    expect_near(of_units.rows, transpose(columns.value(), {1, 0}), 0.0);
  }
  const auto [units, matrix] = filters({"dense 6"}, {4, 5});
  EXPECT_EQ(units.pixels, (Shape{4, 5}));
  expect_near(units.rows, transpose(matrix.value(), {1, 0}), 0.0);
  EXPECT_THROW(filters({"pool max 2", "dense 6"}, {4, 4}), Error) << "of no sample's shape";
  EXPECT_THROW(filters({"local 2 3x3"}, {4, 4}), Error);
  EXPECT_THROW(filters({"layer_norm", "pool max 2"}, {4, 4}), Error) << "no products";
  EXPECT_THROW(filters({"dense 6"}, {16}), Error) << "no pictures";
}

// What layers without products hold (scales of a normalisation, slopes) is no filter.
TEST(Filters, AreAskedOfTheFirstLayerWithProducts) {
  const auto filters = [](const std::vector<std::string>& texts, const Shape& sample) {
    const NetworkLayers layers{build_layers(read_layers(texts, sample), Key(1), test::f32()), texts};
    std::vector<Parameter> weights;
    for (const Parameter& parameter : layers.network->parameters()) {
      if (parameter.name().ends_with("weight")) weights.push_back(parameter);
    }
    return std::pair(first_filters(layers, sample), weights.front().value());
  };
  const auto [normalised, w] = filters({"layer_norm", "prelu 0.25 1", "conv 4 3x2"}, {8, 8});
  EXPECT_EQ(normalised.pixels, (Shape{1, 3, 2}));
  expect_near(normalised.rows, w, 0.0);
  const auto [dense, matrix] = filters({"layer_norm", "dense 6"}, {4, 5});
  EXPECT_EQ(dense.pixels, (Shape{4, 5}));
  expect_near(dense.rows, transpose(matrix, {1, 0}), 0.0);
  // Of a transposed convolution the outputs' weights, not the inputs'.
  const auto [left, of_one] = filters({"conv_transpose 5 3x3"}, {8, 8});
  EXPECT_EQ(left.pixels, (Shape{1, 3, 3}));
  EXPECT_EQ(left.rows.dim(0), 5);
  expect_near(left.rows, of_one, 0.0);
  const auto [colours, of_three] = filters({"conv_transpose 5 2x4"}, {3, 8, 8});
  EXPECT_EQ(colours.pixels, (Shape{3, 2, 4}));
  expect_near(colours.rows, transpose(of_three, {1, 0, 2, 3}), 0.0);
  // Of two groups the outputs 0 to 2 see the inputs 0 and 1, 3 to 5 the others; one channel a picture.
  const auto [grouped, parts] = filters({"conv_transpose 6 3x3 groups 2"}, {4, 8, 8});
  ASSERT_EQ(grouped.rows.dim(0), 12);
  for (const auto& [output, first_input] : {std::pair<Index, Index>{1, 0}, {4, 2}}) {
    const Value seen = slice(slice(parts, 0, first_input, first_input + 2), 1, output % 3, output % 3 + 1);
    expect_near(slice(Value(grouped.rows), 0, 2 * output, 2 * output + 2).tensor(), seen, 0.0);
  }
  const auto [along, strips] = filters({"conv1d 3 5"}, {7, 9});
  EXPECT_EQ(along.pixels, (Shape{7, 5}));
  expect_near(along.rows, strips, 0.0);
}

TEST_F(Plots, MistakesAreThoseOfTheStoredPredictionsMostConfidentFirst) {
  Restored restored(run(kConvnet), kConvnet);
  const std::vector<Mistake> wrong = mistakes(restored.stage.view(), restored.results);
  const auto predictions = restored.results.integers("/evaluation/test_predictions"),
             labels = restored.results.integers("/evaluation/test_labels");
  std::size_t expected = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) expected += labels[n] != predictions[n];
  ASSERT_EQ(wrong.size(), expected);
  ASSERT_GT(wrong.size(), 5u);
  const Stage& head = restored.stage.stage();
  const Value x = restored.first(60)[head.inputs.at(0).variable];
  const std::vector<double> scores = need<Classifier>(head, "test").scores->forward(x).tensor().values();
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    const auto n = static_cast<std::size_t>(wrong[i].sample);
    EXPECT_EQ(wrong[i].label, labels[n]);
    EXPECT_EQ(wrong[i].predicted, predictions[n]);
    EXPECT_NEAR(wrong[i].margin,
                scores[10 * n + static_cast<std::size_t>(predictions[n])] -
                    scores[10 * n + static_cast<std::size_t>(labels[n])],
                1e-5);
    EXPECT_GE(wrong[i].margin, 0.0);
    EXPECT_LE(wrong[i].margin, wrong[i == 0 ? 0 : i - 1].margin);
  }
}

TEST_F(Plots, SaliencyIsTheSlopeOfTheLabelsScore) {
  for (const char* text : {kConvnet, kSoftmax, kRows}) {
    Restored restored(run(text), text);
    const Stage& stage = restored.stage.stage();
    const State batch = restored.first(3);
    const Value x = Value::leaf(batch[stage.inputs.at(0).variable].tensor());
    // A recurrent classifier's scores are taken in parts, without history; its encoder gives the same.
    const Module& scores = text == kRows ? *stage.encoder : *need<Classifier>(stage, "test").scores;
    const Value f = scores.forward(x);
    const Value own = sum(f * batch[stage.inputs.at(1).variable]);
    expect_near(saliency(stage, batch), abs(grad(own, {x}).front()), 1e-6);
    fs::remove(file("run.h5"));
  }
  // Of a linear classifier the weights of the label, whatever the sample.
  Restored restored(run(kSoftmax), kSoftmax);
  const Stage& stage = restored.stage.stage();
  const State batch = restored.first(1);
  const Value w = stage.graph.parameter("head.weight").value();  // [784, 10]
  const Value of_label = matmul(w, transpose(batch[stage.inputs.at(1).variable], {1, 0}));
  expect_near(saliency(stage, batch), abs(reshape(of_label, {1, 28, 28})), 1e-7);
}

TEST_F(Plots, ClassImagesHaveTheLeastEnergy) {
  Restored restored(run(kSoftmax), kSoftmax);
  const Stage& stage = restored.stage.stage();
  const Value w = reshape(transpose(stage.graph.parameter("head.weight").value(), {1, 0}), {10, 28, 28});
  // E = -w.x + a/2 |x|^2: x = w / a, in the unit interval clipped.
  const Tensor free = class_images(stage, {.decay = 0.5, .roughness = 0.0, .in_unit_interval = false});
  expect_near(free, 2.0 * w, 1e-5);
  const Tensor clipped = class_images(stage, {.decay = 0.02, .roughness = 0.0});
  expect_near(clipped, minimum(maximum(50.0 * w, zeros_like(w)), ones_like(w)), 1e-5);
  // With r the slope -w + a x + r (differences to all neighbours) is 0 at the minimum.
  const Tensor smooth =
      class_images(stage, {.decay = 0.5, .roughness = 0.25, .steps = 200, .in_unit_interval = false});
  const std::vector<double> x = smooth.values(), weights = w.tensor().values();
  const auto at = [&](int i, int j) { return x[static_cast<std::size_t>(3 * 784 + 28 * i + j)]; };
  for (const auto& [i, j] : {std::pair(0, 0), std::pair(14, 9), std::pair(27, 5)}) {
    double differences = 0.0;
    for (const auto& [di, dj] : {std::pair(0, 1), std::pair(1, 0), std::pair(0, -1), std::pair(-1, 0)}) {
      if (i + di >= 0 && i + di < 28 && j + dj >= 0 && j + dj < 28)
        differences += at(i, j) - at(i + di, j + dj);
    }
    const double pull = weights[static_cast<std::size_t>(3 * 784 + 28 * i + j)];
    EXPECT_NEAR(0.5 * at(i, j) + 0.25 * differences, pull, 1e-5) << i << " " << j;
  }
}

TEST_F(Plots, FeaturesAreWhatUnitsLookFor) {
  const std::vector<std::string> dense = {"stages.net.model.layers=[\"dense 5\", \"sigmoid\"]"};
  const RunResult result = run(kConvnet, dense);
  const Plan plan = test::plan_of_text(kConvnet, dense);
  RestoredStage restored(result.store, plan, "", test::device());
  const Stage& stage = restored.stage();
  const Value w = reshape(transpose(stage.graph.parameters().front().value(), {1, 0}), {5, 784});
  const Value b = stage.graph.parameters().at(1).value();
  // -log sigmoid(w.x + b) + a/2 |x|^2 is least where a x = (1 - sigmoid(w.x + b)) w: along w.
  const double a = 0.5;
  const Tensor found =
      feature_images(stage, 3, true, {.decay = a, .roughness = 0.0, .in_unit_interval = false});
  ASSERT_EQ(found.dim(0), 3);
  const Value x = reshape(Value(found), {3, 784}), own = slice(w, 0, 0, 3);
  const Value input = reshape(sum(x * own, {1}), {3, 1}) + reshape(slice(b, 0, 0, 3), {3, 1});
  expect_near((a * x).tensor(), sigmoid(-input) * own, 1e-4);
  // Codes that are no probabilities: of g = sigmoid itself, a x = g (1 - g) w.
  const Tensor plain =
      feature_images(stage, 3, false, {.decay = a, .roughness = 0.0, .in_unit_interval = false});
  const Value y = reshape(Value(plain), {3, 784});
  const Value g = sigmoid(reshape(sum(y * own, {1}), {3, 1}) + reshape(slice(b, 0, 0, 3), {3, 1}));
  expect_near((a * y).tensor(), g * (1.0 - g) * own, 1e-4);
}

TEST_F(Plots, ARecurrentClassifierHasThemToo) {
  const RunResult result = run(kRows, {"results.plots=[\"confusion\", \"misclassified\", \"saliency\"]"});
  ASSERT_EQ(result.pictures.size(), 3u);
  for (const std::string& picture : result.pictures) EXPECT_GE(load_png(picture).width, 300) << picture;
}

// Frame after frame through carried states is what the whole sequence says of each frame, draw by draw.
TEST_F(Plots, MadeUpFramesFollowFromThoseBefore) {
  Restored restored(run(kFrames), kFrames);
  const Stage& stage = restored.stage.stage();
  const auto& how = need<SequencePredictions>(stage, "test");
  constexpr Index kSteps = 9;
  const Key key(7);
  const Tensor frames = made_up(stage, how, kSteps, key);
  EXPECT_EQ(frames.shape(), (Shape{kSteps, 4}));
  const Tensor x = frames.to(test::f64()).reshaped({1, kSteps, 4});
  const Tensor p = sigmoid(how.steps->scores(State().set(how.x, x))).tensor().to({Dtype::F64, Device::Cpu});
  EXPECT_EQ(frames.values(), bernoulli(key, p.reshaped({kSteps, 4})).values());
  EXPECT_EQ(frames.values(), made_up(stage, how, kSteps, key).values());
  EXPECT_NE(frames.values(), made_up(stage, how, kSteps, Key(8)).values());
}

TEST_F(Plots, RollsStandBelowTheData) {
  const RunResult result = run(kFrames, {"results.plots=[\"samples\"]"});
  ASSERT_EQ(result.pictures.size(), 1u);
  Restored restored(result, kFrames);
  const StageView view = restored.stage.view();
  const auto& how = need<SequencePredictions>(view.stage, "test");
  const std::vector<Roll> all = rolls(view, how);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].name, "data 1");
  EXPECT_EQ(all[3].name, "made up 2");
  EXPECT_EQ(all[1].frames.values(), slice(restored.first(2)[how.x], 0, 1, 2).tensor().values());
  EXPECT_EQ(all[3].frames.values(),
            made_up(view.stage, how, 9, view.stage.key.fold("samples").fold(1)).values());
}

TEST_F(Plots, TheLossSurfaceHasASaddleBetweenTwoValleys) {
  const RunResult result = run(kTwoNumbers, {"results.plots=[\"loss_surface\"]"});
  EXPECT_LT(test::number(result.store, "mse_test"), 1e-4);
  Restored restored(result, kTwoNumbers);
  const Stage& stage = restored.stage.stage();
  const std::vector<Parameter> trained = stage.graph.parameters();
  ASSERT_EQ(trained.size(), 2u);
  const double w1 = trained[0].tensor().item(), w2 = trained[1].tensor().item();
  EXPECT_NEAR(std::tanh(w2 * std::tanh(0.5 * w1)), 0.5, 1e-2);
  constexpr std::size_t kSide = 21;
  const Surface surface = loss_surface(stage, restored.first(2), 2.0, kSide);
  EXPECT_EQ(trained[0].tensor().item(), w1) << "put back";
  EXPECT_EQ(trained[1].tensor().item(), w2);
  const auto at = [&](std::size_t i, std::size_t j) { return surface.heights.at(j * kSide + i); };
  for (std::size_t j = 0; j < kSide; ++j) {
    for (std::size_t i = 0; i < kSide; ++i) {
      const double y = std::tanh(surface.at(j) * std::tanh(0.5 * surface.at(i)));
      EXPECT_NEAR(at(i, j), 0.5 * (0.5 - y) * (0.5 - y), 1e-9);
      EXPECT_NEAR(at(i, j), at(kSide - 1 - i, kSide - 1 - j), 1e-9) << "-w1, -w2";
    }
  }
  constexpr std::size_t kMiddle = 10;
  EXPECT_LT(at(kMiddle + 1, kMiddle + 1), at(kMiddle, kMiddle));
  EXPECT_GT(at(kMiddle + 1, kMiddle - 1), at(kMiddle, kMiddle));
}

TEST_F(Plots, WhatCannotBeDrawnIsRefusedBeforeTraining) {
  expect_refused(kConvnet, {"stages.net.model.layers=[\"dense 5\"]", "head.plots=[\"feature_maps\"]"},
                 "[feature_maps] expected a network with a convolution");
  expect_refused(kSoftmax, {"data.name=parity", "head.plots=[\"misclassified\"]"},
                 "[misclassified] expected pictures");
  expect_refused(kSoftmax, {"head.plots=[\"filters\"]"}, "expected some of confusion");
  // Of a stage that is not trained by itself.
  expect_refused(kConvnet, {"stages.net.results.plots=[\"filters\"]"},
                 "name those of its network (filters, feature_maps) in head.plots");
  expect_refused(kTwoNumbers,
                 {"model.layers=[\"dense 2 no_bias\", \"tanh\", \"dense 1 no_bias\"]",
                  "results.plots=[\"loss_surface\"]"},
                 "[loss_surface] expected a stage that trains two numbers, received one of 4");
  expect_refused(kFrames, {"data.name=copy_memory", "train.dtype=f32", "results.plots=[\"samples\"]"},
                 "results.text");
  expect_refused(kTwoNumbers, {"data.name=parabola"},
                 "[regression] expected a second column of real numbers");
  // Nor is it listed.
  Restored restored(run(kSoftmax, {"data.name=parity"}), kSoftmax, {"data.name=parity"});
  for (const Plot* plot : plots_of(restored.stage.stage())) {
    EXPECT_TRUE(plot->name == "confusion" || plot->name == "curves") << plot->name;
  }
}

}  // namespace
}  // namespace basin
