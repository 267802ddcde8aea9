#include "energy/objectives/latents/latent_minimum.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/dictionary.h"
#include "energy/minimise/proximal.h"
#include "modules/linear.h"
#include "support/device.h"
#include "support/numbers.h"
#include "tensor/error.h"

namespace basin::test {
namespace {

constexpr double kLambda = 0.1;

/// Sparse coding of 6 numbers by 9 atoms, with a linear prediction of the code.
struct Problem {
  FactorGraph graph, without_prediction;
  Variable y, z;
  State batch;
};

Problem problem(Placement placement, Index samples = 8) {
  Problem made;
  made.y = made.graph.real("y", {6});
  made.z = made.graph.real("z", {9});
  const auto decoder =
      std::make_shared<const Linear>(9, 6, Key(1), LinearOptions{.bias = false, .placement = placement});
  scale_to_unit_norm(decoder->weight().tensor());
  made.graph.add(SquaredError(made.y, decoder, made.z)).add(L1(made.z, kLambda));
  made.without_prediction = made.graph;
  made.graph.add(
      SquaredError(made.z, Linear(6, 9, Key(2), {.placement = placement}), made.y, {.weight = 0.7}));
  made.batch.set(made.y, Tensor::from(numbers(samples * 6, 3), {samples, 6}, placement));
  return made;
}

LatentMinimumOptions exact() {
  LatentMinimumOptions options;
  options.infer = {.max_steps = 20000, .tolerance = 1e-13};
  return options;
}

TEST(LatentMinimum, GradientIsThatOfTheMinimum) {
  const Problem made = problem(f64());
  const LatentMinimum objective(made.z, std::make_shared<const Fista>(made.z), exact());
  Carry carry;
  const Evaluation evaluation = objective.evaluate(made.graph, made.batch, carry, Key(4));
  const std::vector<Parameter> parameters = made.graph.parameters();
  ASSERT_EQ(evaluation.gradients.size(), parameters.size());
  const auto loss = [&] {
    return objective.evaluate(made.graph, made.batch, carry, Key(4)).metrics.at("loss");
  };
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const Tensor& tensor = parameters[p].tensor();
    const std::vector<double> gradient = evaluation.gradients[p].to_tensor(tensor.shape()).values();
    const std::vector<double> values = tensor.values();
    for (std::size_t i = 0; i < values.size(); i += 5) {
      constexpr double kStep = 1e-5;
      const auto moved = [&](double by) {
        std::vector<double> changed = values;
        changed[i] += by;
        tensor.copy_from(Tensor::from(changed, tensor.shape(), tensor.placement()));
        return loss();
      };
      const double difference = (moved(kStep) - moved(-kStep)) / (2.0 * kStep);
      EXPECT_NEAR(gradient[i], difference, 1e-6) << parameters[p].name() << " " << i;
    }
    tensor.copy_from(Tensor::from(values, tensor.shape(), tensor.placement()));
  }
}

TEST(LatentMinimum, LearnsFromTheMinimumOfAnotherEnergy) {
  const Problem made = problem(f64());
  LatentMinimumOptions options = exact();
  options.inferred_by = made.without_prediction;
  const LatentMinimum objective(made.z, std::make_shared<const Fista>(made.z), options);
  const LatentMinimum plain(made.z, std::make_shared<const Fista>(made.z), exact());
  const State found = objective.minimum(made.graph, made.batch, Key(1)).state;
  const State wanted = plain.minimum(made.without_prediction, made.batch, Key(1)).state;
  EXPECT_LT(max(reshape(abs(found[made.z] - wanted[made.z]), {8 * 9}), 0).item(), 1e-6);
  Carry carry;
  const Evaluation evaluation = objective.evaluate(made.graph, made.batch, carry, Key(1));
  // The prediction's bias has the gradient of 0.7/2 |z* - g|^2 alone.
  const Value gap = matmul(made.batch[made.y], made.graph.parameter("y.z.weight").value()) - found[made.z];
  const std::vector<double> bias = evaluation.gradients.at(2).to_tensor({9}).values();
  const std::vector<double> expected = mean(gap * 0.7, {0}).tensor().values();
  for (std::size_t i = 0; i < bias.size(); ++i) EXPECT_NEAR(bias[i], expected[i], 1e-6);
}

TEST(LatentMinimum, OrthonormalDictionaryHasShrunkProductsForCodes) {
  FactorGraph graph;
  const Variable y = graph.real("y", {4}), z = graph.real("z", {4});
  const auto decoder =
      std::make_shared<const Linear>(4, 4, Key(1), LinearOptions{.bias = false, .placement = f64()});
  const double h = 0.5;  // rows of a Hadamard matrix
  const std::vector<double> rows{h, h, h, h, h, -h, h, -h, h, h, -h, -h, h, -h, -h, h};
  decoder->weight().tensor().copy_from(Tensor::from(rows, {4, 4}, f64()));
  graph.add(SquaredError(y, decoder, z)).add(L1(z, 0.3));
  State batch;
  batch.set(y, Tensor::from(numbers(12, 7), {3, 4}, f64()));
  const LatentMinimum objective(z, std::make_shared<const Ista>(z), exact());
  const Value expected =
      shrink(matmul(batch[y], Value(Tensor::from(rows, {4, 4}, f64())), {.transpose_b = true}),
             Value(Tensor::full({1}, 0.3, f64())));
  const Value found = objective.minimum(graph, batch, Key(1)).state[z];
  EXPECT_LT(max(reshape(abs(found - expected), {12}), 0).item(), 1e-6);
  Carry carry;
  const double active = mean(step(abs(expected))).item();
  EXPECT_NEAR(objective.evaluate(graph, batch, carry, Key(1)).metrics.at("active"), active, 1e-12);
  EXPECT_GT(active, 0.0);
  EXPECT_LT(active, 1.0);
}

TEST(LatentMinimum, FactorsThatDoNotReadTheCodeTakeNoPart) {
  Problem made = problem(f64());
  const Variable x = made.graph.real("x", {3});
  made.graph.add(SquaredError(x, Linear(6, 3, Key(5), {.placement = f64()}), made.y));
  const LatentMinimum objective(made.z, std::make_shared<const Fista>(made.z), exact());
  Carry carry;
  const Evaluation evaluation = objective.evaluate(made.graph, made.batch, carry, Key(4));  // x has no value
  ASSERT_EQ(evaluation.gradients.size(), 5u);
  EXPECT_FALSE(evaluation.gradients.at(3).dense().defined());
  EXPECT_TRUE(evaluation.gradients.at(0).dense().defined());
}

TEST(LatentMinimum, CountsWhatDidNotConverge) {
  const Problem made = problem(f64());
  LatentMinimumOptions options;
  options.infer = {.max_steps = 1, .tolerance = 1e-9};
  Carry carry;
  const LatentMinimum objective(made.z, std::make_shared<const Ista>(made.z), options);
  const Evaluation evaluation = objective.evaluate(made.graph, made.batch, carry, Key(4));
  EXPECT_EQ(evaluation.metrics.at("unconverged"), 1.0);
  EXPECT_EQ(evaluation.metrics.at("steps"), 1.0);
  EXPECT_TRUE(objective.evaluate(made.graph, made.batch, carry, Key(4), {.metrics = false}).metrics.empty());
}

TEST(LatentMinimum, NamesTheRuleThatInfers) {
  const Problem made = problem(f32());
  LatentMinimumOptions options;
  EXPECT_EQ(LatentMinimum(made.z, std::make_shared<const Fista>(made.z), options).rules(made.graph),
            std::vector<std::string>{"lasso"});
  options.infer.fuse = Fuse::Off;
  EXPECT_TRUE(
      LatentMinimum(made.z, std::make_shared<const Fista>(made.z), options).rules(made.graph).empty());
}

TEST(LatentMinimum, KeepsElementsAtNormOneAndReplacesIdleOnes) {
  const Problem made = problem(f32());  // a prediction would use every atom
  LatentMinimumOptions options;
  options.unit_norm = {"z.y.weight"};
  options.dead_after = 3;
  const LatentMinimum objective(made.z, std::make_shared<const Fista>(made.z), options);
  const Tensor weights = made.without_prediction.parameter("z.y.weight").tensor();
  weights.copy_from((Value(weights) * 3.0).tensor());
  weights.rows(4, 5).fill(0.0);  // a column of zeros is never used
  Carry carry;
  const auto norms = [&] { return sqrt(sum(square(Value(weights)), {1})).tensor().values(); };
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(norms()[4], 0.0, 1e-12) << i;
    objective.evaluate(made.without_prediction, made.batch, carry, Key(i));
    EXPECT_EQ(carry.at("idle.z").values()[4], static_cast<double>(i + 1));
    objective.finish_step(made.without_prediction, made.batch, carry, Key(i));
  }
  for (const double norm : norms()) EXPECT_NEAR(norm, 1.0, 1e-6);
  EXPECT_EQ(carry.at("idle.z").values()[4], 0.0);
  // The new atom is one of the samples, scaled.
  const std::vector<double> atom = weights.rows(4, 5).values();
  double best = 0.0;
  for (Index n = 0; n < 8; ++n) {
    const std::vector<double> sample = made.batch[made.y].tensor().rows(n, n + 1).values();
    double product = 0.0, square = 0.0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
      product += sample[i] * atom[i];
      square += sample[i] * sample[i];
    }
    best = std::max(best, product / std::sqrt(square));
  }
  EXPECT_NEAR(best, 1.0, 1e-5);
}

TEST(LatentMinimum, EveryDictionaryOfACodeHasItsIdleElementReplaced) {
  FactorGraph graph;
  const Variable y = graph.real("y", {6}), x = graph.real("x", {4}), z = graph.real("z", {9});
  const LinearOptions plain{.bias = false, .placement = f32()};
  const Linear to_y(9, 6, Key(1), plain), to_x(9, 4, Key(2), plain);
  graph.add(SquaredError(y, to_y, z)).add(SquaredError(x, to_x, z)).add(L1(z, kLambda));
  for (const Linear* decoder : {&to_y, &to_x}) decoder->weight().tensor().rows(4, 5).fill(0.0);
  const State batch = State()
                          .set(y, Tensor::from(numbers(8 * 6, 3), {8, 6}, f32()))
                          .set(x, Tensor::from(numbers(8 * 4, 4), {8, 4}, f32()));
  const LatentMinimum objective(z, std::make_shared<const Fista>(z),
                                {.unit_norm = {"z.y.weight", "z.x.weight"}, .dead_after = 1});
  Carry carry;
  objective.evaluate(graph, batch, carry, Key(1));
  objective.finish_step(graph, batch, carry, Key(1), {false, false});
  for (const Linear* decoder : {&to_y, &to_x})
    EXPECT_EQ(decoder->weight().tensor().rows(4, 5).values(),
              std::vector<double>(static_cast<std::size_t>(decoder->weight().tensor().dim(1)), 0.0));
  objective.finish_step(graph, batch, carry, Key(1));
  for (const char* name : {"z.y.weight", "z.x.weight"}) {
    EXPECT_NEAR(sqrt(sum(square(Value(graph.parameter(name).tensor().rows(4, 5))))).item(), 1.0, 1e-5)
        << name;
  }
}

TEST(LatentMinimum, ACarryOfAnotherDictionaryIsRefused) {
  const Problem made = problem(f32());
  const LatentMinimum objective(made.z, std::make_shared<const Fista>(made.z),
                                {.unit_norm = {"z.y.weight"}, .dead_after = 3});
  Carry carry{{"idle.z", Tensor::zeros({2}, {Dtype::F64, Device::Cpu})}};
  try {
    objective.evaluate(made.without_prediction, made.batch, carry, Key(1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("[carry] expected carried idle.z of shape"), std::string::npos);
  }
}

TEST(LatentMinimum, RefusesWhatMakesNoSense) {
  const Problem made = problem(f32());
  EXPECT_THROW(LatentMinimum(made.z, nullptr), Error);
  LatentMinimumOptions options;
  options.dead_after = 3;
  EXPECT_THROW(LatentMinimum(made.z, std::make_shared<const Fista>(made.z), options), Error);
  EXPECT_THROW(made.graph.parameter("z.y.wieght"), Error);
}

}  // namespace
}  // namespace basin::test
