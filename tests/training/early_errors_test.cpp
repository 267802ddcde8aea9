// What an experiment file says wrongly is found before anything is trained.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "autograd/ops.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/experiment/encode.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

const std::string kClassifier = R"(
seed = 4
head = { kind = "softmax" }
data = { name = "strokes", train = 120, test = 20 }
fine_tune = { epochs = 1, batch = 20, optimizer = { learning_rate = 0.03 } }

[[stages]]
name = "first"
model = { kind = "rbm", hidden = 12 }
train = { epochs = 1, batch = 50 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }

[[stages]]
name = "second"
model = { kind = "autoencoder", codes = 8 }
train = { epochs = 1, batch = 50 }
optimizer = { learning_rate = 0.01 }
)";

class EarlyErrors : public test::ExperimentFolder {
 protected:
  EarlyErrors() { replace_ = true; }

  /// The error of a run, "" where there is none; steps_ are those made before it.
  std::string error_with(const std::vector<std::string>& settings) {
    steps_ = 0;
    said_.clear();
    try {
      const Plan plan = test::plan_of_text(kClassifier, settings);
      run_experiment(plan, options("run.h5"),
                     {.step = [this](const FitReport&) { return ++steps_, true; },
                      .say = [this](const std::string& line) { said_ += line + "\n"; }});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  void expect_refused(const std::vector<std::string>& settings, const std::vector<std::string>& parts) {
    const std::string error = error_with(settings);
    EXPECT_EQ(steps_, 0) << error;
    for (const std::string& part : parts)
      EXPECT_NE(error.find(part), std::string::npos) << part << ": " << error;
    EXPECT_FALSE(std::filesystem::exists(file("run.h5")));
  }

  Index steps_ = 0;
  std::string said_;
};

TEST_F(EarlyErrors, NoneWhereAllIsWell) {
  EXPECT_EQ(error_with({}), "");
  EXPECT_GT(steps_, 0);
}

TEST_F(EarlyErrors, RatesOfParametersThatThereAreNot) {
  expect_refused({"stages.second.optimizer.rates={ \"endocer\" = 0.5 }"}, {"second", "endocer"});
  expect_refused({"fine_tune.optimizer.rates={ frist = 0.5 }"}, {"fine_tune", "frist", "first.h.bias"});
}

TEST_F(EarlyErrors, ABatchLargerThanTheLabelledSamples) {
  expect_refused({"data.labels=10"}, {"fine_tune.batch", "10 labelled", "20"});
}

TEST_F(EarlyErrors, AStageThatDoesNotFitTheOneBelow) {
  expect_refused({"stages.second.model={ kind = \"conv_psd\", filters = 2, lambda = 0.1 }",
                  "stages.second.optimizer={ kind = \"adam\", learning_rate = 0.01 }"},
                 {"second", "conv_psd", "[12]", "first"});
  expect_refused({"stages.second.model={ kind = \"lista\" }"}, {"second", "lista", "sparse_signals"});
}

TEST_F(EarlyErrors, FineTuningThroughAMinimum) {
  expect_refused({"stages.second.model={ kind = \"sparse_coding\", atoms = 10, lambda = 0.5 }",
                  "stages.second.optimizer={ kind = \"none\" }"},
                 {"second", "encoder", "layerwise_frozen"});
}

TEST_F(EarlyErrors, RatesThatAProtocolDoesNotTakeAreSaid) {
  const std::vector<std::string> rates = {"fine_tune.optimizer.rates={ first = 0.5 }"};
  for (const std::string protocol : {"layerwise_frozen", "supervised"}) {
    EXPECT_EQ(error_with({rates[0], "protocol=" + protocol}), "");
    EXPECT_NE(said_.find("warning: fine_tune.optimizer.rates"), std::string::npos) << said_;
  }
  EXPECT_EQ(error_with(rates), "");
  EXPECT_EQ(said_.find("warning"), std::string::npos) << said_;
}

TEST_F(EarlyErrors, LargeFeaturesHaveOneOrderWithAndWithoutACache) {
  const Plan plan = test::plan_of_text(kClassifier);
  Stage stage;
  const Variable x = stage.graph.real("x", {300});
  stage.inputs = {{"image", x}};
  stage.placement = test::f32();
  struct Twice final : Module {
    Value forward(const Value& value, const Context&) const override { return 2.0 * value; }
  };
  stage.encoder = std::make_shared<const Twice>();
  constexpr Index kSamples = 1500;
  const Dataset data{
      .name = "normal", .train = Samples(normal(Key(1), {kSamples, 300}, test::f32())), .test = {}};
  const auto codes = [&](const std::string& folder, std::size_t large) {
    Cache cache(folder.empty() ? "" : file(folder));
    return encoded(stage, data, cache, folder.empty() ? "" : "key", large).train;
  };
  const Key key(7);
  const auto order = [&](const Samples& samples) { return stage_source(stage, samples).order(key, 100); };
  const auto numbers = [&](const Samples& samples) {
    std::vector<Index> rows(kSamples);
    std::iota(rows.begin(), rows.end(), Index{0});
    return stage_source(stage, samples).batch(rows, key)[x].tensor().values();
  };
  const Samples stored = codes("cache", 1000), held = codes("", 1000);
  EXPECT_FALSE(stored.first().in_memory());
  EXPECT_EQ(order(stored), order(held));
  EXPECT_EQ(numbers(stored), numbers(held));
  std::vector<Index> sorted = order(held);
  std::sort(sorted.begin(), sorted.end());
  for (Index i = 0; i < kSamples; ++i) ASSERT_EQ(sorted[static_cast<std::size_t>(i)], i);
  const Samples small = codes("", std::size_t{1} << 30), kept = codes("other", std::size_t{1} << 30);
  EXPECT_TRUE(small.first().in_memory() && kept.first().in_memory());
  EXPECT_EQ(order(small), order(kept));
  EXPECT_EQ(order(small), permutation(key, kSamples));
  EXPECT_EQ(numbers(small), numbers(stored));
}

}  // namespace
}  // namespace basin
