// What stages learn by themselves beside the labels: [fine_tune] joint.
#include <gtest/gtest.h>

#include "results/compare.h"
#include "support/error_of.h"
#include "training/head_fixture.h"

namespace basin::test {
namespace {

const char* const kSemiSupervised = R"(
seed = 4
protocol = "supervised"
head = { kind = "softmax" }
data = { name = "strokes", train = 400, test = 200, labels = 40 }
fine_tune = { epochs = 30, batch = 20, optimizer = { kind = "adam", learning_rate = 0.003 } }

[[stages]]
name = "first"
model = { kind = "autoencoder", codes = 48 }
train = { epochs = 1, batch = 50 }
optimizer = { learning_rate = 0.1 }

[[stages]]
name = "second"
model = { kind = "rbm", hidden = 32 }
train = { epochs = 1, batch = 50 }
optimizer = { learning_rate = 0.1 }
)";

class JointTerms : public HeadFolder {
 protected:
  Store head(const std::vector<std::string>& settings) {
    return run(plan_of_text(kSemiSupervised, settings), "run.h5").store.group("/stages/head");
  }
};

TEST_F(JointTerms, SamplesWithoutLabelsAreLearnedToo) {
  if (is_guarded()) GTEST_SKIP() << "a whole training takes minutes on guarded pages";
  const Store plain = head({}), joint = head({"fine_tune.joint={first=0.1, second=0.01}"});
  EXPECT_EQ(joint.text("/objective"), "exact + 0.1 mean_energy + 0.01 cd-1");
  const std::vector<double> reconstruction = joint.numbers("/metrics/step/1.loss");
  EXPECT_LT(reconstruction.back(), 0.7 * reconstruction.front());
  EXPECT_TRUE(joint.has("/parameters/first.x.x.decoder.bias")) << "what the classifier has not is kept";
  EXPECT_TRUE(joint.has("/parameters/second.v.bias"));
  EXPECT_FALSE(plain.has("/parameters/second.v.bias"));
  const auto shared = [](const Store& store) { return store.tensor("/parameters/first.1.weight"); };
  EXPECT_NE(shared(joint).values(), shared(plain).values());
}

TEST_F(JointTerms, GoesOnBitForBit) {
  const Plan plan =
      plan_of_text(kSemiSupervised, {"fine_tune.joint={first=0.1, second=0.01}", "fine_tune.epochs=3"});
  const RunResult whole = run(plan, "whole.h5");
  run(plan, "parts.h5", [](const FitReport& report) { return report.step != 3; });
  const RunResult parts = run(plan, "parts.h5", {}, true);
  const Store a = whole.store.group("/stages/head"), b = parts.store.group("/stages/head");
  for (const std::string& path : a.list("/parameters"))
    EXPECT_EQ(a.tensor(path).values(), b.tensor(path).values()) << path;
}

TEST_F(JointTerms, MistakesAreErrors) {
  const auto expect = [](const std::vector<std::string>& settings, const std::string& part) {
    const std::string text = error_of([&] { plan_of_text(kSemiSupervised, settings); });
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  expect({"fine_tune.joint={third=0.1}"}, "expected names of stages (first, second), received 'third'");
  expect({"fine_tune.joint={first=0}"}, "expected finite weights > 0");
  expect({"fine_tune.joint={first=inf}"}, "expected finite weights > 0");
  expect({"fine_tune.joint={first=0.1}", "protocol=layerwise_frozen"}, "layerwise_frozen");
  expect({"fine_tune.joint={second=0.1}", "stages.second.model={kind=\"abs\"}"},
         "expected stages that learn something by themselves, received second (abs)");
}

}  // namespace
}  // namespace basin::test
