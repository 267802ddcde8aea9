// The head "up_down": a net of restricted Boltzmann machines and a top of codes and labels, trained as one.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "support/contains.h"
#include "tensor/error.h"
#include "training/experiment/stack.h"
#include "training/head_fixture.h"
#include "training/plots/sampled.h"

namespace basin {
namespace {

using test::contains;
using test::plan_of_text;

const std::string kNet = R"(
seed = 4
data = { name = "strokes", train = 600, test = 100 }
head = { kind = "up_down", steps = 2 }
fine_tune = { epochs = 1, batch = 20, optimizer = { learning_rate = 0.02 } }

[[stages]]
name = "first"
model = { kind = "rbm", hidden = 40 }
train = { epochs = 2, batch = 20 }
optimizer = { learning_rate = 0.05 }
evaluate = { log_likelihood = "none" }

[[stages]]
name = "top"
model = { kind = "label_rbm", hidden = 30 }
train = { objective = "discriminative", epochs = 8, batch = 20 }
optimizer = { kind = "adam", learning_rate = 0.02 }
)";

class UpDownHead : public test::HeadFolder {
 protected:
  std::string refusal(const std::vector<std::string>& settings) {
    try {
      (void)run(plan_of_text(kNet, settings), "refused.h5");
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

double error_of(const Store& store, const std::string& stage) {
  return store.group("/stages/" + stage).numbers("/evaluation/test_error").at(0);
}

std::vector<double> weights(const Store& store, const std::string& path) {
  return store.tensor("/stages/" + path).values();
}

TEST_F(UpDownHead, BeginsAsTheGreedyNetClassifies) {
  const Plan plan = plan_of_text(kNet, {"fine_tune.optimizer.learning_rate=1e-30", "fine_tune.epochs=1"});
  const Store store = run(plan, "a.h5").store;
  EXPECT_LT(error_of(store, "top"), 0.75);  // chance: 0.9
  EXPECT_EQ(error_of(store, "head"), error_of(store, "top"));
  for (const char* of : {"first.v.h.weight", "head.first.v.h.weight"})
    EXPECT_EQ(weights(store, std::string("head/parameters/") + of),
              weights(store, "first/parameters/v.h.weight"));
}

TEST_F(UpDownHead, MovesBothWaysApartAndIsStoppedAndResumed) {
  const Plan plan = plan_of_text(kNet);
  const Store whole = run(plan, "whole.h5").store;
  EXPECT_NE(weights(whole, "head/parameters/first.v.h.weight"),
            weights(whole, "head/parameters/head.first.v.h.weight"));
  EXPECT_EQ(whole.text("/stages/head/objective"), "up_down-2");
  const std::vector<std::string> moved = whole.texts("/stages/head/fine_tune/parameter");
  for (const char* of : {"first.v.h.weight", "head.first.v.h.weight", "v.h.weight"})
    EXPECT_EQ(std::count(moved.begin(), moved.end(), of), 1) << of;
  Index steps = 0;
  (void)run(plan, "broken.h5", [&](const FitReport&) { return ++steps < 315; });  // in the head
  const RunResult resumed = run(plan, "broken.h5", {}, true);
  ASSERT_TRUE(resumed.complete);
  for (const char* of : {"first.h.bias", "head.first.v.bias", "v.h.weight", "y.h.weight"})
    EXPECT_EQ(weights(whole, std::string("head/parameters/") + of),
              weights(resumed.store, std::string("head/parameters/") + of));
  EXPECT_EQ(test::evaluated(whole, plan).numbers("/evaluation/test_error").at(0), error_of(whole, "head"));

  // Generation is the head's own: other samples than the greedy net's, of the first stage's shape.
  RestoredStage head(whole, plan, "head", test::device()), top(whole, plan, "top", test::device());
  const Samples threes = sampled(head.view(), {.count = 4, .steps = 2, .label = 3, .means = true});
  EXPECT_EQ(threes.shape(), (Shape{28, 28}));
  EXPECT_EQ(threes["label"].integers().front(), 3);
  EXPECT_NE(sampled(top.view(), {.count = 4, .steps = 2, .label = 3, .means = true}).values().values(),
            threes.values().values());
}

TEST_F(UpDownHead, RefusesWhatIsNoSuchNet) {
  EXPECT_TRUE(contains(refusal({"protocol=layerwise_frozen"}),
                       "expected \"layerwise_fine_tune\" under a head up_down"));
  EXPECT_TRUE(contains(refusal({"stages.top.model.kind=rbm", "stages.top.train={ epochs = 1 }"}),
                       "expected stages rbm below a last one label_rbm"));
  EXPECT_TRUE(contains(refusal({"head.steps=0"}), "steps"));
}

TEST_F(UpDownHead, AStageOfSamplesAndLabelsEncodesByTheMeanOverLabels) {
  const Plan plan = plan_of_text(kNet, {"stages.top.model.weight_scale=1.0"});
  const Dataset data = load_data(plan);
  const Stage top = make_stages(plan, data.train.shape(), test::device(), [&] { return data.train; }).at(1);
  const Value v = Tensor::from(std::vector<double>(80, 0.7), {2, 40}).to(test::f32());
  const auto of = [&](const char* name) { return top.graph.parameter(name).value(); };
  const Value into = matmul(v, of("v.h.weight")) + of("h.bias");
  // p(y | v) ~ exp(d_y) prod_j (1 + exp(into_j + U_yj)).
  std::vector<Value> logs, means;
  for (Index y = 0; y < 10; ++y) {
    const Value at = into + slice(of("y.h.weight"), 0, y, y + 1);
    logs.push_back(sum(softplus(at), {1}, {.keep = true}) + slice(of("y.bias"), 0, y, y + 1));
    means.push_back(sigmoid(at));
  }
  const Value p = softmax(concat(logs, 1));
  Value wanted = means[0] * slice(p, 1, 0, 1);
  for (Index y = 1; y < 10; ++y) wanted = wanted + means[static_cast<std::size_t>(y)] * slice(p, 1, y, y + 1);
  EXPECT_LT(sum(abs(top.encoder->forward(v) - wanted)).item(), 1e-3);
}

TEST_F(UpDownHead, SupportVectorMachinesStandOnStages) {
  const std::vector<std::string> settings = {"head={ kind = \"svm\" }", "fine_tune.optimizer.kind=adam",
                                             "fine_tune.optimizer.l2=0.001", "fine_tune.epochs=10",
                                             "protocol=layerwise_frozen"};
  const std::string text = kNet.substr(0, kNet.rfind("[[stages]]"));
  const Store store = run(plan_of_text(text, settings), "svm.h5").store;
  EXPECT_LT(error_of(store, "head"), 0.6);
  EXPECT_EQ(store.text("/stages/head/objective"), "squared_one_against_all");
}

}  // namespace
}  // namespace basin
