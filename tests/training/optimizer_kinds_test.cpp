#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "support/device.h"
#include "support/error_of.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "training/optimizers/adagrad.h"
#include "training/optimizers/adam.h"
#include "training/optimizers/optimizer_plan.h"
#include "training/optimizers/rmsprop.h"
#include "training/optimizers/sgd.h"

namespace basin::test {
namespace {

using Numbers = std::vector<double>;

Tensor numbers(const Numbers& values, Shape shape) { return Tensor::from(values, std::move(shape), f64()); }

/// The gradient of 3/4 (p - 0.3)^2 - 1/6 cos 3p, number by number.
Gradient pull(const Parameter& p) {
  Numbers g = p.tensor().values();
  for (double& x : g) x = 1.5 * (x - 0.3) + 0.5 * std::sin(3.0 * x);
  return Gradient(numbers(g, p.tensor().shape()));
}

struct Problem {
  std::vector<Parameter> parameters{Parameter("w", numbers({0.9, -1.3, 0.4, 2.0, -0.7, 0.1}, {3, 2})),
                                    Parameter("b", numbers({1.5, -0.2}, {2}))};
  void steps(Optimizer& optimizer, Index begin, Index end) const {
    for (Index t = begin; t < end; ++t)
      optimizer.step(parameters, {pull(parameters[0]), pull(parameters[1])}, {.step = t, .epoch = t / 10});
  }
  Numbers values() const {
    Numbers all = parameters[0].tensor().values();
    for (const double b : parameters[1].tensor().values()) all.push_back(b);
    return all;
  }
};

using Make = std::function<std::unique_ptr<Optimizer>()>;
template <class Kind, class Options>
Make maker(Options options) {
  return [=] { return std::make_unique<Kind>(options); };
}

struct Expected {
  const char* name;
  Make make;
  Numbers values;
};

// The values are PyTorch 1.13's of the same problem in f64 (torch.optim: SGD, Adagrad, RMSprop, Adam, AdamW;
// weight decay in the group of w alone).
TEST(OptimizerKindsTest, FiftyStepsEqualPyTorchs) {
  const std::vector<Expected> all = {
      {"sgd",
       maker<Sgd>(SgdOptions{.learning_rate = 0.02, .momentum = 0.9, .weight_decay = 0.1}),
       {0.173872281355397, 0.170927574965778, 0.162867623670938, 0.128667425292508, 0.111594230834083,
        0.144331016033123, 0.115778780322205, 0.133551306022948}},
      {"sgd with a penalty",
       maker<Sgd>(SgdOptions{.learning_rate = 0.02, .momentum = 0.9, .restraints = {.l2 = 0.1}}),
       {0.173872281355397, 0.170927574965778, 0.162867623670938, 0.128667425292508, 0.111594230834083,
        0.144331016033123, 0.115778780322205, 0.133551306022948}},
      {"nesterov",
       maker<Sgd>(SgdOptions{.learning_rate = 0.02, .momentum = 0.9, .nesterov = true}),
       {0.155872227877468, 0.157996059452107, 0.155241371692495, 0.139572840027453, 0.145884689990315,
        0.152017534127897, 0.143248107565982, 0.148500623952654}},
      {"adagrad",
       maker<AdaGrad>(AdaGradOptions{.learning_rate = 0.1}),
       {0.162976698591626, -0.162964728554646, 0.152639409880239, 0.939900079576162, 0.101774863941851,
        0.152639409802886, 0.360440825362532, 0.152626378420763}},
      {"adagrad with a penalty",
       maker<AdaGrad>(AdaGradOptions{.learning_rate = 0.1, .restraints = {.l2 = 0.1}}),
       {0.159223319321581, -0.16978406224952, 0.147466163814604, 0.935907826909819, 0.097940826935389,
        0.147466163619771, 0.360440825362532, 0.152626378420763}},
      {"rmsprop",
       maker<RmsProp>(RmsPropOptions{.learning_rate = 0.01}),
       {0.158934940530964, -0.127755671407464, 0.152639409804647, 0.882951803503209, 0.113992928357322,
        0.152639409802884, 0.327084554912761, 0.15263629073798}},
      {"adam",
       maker<Adam>(AdamOptions{.learning_rate = 0.02}),
       {0.126137621373798, -0.324150080153999, 0.16448756421762, 1.12422859365702, 0.102232069192854,
        0.149697636512443, 0.529606516196878, 0.153657743939124}},
      {"adamw",
       maker<Adam>(AdamOptions{.learning_rate = 0.02, .weight_decay = 0.1}),
       {0.113287115836027, -0.256625418466199, 0.162124760530472, 0.984242122780013, 0.112308188230619,
        0.149640891751089, 0.529606516196878, 0.153657743939124}}};
  for (const Expected& each : all) {
    const Problem problem;
    const auto optimizer = each.make();
    problem.steps(*optimizer, 0, 50);
    const Numbers values = problem.values();
    // What Nesterov's method moves is the look-ahead point, as there.
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(values[i], each.values[i], 1e-9) << each.name << i;
  }
}

const Restraints kAll{
    .clip_norm = 0.8, .clip_value = 0.5, .l1 = 0.02, .l2 = 0.1, .penalties_from = 1, .max_norm = 0.9};

std::vector<Make> restrained_kinds(const Rates& rates = {}) {
  const Schedule rate = Schedule::cosine(0.05, 0.01);
  return {maker<Sgd>(SgdOptions{.learning_rate = rate, .rates = rates, .restraints = kAll}),
          maker<Sgd>(SgdOptions{.learning_rate = rate, .momentum = 0.9, .rates = rates, .restraints = kAll}),
          maker<Sgd>(SgdOptions{
              .learning_rate = rate, .momentum = 0.9, .nesterov = true, .rates = rates, .restraints = kAll}),
          maker<AdaGrad>(AdaGradOptions{.learning_rate = rate, .rates = rates, .restraints = kAll}),
          maker<RmsProp>(RmsPropOptions{.learning_rate = rate, .rates = rates, .restraints = kAll}),
          maker<Adam>(
              AdamOptions{.learning_rate = rate, .weight_decay = 0.1, .rates = rates, .restraints = kAll})};
}

TEST(OptimizerKindsTest, ResumedEqualsUnbroken) {
  for (const Make& make : restrained_kinds()) {
    const Problem unbroken, broken;
    const auto one = make(), two = make(), three = make();
    unbroken.steps(*one, 0, 20);
    broken.steps(*two, 0, 13);
    three->restore(two->state());
    broken.steps(*three, 13, 20);
    EXPECT_EQ(broken.values(), unbroken.values());
  }
}

TEST(OptimizerKindsTest, FrozenParametersKeepTheirBitsAndCountInNoNorm) {
  for (const Make& make : restrained_kinds({{"b", 0.0}})) {
    const Problem problem, alone;
    const auto one = make();
    const auto two = restrained_kinds()[static_cast<std::size_t>(0)]();
    problem.steps(*one, 0, 5);
    EXPECT_EQ(problem.parameters[1].tensor().values(), (Numbers{1.5, -0.2}));
    EXPECT_NE(problem.parameters[0].tensor().values(), alone.parameters[0].tensor().values());
  }
  const auto moved = [](Rates rates, const Numbers& b) {
    const std::vector<Parameter> p{Parameter("w", numbers({3, 4}, {1, 2})), Parameter("b", numbers(b, {1}))};
    Sgd sgd({.learning_rate = 1.0, .rates = std::move(rates), .restraints = {.clip_norm = 1.0}});
    sgd.step(p, {Gradient(numbers({3, 4}, {1, 2})), Gradient(numbers({12}, {1}))}, {});
    return p[0].tensor().values();
  };
  EXPECT_EQ(moved({{"b", 0.0}}, {0}), (Numbers{3 - 0.6, 4 - 0.8}));
  EXPECT_NEAR(moved({}, {0})[0], 3 - 3.0 / 13.0, 1e-15);
}

TEST(OptimizerKindsTest, StepsAllocateNothingOnceWarm) {
  const Problem problem;
  std::vector<Gradient> gradients{pull(problem.parameters[0]), pull(problem.parameters[1])};
  gradients[0].add({0.5, normal(Key(1), {5, 3}, f64()), normal(Key(2), {5, 2}, f64())});
  for (const Make& make : restrained_kinds({{"w", 0.5}})) {
    const auto optimizer = make();
    for (int t = 0; t < 2; ++t) optimizer->step(problem.parameters, gradients, {.epoch = 1});
    const std::uint64_t before = allocation_count(device());
    for (int t = 0; t < 3; ++t) optimizer->step(problem.parameters, gradients, {.epoch = 1});
    EXPECT_EQ(allocation_count(device()), before);
  }
}

Numbers one_step(Restraints restraints, const Tensor& start, const Numbers& gradient, Index epoch = 0) {
  const std::vector<Parameter> p{Parameter("p", start.clone())};
  Sgd({.learning_rate = 1.0, .restraints = restraints})
      .step(p, {Gradient(numbers(gradient, start.shape()))}, {.epoch = epoch});
  return p[0].tensor().values();
}

TEST(RestraintsTest, ClipByNormAndByValue) {
  const Tensor zero = Tensor::zeros({1, 2}, f64());
  EXPECT_EQ(one_step({.clip_norm = 10.0}, zero, {3, 4}), (Numbers{-3, -4}));
  EXPECT_EQ(one_step({.clip_norm = 2.5}, zero, {3, 4}), (Numbers{-1.5, -2}));
  EXPECT_EQ(one_step({.clip_value = 3.5}, zero, {-3, 4}), (Numbers{3, -3.5}));
  EXPECT_EQ(one_step({.clip_norm = 2.5, .clip_value = 1.75}, zero, {3, 4}), (Numbers{-1.5, -1.75}));
  EXPECT_TRUE(std::isnan(one_step({.clip_norm = 1.0}, zero, {std::nan(""), 1})[1]));
}

TEST(RestraintsTest, PenaltiesOfMatricesFromAnEpochOn) {
  const Tensor matrix = numbers({2, -4}, {1, 2}), vector = numbers({2, -4}, {2});
  EXPECT_EQ(one_step({.l1 = 0.5}, matrix, {0, 0}), (Numbers{1.5, -3.5}));
  EXPECT_EQ(one_step({.l2 = 0.25}, matrix, {0, 0}), (Numbers{1.5, -3}));
  EXPECT_EQ(one_step({.clip_value = 0.5, .l2 = 0.25}, matrix, {1, 0}), (Numbers{1, -3}));  // clipped before
  EXPECT_EQ(one_step({.l1 = 0.5, .l2 = 0.25}, vector, {0, 0}), (Numbers{2, -4}));
  EXPECT_EQ(one_step({.l1 = 0.5, .penalties_from = 3}, matrix, {0, 0}, 2), (Numbers{2, -4}));
  EXPECT_EQ(one_step({.l1 = 0.5, .penalties_from = 3}, matrix, {0, 0}, 3), (Numbers{1.5, -3.5}));
}

TEST(RestraintsTest, IncomingWeightsKeepToTheirNorm) {
  // A matrix [in, out]: columns; filters [K, C, h, w]: each filter.
  EXPECT_EQ(one_step({.max_norm = 2.5}, numbers({3, 0.5, 4, 1}, {2, 2}), {0, 0, 0, 0}),
            (Numbers{1.5, 0.5, 2, 1}));
  EXPECT_EQ(one_step({.max_norm = 2.5}, numbers({3, 4, 0.5, 1}, {2, 1, 1, 2}), {0, 0, 0, 0}),
            (Numbers{1.5, 2, 0.5, 1}));
  EXPECT_EQ(one_step({.max_norm = 1.0}, numbers({3, 4}, {2}), {0, 0}), (Numbers{3, 4}));
}

TEST(RestraintsTest, MistakesAreErrors) {
  EXPECT_NE(error_of([] { Sgd({.restraints = {.clip_norm = -1.0}}); }).find("[sgd] expected clip_norm"),
            std::string::npos);
  EXPECT_NE(error_of([] { Adam({.restraints = {.l1 = std::nan("")}}); }).find("[adam] expected"),
            std::string::npos);
  EXPECT_NE(error_of([] { AdaGrad({.restraints = {.penalties_from = -1}}); }).find("penalties_from >= 0"),
            std::string::npos);
  EXPECT_NE(error_of([] { RmsProp({.keep = 1.0}); }).find("[rmsprop] expected keep"), std::string::npos);
}

TEST(ScheduleKindsTest, Values) {
  const auto steps = [](const Schedule& s, Index t) { return s({.step = t, .epoch = 100}); };
  const auto epochs = [](const Schedule& s, Index t) { return s({.step = 1000, .epoch = t}); };
  EXPECT_EQ(steps(Schedule::hold(0.2, 10), 10), 0.2);
  EXPECT_NEAR(steps(Schedule::hold(0.2, 10), 40), 0.05, 1e-16);
  EXPECT_NEAR(epochs(Schedule::hold(0.2, 10, Clock::Epochs), 20), 0.1, 1e-16);
  EXPECT_EQ(steps(Schedule::stairs(0.8, 0.5, 3), 2), 0.8);
  EXPECT_EQ(steps(Schedule::stairs(0.8, 0.5, 3), 6), 0.2);
  EXPECT_EQ(epochs(Schedule::stairs(0.8, 0.5, 3, Clock::Epochs), 3), 0.4);
  EXPECT_NEAR(epochs(Schedule::inverse_time(0.2, 5, Clock::Epochs), 5), 0.1, 1e-16);
  const Schedule warm = Schedule::stairs(0.8, 0.5, 3).warmed(4);
  EXPECT_NEAR(steps(warm, 0), 0.2, 1e-16);
  EXPECT_NEAR(steps(warm, 2), 0.6, 1e-15);
  EXPECT_NEAR(steps(warm, 3), 0.4, 1e-16);
  EXPECT_NEAR(epochs(Schedule(1.0).warmed(2, Clock::Epochs), 0), 0.5, 1e-16);
  EXPECT_EQ(steps(Schedule(1.0).warmed(0), 0), 1.0);
  EXPECT_NE(error_of([] { Schedule::hold(1.0, 0.0); }).find("positive"), std::string::npos);
  EXPECT_NE(error_of([] { Schedule::stairs(1.0, 0.0, 1); }).find("factor above 0"), std::string::npos);
  EXPECT_NE(error_of([] { Schedule(1.0).warmed(-1); }).find(">= 0"), std::string::npos);
}

OptimizerPlan planned(const std::string& text) {
  const Config config = Config::parse(text);
  OptimizerPlan plan = read_optimizer(config);
  config.finish();
  return plan;
}

TEST(OptimizerPlanTest, MakesWhatATableSays) {
  for (const std::string& kind : optimizer_kinds()) {
    const bool has_rate = kind != "lbfgs" && kind != "conjugate_gradient";
    const OptimizerPlan plan = planned("kind = \"" + kind + "\"" + (has_rate ? "\nlearning_rate = 0.1" : ""));
    EXPECT_EQ(plan.kind, kind);
    EXPECT_NE(plan.make({{"w", 0.5}}), nullptr);
    EXPECT_EQ(plan.make({{"w", 0.0}})->rates().at("w"), 0.0);
  }
  EXPECT_EQ(planned("kind = \"none\"").kind, "none");
  const OptimizerPlan plan = planned(R"(
learning_rate = 0.4
schedule = "stairs"
factor = 0.5
every = 2
clock = "epochs"
warm_up = 4
clip_norm = 2.5
max_norm = 1.2
rates = { w = 0.5 }
average = { decay = 0.9 }
)");
  EXPECT_EQ(plan.kind, "sgd");
  EXPECT_NEAR(plan.learning_rate({.epoch = 2}), 0.2 * 0.75, 1e-16);
  EXPECT_EQ(plan.rates.at("w"), 0.5);
  EXPECT_EQ(plan.average->decay, 0.9);
  const std::vector<Parameter> p{Parameter("w", Tensor::zeros({1, 2}, f64()))};
  plan.make({})->step(p, {Gradient(numbers({3, 4}, {1, 2}))}, {});
  EXPECT_NEAR(p[0].tensor().values()[0], -0.1 * 1.5, 1e-15);
}

TEST(OptimizerPlanTest, MistakesAreErrors) {
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"kind = \"adm\"\nlearning_rate = 0.1", "adam"},
           {"kind = \"lbfgs\"\nlearning_rate = 0.1", "learning_rate"},
           {"kind = \"adam\"\nlearning_rate = 0.1\nmomentum = 0.9", "momentum"},
           {"kind = \"lbfgs\"\nhistory = 100000", "history"},
           {"learning_rate = 0.1\nclip_norm = -1", "clip_norm"},
           {"learning_rate = 0.1\npenalties_from = 2", "penalties_from"},
           {"learning_rate = 0.1\nschedule = \"hold\"", "hold"},
           {"learning_rate = 0.1\nwarm_up = 1\nclock = \"days\"", "clock"},
           {"kind = \"adam\"\nlearning_rate = 0.1\nbeta1 = 1", "beta1"},
           {"learning_rate = 0.1\nrates = { w = -1 }", "rates"}})
    EXPECT_NE(error_of([text = text] { planned(text); }).find(message), std::string::npos) << text;
}

}  // namespace
}  // namespace basin::test
