// Stages back from a results file ask for no more of the data than they need.
#include <gtest/gtest.h>

#include <filesystem>

#include "data/catalog.h"
#include "data/export.h"
#include "tensor/error.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

class Restoring : public test::ExperimentFolder {
 protected:
  /// A head on one stage, trained on a file.
  std::string experiment() const {
    return R"(
seed = 4
head = { kind = "softmax" }
fine_tune = { epochs = 2, batch = 20, optimizer = { learning_rate = 0.1 } }

[data]
name = "file"
path = ")" +
           file("own.h5") +
           R"("
columns = { image = "/train/image", label = "/train/label" }

[[stages]]
name = "first"
model = { kind = "autoencoder", codes = 6 }
train = { epochs = 1, batch = 20 }
optimizer = { learning_rate = 0.1 }
)";
  }
};

TEST_F(Restoring, AHeadEncodesSamplesWithoutTheRunsOwn) {
  const Dataset strokes = load_dataset("strokes", {.train = 120, .test = 20});
  export_samples(file("own.h5"), parts_of(strokes, "train"));
  const Plan plan = test::plan_of_text(experiment());
  const Store store = run_experiment(plan, options("run.h5")).store;
  Dataset own;
  {
    const RestoredStage head(store, plan, "", test::device());
    own.train = head.codes().train;
    EXPECT_EQ(head.stage().name, "head");
    EXPECT_EQ(own.train.shape(), Shape{6});
  }
  Dataset given;
  given.train = Samples(load_data(plan).train.values());
  std::filesystem::remove(file("own.h5"));
  RestoredStage head(store, plan, "", test::device());
  EXPECT_EQ(head.codes(given).train.values().values(), own.train.values().values());
  EXPECT_THROW(head.view().data(), Error);
  EXPECT_THROW((void)head.codes(), Error);
}

TEST_F(Restoring, AHeadKnowsItsLabelsOnceItsDataAreThere) {
  const Dataset strokes = load_dataset("strokes", {.train = 120, .test = 20});
  export_samples(file("own.h5"), parts_of(strokes, "train"));
  const Plan plan = test::plan_of_text(experiment());
  const Store store = run_experiment(plan, options("run.h5")).store;
  EXPECT_EQ(test::number(test::evaluated(store, plan), "test_error"),
            store.numbers("/stages/head/evaluation/test_error").at(0));
  // Not those of others.
  const Plan others =
      test::plan_of_text(experiment(), {"data={ name = \"convex\", train = 100, test = 20 }"});
  RestoredStage head(store, others, "", test::device());
  try {
    (void)head.view().data();
    ADD_FAILURE() << "two classes are not ten";
  } catch (const Error& error) {
    EXPECT_NE(
        std::string(error.what()).find("labels of 10 classes, as it was trained for, received 2 of convex"),
        std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace basin
