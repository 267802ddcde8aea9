// What a stage is: encoders and decoders by default, facets, registries, stages without anything to train.
#include "training/stage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/experiment_fixture.h"
#include "training/latent_encoders.h"
#include "training/measures/measure.h"
#include "training/plots/plot.h"

namespace basin {
namespace {

Stage stage_of_kind(const std::string& model, Shape shape, const std::string& more = "") {
  StageTables tables{.config = Config::parse("model = " + model + "\n" + more, "stage.toml")};
  const Kind& kind = find_kind(tables.config.table("model").text("kind"));
  return read_stage(kind, tables)(
      {.name = "first", .key = Key(3), .sample_shape = std::move(shape), .placement = test::f32()});
}

Value samples(Index count, Index size) { return normal(Key(9), {count, size}, test::f32()); }

void expect_near(const Value& found, const Value& wanted, double tolerance) {
  const std::vector<double> a = found.tensor().values(), b = wanted.tensor().values();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << i;
}

TEST(Stage, AnRbmEncodesByTheMeanOfItsHiddenUnitsAndSharesItsParameters) {
  const Stage stage = stage_of_kind(R"({ kind = "rbm", hidden = 4, weight_scale = 1.0 })", {6});
  ASSERT_NE(stage.encoder, nullptr);
  const Value v = samples(5, 6), w = stage.graph.parameter("v.h.weight").value(),
              c = stage.graph.parameter("h.bias").value();
  expect_near(stage.encoder->forward(v), sigmoid(matmul(v, w) + c), 1e-6);
  std::set<std::string> names;
  for (const Parameter& parameter : stage.encoder->parameters()) names.insert(parameter.name());
  EXPECT_EQ(names, (std::set<std::string>{"h.bias", "v.h.weight"}));
  // One set of numbers: what training moves, the encoder and a copy of the stage see.
  const Stage copy = stage;
  const Tensor before = copy.encoder->forward(v).tensor().clone();
  w.tensor().copy_from((w * 2.0).tensor());
  expect_near(copy.encoder->forward(v), sigmoid(matmul(v, w) + c), 1e-6);
  EXPECT_NE(before.values(), copy.encoder->forward(v).tensor().values());
  // The other way round, the decoder.
  const Value h = sigmoid(samples(5, 4)), b = stage.graph.parameter("v.bias").value();
  expect_near(stage.decoder->forward(h), sigmoid(matmul(h, w, {.transpose_b = true}) + b), 1e-6);
}

TEST(Stage, LatentsThatInteractAreEncodedByMeanField) {
  FactorGraph dbm;
  const Variable v = dbm.binary("v", {5}), h1 = dbm.binary("h1", {4}), h2 = dbm.binary("h2", {3});
  dbm.add(Bias(h1))
      .add(Bias(h2))
      .add(Bilinear(v, h1, Key(1), {.scale = 0.5}))
      .add(Bilinear(h1, h2, Key(2), {.scale = 0.5}));
  dbm.to(test::f64());
  const Value x = Value(bernoulli(Key(3), Tensor::full({6, 5}, 0.5, test::f64())));
  const Value code = latent_encoder(dbm, v, {h1, h2})->forward(x);
  // A fixed point: each layer is the mean that its neighbours give.
  const Value w1 = dbm.parameter("v.h1.weight").value(), w2 = dbm.parameter("h1.h2.weight").value();
  Value m2 = code;
  for (int i = 0; i < 3; ++i) {
    m2 = sigmoid(matmul(sigmoid(matmul(x, w1) + matmul(m2, w2, {.transpose_b = true})), w2));
  }
  expect_near(code, m2, 1e-4);
}

TEST(Stage, ADictionaryWithoutEncoderEncodesByTheMinimum) {
  const Stage stage = stage_of_kind(R"({ kind = "sparse_coding", atoms = 8, lambda = 0.2 })", {6});
  const Value y = samples(4, 6), z = stage.encoder->forward(y);
  EXPECT_TRUE(stage.encoder->parameters().empty());
  // No step along any axis lowers the energy at z.
  const auto energy = [&](const Value& code) {
    return stage.graph.energy(State().set(stage.inputs[0].variable, y).set(stage.latents[0], code))
        .tensor()
        .values();
  };
  const std::vector<double> lowest = energy(z);
  for (Index k = 0; k < 8; ++k) {
    for (const double step : {-0.1, 0.1}) {
      std::vector<double> axis(8, 0.0);
      axis[static_cast<std::size_t>(k)] = step;
      const std::vector<double> moved = energy(z + Value(Tensor::from(axis, {1, 8}).to(test::f32())));
      for (std::size_t n = 0; n < lowest.size(); ++n) EXPECT_GT(moved[n], lowest[n]);
    }
  }
}

TEST(Stage, FixedStagesTransformSamples) {
  const Value x = samples(50, 6);
  const Stage magnitude = stage_of_kind(R"({ kind = "abs" })", {6});
  EXPECT_EQ(magnitude.objective, nullptr);
  expect_near(magnitude.encoder->forward(x), abs(x), 0.0);

  const Stage scale = stage_of_kind(R"({ kind = "scale" })", {6});
  scale.start(source(scale.inputs[0].variable, (x * 3.0).tensor(), test::f32()), {});
  EXPECT_NEAR(mean(square(scale.encoder->forward(x * 3.0))).item(), 1.0, 1e-5);
  ASSERT_EQ(stored_parameters(scale).size(), 1u);
  EXPECT_NEAR(scale.pictures({.pixels = {}, .scale = 2.0}).scale,
              2.0 * stored_parameters(scale)[0].value().item(), 1e-6);
  EXPECT_THROW(scale.start(source(scale.inputs[0].variable, (x * 0.0).tensor(), test::f32()), {}), Error);

  const Stage contrast = stage_of_kind(R"({ kind = "contrast", floor = 0.01 })", {6});
  const Value y = contrast.encoder->forward(x * 5.0 + 7.0);
  expect_near(mean(y, {1}), Value(Tensor::zeros({50}, test::f32())), 1e-5);
  expect_near(mean(square(y), {1}), Value(Tensor::full({50}, 1.0, test::f32())), 1e-3);
  // Below the floor noise is not blown up.
  EXPECT_LT(max(abs(reshape(contrast.encoder->forward(x * 1e-4), {300})), 0).item(), 0.1);
}

TEST(Stage, EveryMeasureAndPlotIsKnownOnceAndRefusesStagesThatLackWhatItNeeds) {
  const Stage bare = stage_of_kind(R"({ kind = "abs" })", {6});
  const Carry carry;
  const StageView view{.stage = bare, .data = {}, .preprocessing = {}, .carry = carry};
  std::set<std::string> names;
  Store store;
  for (const Measure& measure : measures()) {
    EXPECT_TRUE(names.insert(measure.name).second) << measure.name;
    try {
      measure.evaluate != nullptr ? static_cast<void>(measure.evaluate(view, store))
                                  : static_cast<void>(measure.monitor(view)());
      FAIL() << measure.name;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("received an abs, which has none"), std::string::npos)
          << error.what();
    }
  }
  Stage mistaken = bare;  // measures that are no monitors, and the other way round
  mistaken.measures = {"hidden_units"};
  EXPECT_THROW(evaluate_measures({.stage = mistaken, .data = {}, .preprocessing = {}, .carry = carry}, store),
               Error);
  for (const Plot& plot : plots()) EXPECT_TRUE(names.insert("plot " + plot.name).second) << plot.name;
  try {
    draw("basis", {.path = "none.png"}, view, store);
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("expected one of map, neighbours, curves"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(find_kind("no such kind"), Error);
}

TEST(Stage, MetricsSayTheirUnitsByDefinition) {
  EXPECT_EQ(find_metric("pseudo_likelihood_test").unit, "nats");
  EXPECT_EQ(find_metric("pseudo_likelihood_test").better, Better::Up);
  EXPECT_EQ(find_metric("error_of_pseudo_likelihood_validation").unit, "nats");
  EXPECT_EQ(find_metric("bits_of_pseudo_likelihood_test").unit, "bits a sample");
  EXPECT_EQ(find_metric("nmse_test_16").unit, "dB");
  EXPECT_EQ(find_metric("reconstruction_error").better, Better::Down);
  EXPECT_EQ(find_metric("loss_of_something_new").unit,
            "1");  // no name is taken for another that begins like it
}

TEST(Stage, LossesAreInNatsWhereTheyAreLikelihoodsAlone) {
  const auto unit = [](const std::string& model) { return stage_of_kind(model, {9}).objective->unit(); };
  EXPECT_EQ(unit(R"({ kind = "rbm", hidden = 4 })"), "nats");
  for (const char* other :
       {R"({ kind = "sparse_coding", atoms = 8, lambda = 0.2 })",
        R"({ kind = "psd", atoms = 8, lambda = 0.2 })", R"({ kind = "kmeans", clusters = 3 })",
        R"({ kind = "autoencoder", codes = 4, reconstruction = "linear" })"})
    EXPECT_EQ(unit(other), "energy") << other;
}

TEST(Stage, AnOlderNameOfCoherenceIsRead) {
  for (const char* key : {"likeness", "coherence"}) {
    const Stage stage = stage_of_kind(R"({ kind = "psd", atoms = 8, lambda = 0.2 })", {3, 3},
                                      std::string("evaluate = { ") + key + " = true }");
    EXPECT_EQ(stage.measures, (std::vector<std::string>{"codes", "coherence"})) << key;
  }
}

}  // namespace
}  // namespace basin
