// What an experiment file says wrongly is found before anything is trained.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "autograd/ops.h"
#include "results/hdf5/store.h"
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

TEST_F(EarlyErrors, TheOnlyStageUnderAHeadIsNamed) {
  expect_refused(
      {"stages=[{ name = \"lone\", model = { kind = \"network\", layers = [\"conv 2 99x99\"] } }]"},
      {"stage lone (network)", "conv 2 99x99"});
}

TEST_F(EarlyErrors, FineTuningThroughAMinimum) {
  expect_refused({"stages.second.model={ kind = \"sparse_coding\", atoms = 10, lambda = 0.5 }",
                  "stages.second.optimizer={ kind = \"none\" }"},
                 {"second", "encoder", "layerwise_frozen"});
}

TEST_F(EarlyErrors, AHeadThatWouldNotLearn) {
  expect_refused({"fine_tune.optimizer={ kind = \"none\" }"}, {"fine_tune.optimizer", "none", "head"});
  expect_refused({"fine_tune.optimizer.average={ decay = 1.0 }"}, {"decay", "below 1"});
}

TEST_F(EarlyErrors, StagesOfSeveralDtypesUnderOneHead) {
  expect_refused({"stages.first.train.dtype=f64"},
                 {"train.dtype", "f64 of stage first", "f32 of stage second"});
}

TEST_F(EarlyErrors, NoStageAtAll) {
  std::string message;
  try {
    test::plan_of_text("stages = []\n[data]\nname = \"strokes\"\n");
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT_NE(message.find("at least one stage"), std::string::npos) << message;
}

TEST_F(EarlyErrors, StagesWithoutTestSamples) {
  std::ofstream(file("x.csv")) << "a,b,label\n0,1,0\n1,0,1\n";
  const std::string data = "data={ name = \"file\", path = \"" + file("x.csv") +
                           "\", columns = { x = \"*\", label = \"label\" } }";
  const std::vector<std::string> small = {data, "stages.first.train.batch=1", "stages.second.train.batch=1",
                                          "fine_tune.batch=1"};
  expect_refused(small, {"test samples", "data.test_share"});
  std::vector<std::string> supervised = small;
  supervised.push_back("protocol=supervised");
  EXPECT_EQ(error_with(supervised), "");
}

TEST_F(EarlyErrors, ARateOfAStageIsOfThatStageAlone) {
  EXPECT_EQ(error_with({"stages.first.name=s", "stages.s.evaluate.log_likelihood=none",
                        "stages.second.name=s2", "fine_tune.optimizer.rates={ s = 0 }"}),
            "");
  const Store store = Store::load(file("run.h5"));
  const auto numbers = [&](const std::string& name) { return store.tensor(name).values(); };
  EXPECT_EQ(numbers("/stages/head/parameters/s.v.h.weight"), numbers("/stages/s/parameters/v.h.weight"));
  const auto moved = [&](const std::vector<std::string>& rates) {
    EXPECT_EQ(error_with(rates), "");
    std::vector<double> all;
    const Store other = Store::load(file("run.h5"));
    for (const std::string& path : other.list("/stages/head/parameters")) {
      if (!path.starts_with("/stages/head/parameters/s2.")) continue;
      const std::vector<double> some = other.tensor(path).values();
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  };
  const std::vector<std::string> names = {"stages.first.name=s", "stages.second.name=s2"};
  EXPECT_NE(moved({names[0], names[1], "fine_tune.optimizer.rates={ s = 0 }"}),
            moved({names[0], names[1], "fine_tune.optimizer.rates={ s = 0, s2 = 0 }"}));
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

// Not early, for only the trained model meets the sample; but no prediction is made up.
TEST_F(EarlyErrors, ScoresThatAreNoNumbersPredictNothing) {
  std::ofstream train(file("train.csv")), other(file("test.csv"));
  train << "a,label\n";
  for (int i = 0; i < 40; ++i) train << i % 2 << "," << i % 2 << "\n";
  other << "a,label\n1,1\n3e38,0\n";  // whose product with a weight is more than a float holds
  train.close();
  other.close();
  const Plan plan = test::plan_of_text(
      "head = { kind = \"softmax\" }\ndata = { name = \"file\", path = \"" + file("train.csv") +
      "\", test_path = \"" + file("test.csv") + "\", columns = { x = \"a\", label = \"label\" } }\n" +
      "fine_tune = { epochs = 1, batch = 10, optimizer = { learning_rate = 10.0 } }\n");
  try {
    run_experiment(plan, options("run.h5"));
    ADD_FAILURE() << "the second test sample has no scores";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("expected finite scores"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("sample 1"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace basin
