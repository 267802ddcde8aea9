// Who sees distorted samples: batches that train what reads the images, and nobody else.
#include <gtest/gtest.h>

#include <numeric>

#include "tensor/error.h"
#include "training/experiment/stack.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

const std::string kText = R"(
head = { kind = "softmax" }
data = { name = "strokes", train = 60, test = 20 }
fine_tune = { epochs = 1, batch = 20, optimizer = { learning_rate = 0.1 } }

[[stages]]
name = "first"
model = { kind = "rbm", hidden = 5 }
train = { epochs = 1, batch = 20 }
optimizer = { learning_rate = 0.1 }
)";

const std::vector<std::string> kDistorted = {"data.augment.shift=2", "data.augment.rotate=20"};

class Augmented : public testing::Test {
 protected:
  explicit Augmented(const std::vector<std::string>& settings = kDistorted)
      : plan_(test::plan_of_text(kText, settings)),
        data_(load_data(plan_)),
        stages_(make_stages(plan_, data_.train.shape(), test::device())) {}

  std::vector<double> first_samples(const Stage& stage, const Source& source, Key key) const {
    std::vector<Index> rows(20);
    std::iota(rows.begin(), rows.end(), Index{0});
    return source.batch(rows, key)[stage.inputs.at(0).variable].tensor().values();
  }

  Plan plan_;
  Dataset data_;
  std::vector<Stage> stages_;
};

TEST_F(Augmented, TrainingBatchesAloneAreDistortedAnewUnderEveryKey) {
  const Stage& stage = stages_.front();
  const std::vector<double> plain = first_samples(stage, stage_source(stage, data_.train), Key(1));
  EXPECT_EQ(first_samples(stage, stage_source(stage, data_.train), Key(2)), plain);
  const Source training = training_batches(stage, data_);
  const std::vector<double> once = first_samples(stage, training, Key(1));
  EXPECT_NE(once, plain);
  EXPECT_NE(first_samples(stage, training, Key(2)), once);
  EXPECT_EQ(first_samples(stage, training, Key(1)), once);

  const Plan without = test::plan_of_text(kText);
  EXPECT_TRUE(without.data.augment.is_none());
  EXPECT_EQ(without.resolved.find("augment"), std::string::npos)
      << "no part of an experiment that says nothing of it";
  const std::vector<Stage> others = make_stages(without, data_.train.shape(), test::device());
  EXPECT_EQ(first_samples(others.front(), training_batches(others.front(), data_), Key(1)), plain);
}

TEST_F(Augmented, AHeadSeesThemUnlessItsStagesAreFrozen) {
  const Stage head =
      make_head(plan_, stages_, data_.train.shape(), label_column(data_.train), test::device());
  EXPECT_NE(first_samples(head, training_batches(head, data_), Key(1)),
            first_samples(head, stage_source(head, data_.train), Key(1)));
  std::vector<std::string> settings = kDistorted;
  settings.emplace_back("protocol=layerwise_frozen");
  const Plan frozen = test::plan_of_text(kText, settings);
  const Stage on_codes = make_head(frozen, make_stages(frozen, data_.train.shape(), test::device()),
                                   data_.train.shape(), label_column(data_.train), test::device());
  EXPECT_TRUE(on_codes.pixels.augment.is_none());
}

TEST(AugmentedSequences, AreRefused) {
  const auto error = [](const std::string& data) -> std::string {
    const Plan plan = test::plan_of_text(
        "data = { " + data + ", augment = { shift = 1 } }\nmodel = { kind = \"autoencoder\", codes = 3 }\n" +
        "train = { epochs = 1, batch = 5 }\noptimizer = { learning_rate = 0.1 }\n");
    try {
      (void)load_data(plan);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto expect = [&](const std::string& data, const std::string& part) {
    EXPECT_NE(error(data).find(part), std::string::npos) << data << ": " << error(data);
  };
  const std::string few = ", train = 20, test = 10";
  expect("name = \"adding\", length = 7" + few,
         "expected images for data.augment, received sequences, sequence of shape [7, 2] of adding; leave it "
         "out");
  expect("name = \"temporal_order\"" + few, "expected images for data.augment, received sequences");
  expect("name = \"copy_memory\"" + few, "expected images for data.augment, received sequences");
  expect("name = \"parity\"", "[plan] expected images");
  EXPECT_EQ(error("name = \"strokes\"" + few), "");
}

}  // namespace
}  // namespace basin
