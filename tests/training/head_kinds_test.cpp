// Heads that are no softmax, and stages that find their numbers in the data: unrolled auto-encoders,
// Boltzmann machines of codes and labels, principal components, triangle codes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/experiment/stack.h"
#include "training/head_fixture.h"

namespace basin {
namespace {

using test::plan_of_text;

const std::string kDeep = R"(
seed = 4
data = { name = "strokes", train = 600, test = 100 }
head = { kind = "reconstruction" }
fine_tune = { epochs = 3, batch = 20, optimizer = { kind = "adam", learning_rate = 0.001 } }

[[stages]]
name = "first"
model = { kind = "rbm", hidden = 40 }
train = { epochs = 5, batch = 50 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }

[[stages]]
name = "second"
model = { kind = "rbm", hidden = 10, hidden_units = "gaussian" }
train = { epochs = 5, batch = 50 }
optimizer = { learning_rate = 0.005 }
evaluate = { log_likelihood = "none" }
)";

class HeadKinds : public test::HeadFolder {
 protected:
  static double head_number(const Store& store, const std::string& name) {
    return store.group("/stages/head").numbers("/evaluation/" + name).at(0);
  }
};

TEST_F(HeadKinds, UnrolledDecodersBeginAsThoseOfTheStagesAndLowerTheError) {
  const std::vector<std::string> still{"fine_tune.optimizer.learning_rate=1e-30", "fine_tune.epochs=1"};
  const Plan plan = plan_of_text(kDeep, still);
  const RunResult before = run(plan, "before.h5");
  // By hand: sigma of the second stage's and the first's weights, transposed, on its means.
  RestoredStage head(before.store, plan, "head", test::device());
  const Stage& stage = head.stage();
  const Dataset& data = head.view().data();
  const State batch = stage_source(stage, data.test).batch(std::vector<Index>{0, 1, 2}, Key(1));
  const Value x = flatten(batch[stage.inputs[0].variable]);
  const auto number = [&](const char* of, const char* name) {
    return Value(before.store.tensor(std::string("/stages/") + of + "/parameters/" + name).to(test::f32()));
  };
  const Value w1 = number("first", "v.h.weight"), w2 = number("second", "v.h.weight");
  const Value h1 = sigmoid(matmul(x, w1) + number("first", "h.bias"));
  const Value z = matmul(h1, w2) + number("second", "h.bias");
  const Value up = sigmoid(matmul(z, w2, {.transpose_b = true}) + number("second", "v.bias"));
  const Value wanted = sigmoid(matmul(up, w1, {.transpose_b = true}) + number("first", "v.bias"));
  const Value found = flatten(stage.decoder->forward(stage.encoder->forward(x)));
  EXPECT_LT(sum(abs(wanted - found)).item(), 1e-3);

  const RunResult after = run(
      plan_of_text(kDeep, {"fine_tune.optimizer.learning_rate=0.003", "fine_tune.epochs=10"}), "after.h5");
  EXPECT_LT(head_number(after.store, "reconstruction_error"),
            0.95 * head_number(before.store, "reconstruction_error"));
  // Weights of the way down are the head's own: those of the way up moved elsewhere.
  const Store parameters = after.store.group("/stages/head/parameters");
  EXPECT_TRUE(parameters.has("/first.v.h.weight"));
  EXPECT_TRUE(parameters.has("/head.first.v.h.weight"));
  EXPECT_NE(parameters.tensor("/first.v.h.weight").values(),
            parameters.tensor("/head.first.v.h.weight").values());
}

TEST_F(HeadKinds, CrossEntropyIsTakenOfLogitsAndRatesNameStages) {
  const Plan plan = plan_of_text(
      kDeep, {"head.loss=cross_entropy", "fine_tune.optimizer.rates={first = 0.0}", "fine_tune.epochs=2"});
  const RunResult result = run(plan, "a.h5");
  EXPECT_EQ(result.store.tensor("/stages/head/parameters/first.v.h.weight").values(),
            result.store.tensor("/stages/first/parameters/v.h.weight").values());
  EXPECT_LT(head_number(result.store, "relative_error"), 1.0);
}

TEST_F(HeadKinds, AnUnrolledAutoencoderStoppedAndResumedEndsAsTheUnbrokenOne) {
  const Plan plan = plan_of_text(kDeep);
  const RunResult whole = run(plan, "whole.h5");
  Index steps = 0;
  (void)run(plan, "broken.h5", [&](const FitReport&) { return ++steps < 140; });  // in the head
  const RunResult resumed = run(plan, "broken.h5", {}, true);
  ASSERT_TRUE(resumed.complete);
  for (const char* name : {"first.v.h.weight", "head.second.v.h.weight"}) {
    const std::string path = std::string("/stages/head/parameters/") + name;
    EXPECT_EQ(whole.store.tensor(path).values(), resumed.store.tensor(path).values());
  }
}

TEST_F(HeadKinds, StagesThatDoNotDecodeAreRefusedByName) {
  const std::string text = R"(
data = { name = "strokes", train = 100, test = 50 }
head = { kind = "reconstruction" }
fine_tune = { epochs = 1, batch = 20, optimizer = { learning_rate = 0.1 } }
[[stages]]
name = "only"
model = { kind = "abs" }
)";
  try {
    (void)run(plan_of_text(text), "a.h5");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("stages with a decoder, received only (abs)"), std::string::npos)
        << error.what();
  }
}

const std::string kLabels = R"(
seed = 1
data = { name = "strokes", train = 1000, test = 400 }
head = { kind = "label_rbm", hidden = 100, objective = "generative" }
fine_tune = { epochs = 15, batch = 50, optimizer = { kind = "adam", learning_rate = 0.01 } }
)";

TEST_F(HeadKinds, ALabelRbmLearnsByEitherLikelihoodAndByBoth) {
  double errors[3];
  const char* objectives[] = {"generative", "discriminative", "hybrid"};
  for (int i = 0; i < 3; ++i) {
    const RunResult result =
        run(plan_of_text(kLabels, {std::string("head.objective=") + objectives[i]}), "a.h5");
    errors[i] = head_number(result.store, "test_error");
    EXPECT_LT(errors[i], 0.35) << objectives[i];  // chance: 0.9
  }
  EXPECT_NE(errors[0], errors[1]);
}

TEST_F(HeadKinds, OnStagesALabelRbmLearnsFromTheirCodesAndIsRestored) {
  const std::string stages = R"(
protocol = "layerwise_frozen"
[[stages]]
name = "first"
model = { kind = "rbm", hidden = 60 }
train = { epochs = 10, batch = 50 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }
)";
  const std::string tables =
      "head = { kind = \"label_rbm\", hidden = 60 }\n"
      "fine_tune = { epochs = 40, batch = 50, optimizer = { kind = \"adam\", learning_rate = 0.01 } }\n"
      "data = { name = \"strokes\", train = 1000, test = 400 }\n";
  const Plan plan = plan_of_text(tables + stages);
  const RunResult result = run(plan, "a.h5");
  EXPECT_EQ(result.store.shape("/stages/head/parameters/v.h.weight"), (Shape{60, 60}));
  EXPECT_LT(head_number(result.store, "test_error"), 0.4);
  EXPECT_EQ(test::evaluated(result.store, plan).numbers("/evaluation/test_error").at(0),
            head_number(result.store, "test_error"));
  EXPECT_THROW((void)plan_of_text(tables + stages, {"protocol=layerwise_fine_tune"}), Error);
}

TEST_F(HeadKinds, PrincipalComponentsAreThoseOfAKnownCovariance) {
  // 0.5 and 1.5 times two orthogonal directions of four numbers, and a little noise.
  StageTables tables{.config = Config::parse("model = { kind = \"pca\", dimensions = 2 }", "pca.toml")};
  const Stage stage = read_stage(find_kind("pca"), tables)(
      {.name = "first", .key = Key(3), .sample_shape = {4}, .placement = test::f32()});
  const std::vector<double> a = normal(Key(1), {500, 2}, {Dtype::F64, Device::Cpu}).values();
  std::vector<double> x;
  for (std::size_t n = 0; n < 500; ++n) {
    const double small = 0.5 * a[2 * n], large = 1.5 * a[2 * n + 1];
    x.insert(x.end(),
             {1.0 + (small + large) / 2, (small - large) / 2, (small + large) / 2, (small - large) / 2});
  }
  const Tensor samples = Tensor::from(x, {500, 4}).to(test::f32());
  stage.start(source(stage.inputs[0].variable, samples, test::f32()), {});
  const Value codes = stage.encoder->forward(samples);
  const std::vector<double> z = codes.tensor().values();
  const std::vector<double> back = stage.decoder->forward(codes).tensor().values();
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(back[i], x[i], 1e-4);  // two directions hold all of it
  double first = 0.0, second = 0.0, both = 0.0;
  for (std::size_t n = 0; n < 500; ++n) {
    first += z[2 * n] * z[2 * n] / 500;
    second += z[2 * n + 1] * z[2 * n + 1] / 500;
    both += z[2 * n] * z[2 * n + 1] / 500;
  }
  EXPECT_NEAR(first, 2.25, 0.3);
  EXPECT_NEAR(second, 0.25, 0.04);
  EXPECT_NEAR(both, 0.0, 1e-3);
}

TEST_F(HeadKinds, TriangleCodesAreTheMeanDistanceLessEachOne) {
  StageTables tables{
      .config = Config::parse("model = { kind = \"kmeans\", clusters = 3, codes = \"triangle\" }", "k.toml")};
  const Stage stage = read_stage(find_kind("kmeans"), tables)(
      {.name = "first", .key = Key(3), .sample_shape = {2}, .placement = test::f32()});
  stage.graph.parameters().at(0).tensor().copy_from(
      Tensor::from(std::vector<double>{0, 0, 3, 4, 0, 8}, {3, 2}).to(test::f32()));
  const Value x = Tensor::from(std::vector<double>{0, 0, 3, 4}, {2, 2}).to(test::f32());
  const std::vector<double> found = stage.encoder->forward(x).tensor().values();
  // Distances 0, 5, 8, whose mean is 13/3; 5, 0, 5, whose mean is 10/3.
  const std::vector<double> wanted{13.0 / 3, 0, 0, 0, 10.0 / 3, 0};
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(found[i], wanted[i], 1e-5);
}

}  // namespace
}  // namespace basin
