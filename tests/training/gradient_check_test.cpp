#include "training/gradient_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/objectives/sum_objective.h"
#include "support/contains.h"
#include "support/device.h"
#include "support/error_of.h"
#include "tensor/random.h"
#include "training/experiment/checked_gradients.h"
#include "training/experiment_fixture.h"

namespace basin {
namespace {

using test::contains;

struct Rbm {
  FactorGraph graph;
  Variable v, h;
  State batch;

  Rbm() {
    const Placement placement{Dtype::F64, test::device()};
    v = graph.binary("v", {6});
    h = graph.binary("h", {4});
    graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
    graph.to(placement);
    for (const Parameter& parameter : graph.parameters())
      parameter.tensor().copy_from(
          normal(Key(2).fold(parameter.name()), parameter.tensor().shape(), placement));
    batch.set(v, Value(bernoulli(Key(3), Tensor::full({8, 6}, 0.4, placement))));
  }

  std::vector<GradientCheck> check(const Objective& objective, const Carry& carry = {}) const {
    return check_gradients(graph, objective, {&batch, 1}, carry, Key(5));
  }
};

/// All numbers of all parameters agree, and some are not 0.
void expect_agreement(const std::vector<GradientCheck>& checks, const std::string& what) {
  ASSERT_FALSE(checks.empty());
  double largest = 0.0;
  for (const GradientCheck& one : checks) {
    EXPECT_EQ(one.disagrees, "") << what << ", " << one.parameter;
    EXPECT_EQ(one.agree, one.checked);
    EXPECT_GE(one.checked, 4) << one.parameter;
    largest = std::max(largest, one.largest);
  }
  EXPECT_GT(largest, 0.01) << what;
}

/// Another objective with a gradient of v.bias that is a thousandth too large.
class Wrong final : public Objective {
 public:
  explicit Wrong(const Objective& other) : other_(other) {}
  std::string name() const override { return "wrong"; }
  Evaluation evaluate(const FactorGraph& graph, const State& batch, Carry& carry, Key key,
                      EvaluateOptions options) const override {
    Evaluation evaluation = other_.evaluate(graph, batch, carry, key, std::move(options));
    const Parameter bias = graph.parameter("v.bias");
    Gradient& gradient = evaluation.gradients[graph.index_of(bias)];
    gradient = Gradient((Value(gradient.to_tensor(bias.tensor().shape())) * 1.001).tensor());
    return evaluation;
  }

 private:
  const Objective& other_;
};

TEST(GradientCheck, ConfirmsTheGradientsOfContrasts) {
  const Rbm rbm;
  const BlockGibbs sweep({{rbm.h}, {rbm.v}});
  for (const Fuse fuse : {Fuse::Auto, Fuse::Off}) {
    using O = ContrastiveDivergenceOptions;
    expect_agreement(rbm.check(ContrastiveDivergence(rbm.v, sweep, O{.steps = 2, .fuse = fuse})), "cd");
    expect_agreement(
        rbm.check(ContrastiveDivergence(
            rbm.v, sweep, O{.persistent = true, .sparsity = {.target = 0.1, .cost = 2.0}, .fuse = fuse})),
        "pcd, sparse");
    expect_agreement(
        rbm.check(ContrastiveDivergence(rbm.v, sweep, O{.persistent = true, .fast_rate = 0.1, .fuse = fuse})),
        "fpcd");
  }
  expect_agreement(rbm.check(ExactLikelihood({rbm.v})), "exact");
  const auto exact = std::make_shared<const Contrast>(ExactLikelihood({rbm.v}));
  const auto divergence = std::make_shared<const Contrast>(ContrastiveDivergence(rbm.v, sweep));
  expect_agreement(rbm.check(SumObjective(std::vector<SumObjective::Term>{{0.3, exact}, {2.0, divergence}})),
                   "sum");
}

TEST(GradientCheck, PersistentChainsGoOnFromTheCarry) {
  const Rbm rbm;
  const Contrast pcd =
      ContrastiveDivergence(rbm.v, BlockGibbs({{rbm.h}, {rbm.v}}), {.persistent = true, .fast_rate = 0.1});
  Carry carry;
  for (const std::uint64_t step : {0u, 1u, 2u}) pcd.evaluate(rbm.graph, rbm.batch, carry, Key(7).fold(step));
  const Carry before = copied(carry);
  expect_agreement(rbm.check(pcd, carry), "fpcd");
  for (const auto& [name, tensor] : before) EXPECT_EQ(carry.at(name).values(), tensor.values()) << name;
}

TEST(GradientCheck, FindsAGradientAThousandthTooLargeAndRestoresTheParameters) {
  const Rbm rbm;
  const Contrast exact = ExactLikelihood({rbm.v});
  std::vector<std::vector<double>> before;
  for (const Parameter& parameter : rbm.graph.parameters()) before.push_back(parameter.tensor().values());
  for (const GradientCheck& one : rbm.check(Wrong(exact))) {
    if (one.parameter == "v.bias") {
      EXPECT_EQ(one.agree, 0);
      EXPECT_TRUE(contains(one.disagrees, "by finite differences, received the gradient")) << one.disagrees;
    } else {
      EXPECT_EQ(one.disagrees, "") << one.parameter;
    }
  }
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(rbm.graph.parameters()[i].tensor().values(), before[i]);
}

TEST(GradientCheck, WhatIsNoGradientIsRefused) {
  const Rbm rbm;
  const Contrast centred = ContrastiveDivergence(rbm.v, BlockGibbs({{rbm.h}, {rbm.v}}), {.centring = 0.1});
  EXPECT_TRUE(contains(test::error_of([&] { rbm.check(centred); }), "received cd-1: centring turns"));
  Rbm single;
  single.graph.to({Dtype::F32, test::device()});
  single.batch.set(single.v, Value(Tensor::zeros({2, 6}, {Dtype::F32, test::device()})));
  EXPECT_TRUE(contains(test::error_of([&] { single.check(ExactLikelihood({single.v})); }),
                       "expected parameters in f64"));
}

/// The lines of a plan's check.
std::vector<std::string> lines_of(const std::string& toml) {
  std::vector<std::string> lines;
  check_gradients(test::plan_of_text(toml), test::device(),
                  [&](const std::string& line) { lines.push_back(line); });
  return lines;
}

TEST(CheckedGradients, EveryStageAndTheHeadInTheirOwnWay) {
  const std::string opening = "seed = 3\ndata = { name = \"strokes\", train = 60, test = 20 }\n";
  const std::string rest = "train = { epochs = 1, batch = 20 }\noptimizer = { learning_rate = 0.01 }\n";
  for (const char* model :
       {"{ kind = \"rbm\", hidden = 5 }", "{ kind = \"rbm\", hidden = 5, visible = \"gaussian\" }",
        "{ kind = \"autoencoder\", codes = 5, corruption = \"masking\", amount = 0.3 }",
        "{ kind = \"kmeans\", clusters = 5 }", "{ kind = \"drlim\", layers = [\"dense 5\"] }"}) {
    const std::vector<std::string> lines = lines_of(opening + "model = " + model + "\n" + rest);
    EXPECT_FALSE(lines.empty());
    for (const std::string& line : lines)
      EXPECT_TRUE(contains(line, "5 of 5 numbers agree")) << model << line;
  }
  const std::vector<std::string> psd = lines_of(opening +
                                                "model = { kind = \"psd\", atoms = 6, lambda = 0.2 }\n"
                                                "train = { objective = \"sgd\", epochs = 1, batch = 20 }\n"
                                                "optimizer = { learning_rate = 0.01 }\n");
  EXPECT_GE(psd.size(), 3u);
  for (const std::string& line : psd) EXPECT_TRUE(contains(line, "5 of 5 numbers agree")) << line;
  // Online dictionaries move by a step of their own; centring turns gradients.
  const std::vector<std::string> online =
      lines_of(opening + "model = { kind = \"sparse_coding\", atoms = 6, lambda = 0.2 }\n" + rest);
  ASSERT_EQ(online.size(), 1u);
  EXPECT_TRUE(contains(online[0], "moved by the objective itself")) << online[0];
  const std::vector<std::string> centred =
      lines_of(opening +
               "model = { hidden = 5 }\ntrain = { centring = 0.1, epochs = 1, batch = 20 }\n"
               "optimizer = { learning_rate = 0.01 }\n");
  ASSERT_EQ(centred.size(), 1u);
  EXPECT_TRUE(contains(centred[0], "cd-1 cannot be checked: centring turns")) << centred[0];
  // A stack: the head's parameters are those of all stages.
  const std::vector<std::string> stack = lines_of(opening + R"(protocol = "layerwise_fine_tune"
head = { kind = "softmax" }
[[stages]]
name = "first"
model = { kind = "rbm", hidden = 6 }
train = { epochs = 1, batch = 20 }
optimizer = { learning_rate = 0.1 }
[[stages]]
name = "second"
model = { kind = "rbm", hidden = 5 }
train = { epochs = 1, batch = 20 }
optimizer = { learning_rate = 0.1 }
[fine_tune]
epochs = 1
batch = 20
optimizer = { learning_rate = 0.1 }
)");
  for (const char* part :
       {"stage first: v.h.weight", "stage second: v.h.weight", "stage head: first.v.h.weight",
        "stage head: second.h.bias", "stage head: head."}) {
    EXPECT_TRUE(std::ranges::any_of(stack, [&](const std::string& line) { return contains(line, part); }))
        << part;
  }
  for (const std::string& line : stack) EXPECT_TRUE(contains(line, "numbers agree, to")) << line;
  const std::vector<std::string> wake_sleep = lines_of(opening + R"(head = { kind = "up_down" }
[[stages]]
name = "first"
model = { kind = "rbm", hidden = 6 }
train = { epochs = 1, batch = 20 }
optimizer = { learning_rate = 0.1 }
[[stages]]
name = "second"
model = { kind = "label_rbm", hidden = 5 }
train = { epochs = 1, batch = 20 }
optimizer = { learning_rate = 0.1 }
[fine_tune]
epochs = 1
batch = 20
optimizer = { learning_rate = 0.1 }
)");
  EXPECT_GT(wake_sleep.size(), 10u);
  for (const std::string& line : wake_sleep) EXPECT_TRUE(contains(line, "numbers agree, to")) << line;
}

}  // namespace
}  // namespace basin
