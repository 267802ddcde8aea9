// Losses of the energies of all labels, as [head] names them.
#include <gtest/gtest.h>

#include "energy/objectives/labels/label_loss.h"
#include "tensor/error.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

const char* const kClassifier = R"(
seed = 4
head = { kind = "softmax" }
data = { name = "strokes", train = 200, test = 60, validation = 40 }
fine_tune = { epochs = 4, batch = 20, optimizer = { kind = "adam", learning_rate = 0.003 } }
)";

class HeadLoss : public test::ExperimentFolder {
 protected:
  HeadLoss() { replace_ = true; }
  Store head(const std::vector<std::string>& settings) const {
    return run_experiment(test::plan_of_text(kClassifier, settings), options("run.h5"))
        .store.group("/stages/head");
  }
};

TEST_F(HeadLoss, EveryLossIsNamedLearnsAndReportsItsGap) {
  for (const std::string& name : label_losses()) {
    const Store store = head({"head.loss=" + name});
    const std::vector<double> loss = store.numbers("/metrics/epoch/loss"),
                              gap = store.numbers("/metrics/epoch/energy_gap_validation");
    EXPECT_LT(loss.back(), loss.front()) << name;
    EXPECT_EQ(gap.back(), test::number(store, "energy_gap_validation")) << name;
    EXPECT_EQ(store.text("/objective"), name == "nll" ? "exact" : name);
    if (name != "energy" && name != "lvq2") {
      EXPECT_LT(gap.back(), gap.front()) << name;
    }
    EXPECT_EQ(store.has("/metrics/epoch/energy_gap"), name != "nll") << name;
  }
}

TEST_F(HeadLoss, TheLikelihoodIsTheDefaultBitForBit) {
  const Store plain = head({}), named = head({"head.loss=nll"}), other = head({"head.loss=hinge"});
  for (const std::string& path : plain.list("/parameters")) {
    EXPECT_EQ(named.tensor(path).values(), plain.tensor(path).values()) << path;
    EXPECT_NE(other.tensor(path).values(), plain.tensor(path).values()) << path;
  }
  EXPECT_EQ(named.numbers("/metrics/epoch/loss"), plain.numbers("/metrics/epoch/loss"));
  EXPECT_EQ(test::plan_of_text(kClassifier).resolved.find("loss"), std::string::npos)
      << "no part of an experiment that says nothing of it";
}

TEST_F(HeadLoss, AnOtherTemperatureIsAnotherLoss) {
  // With the likelihood's own temperature both ways of saying it have one loss, up to rounding.
  const Store likelihood = head({"fine_tune.epochs=1"}),
              tempered = head({"fine_tune.epochs=1", "head.loss=nll", "head.beta=1.000001"}),
              cold = head({"fine_tune.epochs=1", "head.loss=nll", "head.beta=4"});
  const auto loss = [](const Store& store) { return store.numbers("/metrics/epoch/loss").back(); };
  EXPECT_EQ(tempered.text("/objective"), "nll");
  EXPECT_NEAR(loss(tempered), loss(likelihood), 1e-4);
  EXPECT_GT(std::abs(loss(cold) - loss(likelihood)), 0.1);
}

TEST_F(HeadLoss, TheGapIsThatOfTheScores) {
  const Store store = head({});
  // Wrong answers have gaps above 0 and right ones below, so that a mean below 0 says that most are right.
  EXPECT_LT(test::number(store, "energy_gap_test"), 0.0);
  // By hand, of the test samples: E = -(x W + b).
  const Plan plan = test::plan_of_text(kClassifier);
  const Dataset data = load_data(plan);
  const std::vector<double> w = store.tensor("/parameters/head.weight").values(),
                            b = store.tensor("/parameters/head.bias").values();
  double sum = 0.0;
  for (std::size_t n = 0; n < 60; ++n) {
    std::vector<double> energy(10);
    for (std::size_t k = 0; k < 10; ++k) {
      energy[k] = -b[k];
      for (std::size_t i = 0; i < 784; ++i)
        energy[k] -= data.test.pixels()[n * 784 + i] / 255.0 * w[i * 10 + k];
    }
    const auto y = static_cast<std::size_t>(data.test.labels()->integers()[n]);
    const double correct = energy[y];
    energy[y] = 1e9;
    sum += correct - *std::min_element(energy.begin(), energy.end());
  }
  EXPECT_NEAR(test::number(store, "energy_gap_test"), sum / 60.0, 1e-4);
}

TEST_F(HeadLoss, MarginsAndTemperaturesAreOfTheLossesThatHaveThem) {
  const auto error = [](const std::vector<std::string>& settings) -> std::string {
    try {
      test::plan_of_text(kClassifier, settings);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto expect = [&](const std::vector<std::string>& settings, const std::string& part) {
    EXPECT_NE(error(settings).find(part), std::string::npos) << part << ": " << error(settings);
  };
  EXPECT_EQ(error({"head.loss=hinge", "head.margin=2"}), "");
  EXPECT_EQ(error({"head.loss=mee", "head.beta=2"}), "");
  expect({"head.loss=hnige"}, "did you mean 'hinge'");
  expect({"head.loss=log", "head.margin=2"}, "unknown key 'margin'");
  expect({"head.loss=hinge", "head.beta=2"}, "unknown key 'beta'");
  expect({"head.margin=2"}, "unknown key 'margin'");
  expect({"head.loss=hinge", "head.margin=-1"}, "margin");
  expect({"head.loss=hinge", "head.margin=inf"}, "margin");
  expect({"head.loss=mee", "head.beta=0"}, "beta");
}

}  // namespace
}  // namespace basin
