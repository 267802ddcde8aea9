// Experiments of unrolled networks and of auto-encoders.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "results/compare.h"
#include "tensor/error.h"
#include "training/experiment/stack.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

namespace fs = std::filesystem;

const char* const kLista = R"(
seed = 4
data = { name = "sparse_signals", size = 20, train = 320, test = 100 }
model = { kind = "lista", steps = 4, coupled = true, select = 0.05 }
train = { epochs = 6, batch = 16 }
optimizer = { kind = "adam", learning_rate = 5e-3 }
)";

const char* const kLcod = R"(
seed = 4
data = { name = "sparse_signals", size = 20, train = 320, test = 100 }
model = { kind = "lcod", steps = 8, coupled = true, last_shrink = "unmoved" }
train = { epochs = 20, batch = 16 }
optimizer = { kind = "adam", learning_rate = 3e-3, schedule = "geometric", final_learning_rate = 1e-4 }
)";

const char* const kAutoencoder = R"(
seed = 4
data = { name = "strokes", train = 400, test = 100 }
model = { kind = "autoencoder", codes = 20 }
train = { epochs = 4, batch = 20 }
optimizer = { kind = "adam", learning_rate = 5e-3 }
)";

const char* const kConvnet = R"(
seed = 4
protocol = "supervised"
data = { name = "strokes", train = 200, test = 40 }
head = { kind = "softmax" }
fine_tune = { epochs = 1, batch = 20, optimizer = { kind = "adam", learning_rate = 5e-3 } }

[[stages]]
name = "net"
model = { kind = "network", layers = ["conv 2 3x3", "relu", "conv 3 3x3", "relu", "pool max 2"] }
)";

class NetworkKinds : public test::ExperimentFolder {
 protected:
  static Plan plan(const char* text, const std::vector<std::string>& settings = {}) {
    return test::plan_of_text(text, settings);
  }
  RunResult run(const char* text, const std::string& name,
                const std::vector<std::string>& settings = {}) const {
    return run_experiment(plan(text, settings), options(name));
  }
};

TEST_F(NetworkKinds, AListaOfFourLayersBeatsTheBestInference) {
  const RunResult result = run(kLista, "lista.h5", {"results.plots=[\"nmse\", \"curves\"]"});
  ASSERT_TRUE(result.complete);
  EXPECT_EQ(test::only(result.store).integers("/evaluation/depth"), (std::vector<std::int64_t>{1, 2, 4}));
  const auto nmse = [&](const char* method) {
    return test::only(result.store).numbers(std::string("/evaluation/nmse/") + method);
  };
  for (std::size_t depth = 0; depth < 3; ++depth) {
    EXPECT_LT(nmse("lista")[depth], nmse("ista")[depth] - 0.3);
    EXPECT_LE(nmse("fista")[depth], nmse("ista")[depth] + 0.1);
  }
  for (const char* part : {"NMSE in dB", "lista", "fista"})
    EXPECT_NE(result.report.find(part), std::string::npos);
  for (const std::string& picture : result.pictures) EXPECT_GT(fs::file_size(picture), 1000u);
  EXPECT_EQ(result.pictures.size(), 2u);
}

TEST_F(NetworkKinds, EveryObjectiveAndSharingOfListaLearns) {
  for (const std::vector<std::string>& settings : {std::vector<std::string>{"model.sharing=untied"},
                                                   {"model.coupled=false"},
                                                   {"model.coupled=false", "model.inhibition=0.5"},
                                                   {"model.threshold_per_unit=true"},
                                                   {"train.error=total"},
                                                   {"train.objective=minimum"},
                                                   {"train.objective=energy"}}) {
    const RunResult result = run(kLista, settings.back() + ".h5", settings);
    const std::vector<double> loss = test::only(result.store).numbers("/metrics/epoch/loss");
    EXPECT_LT(loss.back(), loss.front()) << settings.back();
    fs::remove(result.file);
  }
}

TEST_F(NetworkKinds, AnLcodBeatsCoordinateDescent) {
  const RunResult result = run(kLcod, "lcod.h5");
  const std::vector<double> net = test::only(result.store).numbers("/evaluation/nmse/lcod");
  const std::vector<double> plain = test::only(result.store).numbers("/evaluation/nmse/coordinate_descent");
  ASSERT_EQ(net.size(), 4u);
  for (std::size_t depth = 0; depth < 4; ++depth) EXPECT_LT(net[depth], plain[depth]);
}

TEST_F(NetworkKinds, EveryObjectiveAndFormOfLcodLearns) {
  for (const std::vector<std::string>& settings : {std::vector<std::string>{"model.sharing=untied"},
                                                   {"model.coupled=false"},
                                                   {"model.coupled=false", "model.sharing=untied"},
                                                   {"model.last_shrink=all"},
                                                   {"model.last_shrink=off"},
                                                   {"model.threshold_per_unit=true"},
                                                   {"train.error=each"},
                                                   {"train.objective=minimum"},
                                                   {"train.objective=energy"}}) {
    std::vector<std::string> all = settings;
    all.insert(all.end(), {"model.steps=4", "train.epochs=3"});
    const RunResult result = run(kLcod, settings.back() + ".h5", all);
    const std::vector<double> loss = test::only(result.store).numbers("/metrics/epoch/loss");
    EXPECT_LT(loss.back(), loss.front()) << settings.back();
    fs::remove(result.file);
  }
}

/// Trained on the lasso's codes, a network is compared with them, and so is inference with the lasso's own
/// lambda.
TEST_F(NetworkKinds, ErrorsAreAgainstTheLassosCodesWhereThoseAreLearned) {
  for (const char* text : {kLista, kLcod}) {
    std::vector<std::string> settings{"train.objective=minimum", "train.epochs=12"};
    if (text == kLcod)
      settings.emplace_back("model.last_shrink=all");  // the lasso's codes are shrunk, all of them
    const RunResult result = run(text, "minimum.h5", settings);
    const std::string name = text == kLista ? "lista" : "lcod",
                      plain = text == kLista ? "fista" : "coordinate_descent";
    const std::vector<double> net = test::only(result.store).numbers("/evaluation/nmse/" + name);
    const std::vector<double> inference = test::only(result.store).numbers("/evaluation/nmse/" + plain);
    for (std::size_t depth = 0; depth < net.size(); ++depth)
      EXPECT_LT(net[depth], inference[depth]) << name << ", " << depth;
    fs::remove(result.file);
  }
}

TEST_F(NetworkKinds, StoppedAndResumedEqualsUnbroken) {
  for (const char* text : {kLista, kLcod, kAutoencoder}) {
    const std::vector<std::string> settings =
        text == kAutoencoder ? std::vector<std::string>{"model.corruption=masking", "model.amount=0.3"}
                             : std::vector<std::string>{};
    const RunResult unbroken = run(text, "unbroken.h5", settings);
    RunOptions again = options("stopped.h5");
    RunHooks hooks;
    for (const Index stop : {3, 25}) {
      hooks.step = [stop](const FitReport& report) { return report.step < stop; };
      EXPECT_FALSE(run_experiment(plan(text, settings), again, hooks).complete);
      again.resume = true;
    }
    const RunResult resumed = run_experiment(plan(text, settings), again);
    EXPECT_TRUE(resumed.complete);
    EXPECT_EQ(differences(unbroken.store, resumed.store), std::vector<std::string>{});
    fs::remove(unbroken.file);
    fs::remove(resumed.file);
  }
}

TEST_F(NetworkKinds, AutoencodersOfEveryKindLearnToReconstruct) {
  for (const std::vector<std::string>& settings : {std::vector<std::string>{"model.tied=false"},
                                                   {"model.reconstruction=linear", "model.units=relu"},
                                                   {"model.corruption=salt_and_pepper", "model.amount=0.1"},
                                                   {"model.contractive=0.1", "model.units=tanh"}}) {
    const RunResult result = run(kAutoencoder, settings.back() + ".h5", settings);
    const std::vector<double> error =
        test::only(result.store).numbers("/metrics/epoch/reconstruction_error_test");
    EXPECT_LT(error.back(), 0.95 * error.front()) << settings.front();
    EXPECT_LT(test::only(result.store).numbers("/evaluation/relative_error")[0], 0.9);
    fs::remove(result.file);
  }
}

TEST_F(NetworkKinds, AContractivePenaltyLowersTheJacobian) {
  const RunResult plain = run(kAutoencoder, "plain.h5");
  const RunResult penalised =
      run(kAutoencoder, "penalised.h5",
          {"model.contractive=10.0",
           "results.plots=[\"encoder\", \"decoder\", \"reconstructions\", \"curves\"]"});
  const auto jacobian = [](const RunResult& result) {
    return test::only(result.store).numbers("/evaluation/jacobian")[0];
  };
  EXPECT_LT(jacobian(penalised), 0.8 * jacobian(plain));
  EXPECT_EQ(test::only(penalised.store).texts("/rules"), std::vector<std::string>{"contraction"});
  EXPECT_EQ(penalised.pictures.size(), 4u);
  for (const std::string& picture : penalised.pictures) EXPECT_GT(fs::file_size(picture), 500u);
}

TEST_F(NetworkKinds, AListaWithoutTestSignalsIsMeasuredByOthers) {
  const RunResult result =
      run(kLista, "validated.h5", {"data.validation=50", "data.test_use=never", "train.epochs=1"});
  const Store stage = test::only(result.store);
  EXPECT_TRUE(stage.has("/metrics/epoch/nmse_validation_4"));
  EXPECT_FALSE(stage.has("/metrics/epoch/nmse_test_4"));
  EXPECT_EQ(stage.numbers("/evaluation/nmse/lista").size(), 3u);
}

TEST_F(NetworkKinds, LayersAreFusedUnlessSwitchedOff) {
  const RunResult fused = run(kConvnet, "fused.h5");
  const RunResult derived = run(kConvnet, "derived.h5", {"stages.net.train.fuse=off"});
  const Store with = fused.store.group("/stages/head"), without = derived.store.group("/stages/head");
  EXPECT_EQ(with.texts("/rules"), std::vector<std::string>{"layers"});
  EXPECT_EQ(without.texts("/rules"), std::vector<std::string>{});
  EXPECT_NEAR(with.numbers("/metrics/epoch/loss")[0], without.numbers("/metrics/epoch/loss")[0], 1e-4);
}

TEST_F(NetworkKinds, AnArchitectureIsItsListOfLayers) {
  const std::vector<std::string>
      lenet5 = {"stages.net.model={ kind = \"network\", architecture = \"lenet5\" }"},
      mlp =
          {"stages.net.model={ kind = \"network\", architecture = \"mlp\", widths = "
           "[12, 7], activation = \"tanh\", dropout = 0.25 }"},
      same = {
          "stages.net.model.layers=[\"dense 12\", \"tanh\", \"dropout 0.25\", "
          "\"dense 7\", \"tanh\", \"dropout 0.25\"]"};
  const auto shapes = [&](const std::vector<std::string>& settings) {
    std::vector<Shape> all;
    const std::vector<Stage> stages = make_stages(plan(kConvnet, settings), {28, 28}, test::device());
    for (const Parameter& parameter : stages[0].encoder->parameters())
      all.push_back(parameter.tensor().shape());
    return all;
  };
  EXPECT_EQ(
      shapes(lenet5),
      (std::vector<Shape>{{6, 1, 5, 5}, {6}, {16, 6, 5, 5}, {16}, {120, 16, 5, 5}, {120}, {120, 84}, {84}}));
  EXPECT_EQ(shapes(mlp), shapes(same));
  const Store a = run(kConvnet, "a.h5", mlp).store, b = run(kConvnet, "b.h5", same).store;
  for (const std::string& path : a.list("/stages/head/parameters"))
    EXPECT_EQ(a.tensor(path).values(), b.tensor(path).values()) << path;
}

TEST_F(NetworkKinds, LayersOrAnArchitecture) {
  const auto error = [&](const std::string& model, const Shape& sample = {28, 28}) -> std::string {
    try {
      (void)make_stages(plan(kConvnet, {"stages.net.model={ kind = \"network\"" + model + " }"}), sample,
                        test::device());
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto expect = [&](const std::string& said, const std::vector<std::string>& parts) {
    for (const std::string& part : parts)
      EXPECT_NE(said.find(part), std::string::npos) << part << ": " << said;
  };
  expect(error(""), {"either layers or an architecture", "neither"});
  expect(error(", architecture = \"lenet5\", layers = [\"dense 3\"]"),
         {"either layers or an architecture", "both"});
  expect(error(", architecture = \"lenet\""), {"did you mean 'lenet5'"});
  for (const char* name : {"alexnet", "zf"})
    expect(error(std::string(", architecture = \"") + name + "\""),
           {"[3, 224, 224] for the architecture " + std::string(name), "received [28, 28]"});
  expect(error(", architecture = \"lenet5\"", {3, 32, 32}),
         {"[28, 28] for the architecture lenet5", "received [3, 32, 32]"});
  EXPECT_EQ(error(", architecture = \"lenet5\"", {1, 28, 28}), "");
  expect(error(", architecture = \"mlp\""), {"'widths'"});
  expect(error(", architecture = \"mlp\", widths = []"), {"at least one layer"});
  expect(error(", architecture = \"mlp\", widths = [2.5]"), {"received 2.5"});
  expect(error(", architecture = \"mlp\", widths = [3], activation = \"rleu\""), {"did you mean 'relu'"});
  expect(error(", architecture = \"lenet5\", widths = [3]"), {"unknown key 'widths'"});
}

TEST_F(NetworkKinds, AStageIsOfTheDtypeThatItSays) {
  const Store narrow = run(kConvnet, "narrow.h5").store,
              wide = run(kConvnet, "wide.h5", {"stages.net.train.dtype=f64"}).store;
  for (const std::string& path : narrow.list("/stages/head/parameters")) {
    EXPECT_EQ(narrow.tensor(path).dtype(), Dtype::F32) << path;
    EXPECT_EQ(wide.tensor(path).dtype(), Dtype::F64) << path;
  }
  EXPECT_NEAR(narrow.numbers("/stages/head/metrics/epoch/loss")[0],
              wide.numbers("/stages/head/metrics/epoch/loss")[0], 1e-4);
  EXPECT_EQ(plan(kConvnet).resolved.find("dtype"), std::string::npos)
      << "no part of an experiment that says nothing of it";
  // Between others: what has no numbers of its own says what the head above it is made of.
  const char* const above =
      "stages=[{ name = \"net\", model = { kind = \"network\", layers = [\"dense 4\"] }, train = { dtype = "
      "\"f64\" } }, "
      "{ name = \"abs\", model = { kind = \"abs\" }";
  EXPECT_THROW(run(kConvnet, "x.h5", {std::string(above) + " }]"}), Error);
  EXPECT_TRUE(run(kConvnet, "y.h5", {std::string(above) + ", train = { dtype = \"f64\" } }]"}).complete);
}

TEST_F(NetworkKinds, Errors) {
  EXPECT_THROW(run(kLista, "x.h5", {"data.name=strokes", "data.size=0"}), Error);
  EXPECT_THROW(run(kLista, "x.h5", {"model.inhibition=0.5"}), Error) << "coupled weights have no matrix S";
  EXPECT_THROW(run(kAutoencoder, "x.h5", {"model.corruption=masking"}), Error) << "an amount is missing";
  EXPECT_THROW(run(kAutoencoder, "x.h5", {"data.name=leaves"}), Error)
      << "cross-entropy of numbers that are no probabilities";
}

}  // namespace
}  // namespace basin
