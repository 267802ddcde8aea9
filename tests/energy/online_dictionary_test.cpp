#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/dictionary.h"
#include "energy/minimise/proximal.h"
#include "energy/objectives/latents/latent_minimum.h"
#include "modules/linear.h"
#include "support/device.h"
#include "support/numbers.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "tensor/solvers.h"

namespace basin::test {
namespace {

/// The algorithm in plain loops: rows of D one after another.
void reference_pass(const std::vector<double>& gram, const std::vector<double>& cross, std::vector<double>& d,
                    std::size_t features) {
  const std::size_t atoms = d.size() / features;
  for (std::size_t j = 0; j < atoms; ++j) {
    if (!(gram[j * atoms + j] > 1e-7)) continue;
    std::vector<double> u(features);
    double norm = 0.0;
    for (std::size_t i = 0; i < features; ++i) {
      double product = 0.0;
      for (std::size_t k = 0; k < atoms; ++k) product += gram[j * atoms + k] * d[k * features + i];
      u[i] = d[j * features + i] + (cross[j * features + i] - product) / gram[j * atoms + j];
      norm += u[i] * u[i];
    }
    for (std::size_t i = 0; i < features; ++i) d[j * features + i] = u[i] / std::sqrt(norm);
  }
}

TEST(OnlineDictionary, KernelEqualsPlainLoops) {
  constexpr Index kAtoms = 75, kFeatures = 13, kCodes = 90;  // more than two blocks of atoms
  for (const Placement placement : {f64(), f32()}) {
    const Tensor codes = Tensor::from(numbers(kCodes * kAtoms, 1), {kCodes, kAtoms}, placement);
    const Tensor gram = (matmul(Value(codes), Value(codes), {.transpose_a = true}) * (1.0 / kCodes)).tensor();
    gram.reshaped({kAtoms * kAtoms, 1})
        .rows(5 * kAtoms + 5, 5 * kAtoms + 6)
        .fill(0.0);  // an atom that is never used
    const Tensor cross = Tensor::from(numbers(kAtoms * kFeatures, 2), {kAtoms, kFeatures}, placement);
    const Tensor dictionary = Tensor::from(numbers(kAtoms * kFeatures, 3), {kAtoms, kFeatures}, placement);
    std::vector<double> expected = dictionary.values();
    reference_pass(gram.values(), cross.values(), expected, kFeatures);
    solvers(placement.device)
        ->dictionary({.dtype = placement.dtype,
                      .atoms = kAtoms,
                      .features = kFeatures,
                      .gram = gram.data(),
                      .cross = cross.data(),
                      .tiny = 1e-7,
                      .dictionary = dictionary.data()});
    const std::vector<double> found = dictionary.values();
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_NEAR(found[i], expected[i], placement.dtype == Dtype::F64 ? 1e-11 : 2e-3) << i;
    }
  }
}

struct Problem {
  FactorGraph graph;
  Variable y, z;
  std::shared_ptr<const Linear> decoder;
  std::shared_ptr<const LatentMinimum> objective;
};

Problem problem(Index features, Index atoms, double lambda, double forget, Placement placement) {
  Problem made;
  made.y = made.graph.real("y", {features});
  made.z = made.graph.real("z", {atoms});
  made.decoder = std::make_shared<const Linear>(atoms, features, Key(1),
                                                LinearOptions{.bias = false, .placement = placement});
  scale_to_unit_norm(made.decoder->weight().tensor());
  made.graph.add(SquaredError(made.y, made.decoder, made.z)).add(L1(made.z, lambda));
  LatentMinimumOptions options;
  options.infer = {.max_steps = 5000, .tolerance = 1e-7};
  options.unit_norm = {"z.y.weight"};
  options.dead_after = 20;
  options.online = {.dictionary = "z.y.weight", .forget = forget};
  made.objective =
      std::make_shared<const LatentMinimum>(made.z, std::make_shared<const Fista>(made.z), options);
  return made;
}

TEST(OnlineDictionary, StatisticsForgetAsTheySay) {
  for (const double forget : {0.0, 1.0, 3.0}) {
    const Problem made = problem(5, 7, 0.05, forget, f64());
    Carry carry;
    Value gram;
    for (std::uint64_t t = 1; t <= 3; ++t) {
      State batch;
      batch.set(made.y, Tensor::from(numbers(4 * 5, 10 + t), {4, 5}, f64()));
      const Value z = LatentMinimum(made.z, std::make_shared<const Fista>(made.z),
                                    {.infer = {.max_steps = 5000, .tolerance = 1e-7}})
                          .minimum(made.graph, batch, Key(t).fold("infer"))
                          .state[made.z];
      const Value now = matmul(z, z, {.transpose_a = true}) * 0.25;
      const double weight = std::pow(1.0 - 1.0 / static_cast<double>(t), forget);
      gram = gram.defined() ? gram * weight + now : now;
      const Evaluation evaluation = made.objective->evaluate(made.graph, batch, carry, Key(t));
      EXPECT_FALSE(evaluation.gradients.at(0).dense().defined());
      made.objective->finish_step(made.graph, batch, carry, Key(t));
    }
    const std::vector<double> found = carry.at("online.gram").values(), expected = gram.tensor().values();
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-9) << forget;
  }
}

TEST(OnlineDictionary, FindsThePlantedElements) {
  // y = sum of one or two of 8 atoms, in 16 dimensions.
  constexpr Index kAtoms = 8, kFeatures = 16, kSamples = 64;
  const Tensor planted = Tensor::from(numbers(kAtoms * kFeatures, 5), {kAtoms, kFeatures}, f32());
  scale_to_unit_norm(planted);
  const Problem made = problem(kFeatures, kAtoms, 0.2, 5.0, f32());
  Carry carry;
  double first = 0.0, last = 0.0;
  for (std::uint64_t t = 0; t < 200; ++t) {
    const Tensor on = bernoulli(Key(t).fold("on"), Tensor::full({kSamples, kAtoms}, 0.12, f32()));
    State batch;
    batch.set(made.y, matmul(Value(on) * Value(normal(Key(t).fold("size"), {kSamples, kAtoms}, f32())),
                             Value(planted)));
    const Evaluation evaluation = made.objective->evaluate(made.graph, batch, carry, Key(t));
    made.objective->finish_step(made.graph, batch, carry, Key(t));
    (t == 0 ? first : last) = evaluation.metrics.at("loss");
  }
  EXPECT_LT(last, 0.7 * first);
  const Value found = made.decoder->weight().value().detached();
  const std::vector<double> match =
      max(abs(matmul(Value(planted), found, {.transpose_b = true})), 1).tensor().values();
  for (const double cosine : match) EXPECT_GT(cosine, 0.99);
}

TEST(OnlineDictionary, LeavesADictionaryThatIsNotWanted) {
  const Problem made = problem(16, 24, 0.3, 5.0, f32());
  const std::vector<double> before = made.decoder->weight().tensor().values();
  Carry carry;
  for (std::uint64_t t = 0; t < 3; ++t) {
    const State batch = State().set(made.y, normal(Key(t), {32, 16}, f32()));
    made.objective->evaluate(made.graph, batch, carry, Key(t), {.wants = {false}});
    made.objective->finish_step(made.graph, batch, carry, Key(t), {false});
    EXPECT_EQ(made.decoder->weight().tensor().values(), before) << t;
  }
}

TEST(OnlineDictionary, LearnsTheSameWhateverTheUnit) {
  std::vector<double> first;
  for (const double scale : {1.0, 1e-4}) {
    const Problem made = problem(16, 24, 0.3 * scale, 5.0, f64());
    Carry carry;
    for (std::uint64_t t = 0; t < 5; ++t) {
      const State batch = State().set(made.y, Value(normal(Key(t), {32, 16}, f64())) * scale);
      made.objective->evaluate(made.graph, batch, carry, Key(t));
      made.objective->finish_step(made.graph, batch, carry, Key(t));
    }
    const std::vector<double> found = made.decoder->weight().tensor().values();
    if (first.empty()) first = found;
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], first[i], 1e-6);
  }
}

TEST(OnlineDictionary, RefusesWhatIsNoDictionary) {
  FactorGraph graph;
  const Variable y = graph.real("y", {3}), z = graph.real("z", {4});
  graph.add(SquaredError(y, Linear(4, 3, Key(1), {.placement = f32()}), z)).add(L1(z, 0.1));  // with a bias
  State batch;
  batch.set(y, Tensor::zeros({2, 3}, f32()));
  Carry carry;
  const auto objective = [&](double forget) {
    return LatentMinimum(z, std::make_shared<const Fista>(z),
                         {.online = OnlineDictionary{.dictionary = "z.y.weight", .forget = forget}});
  };
  EXPECT_THROW(objective(20.0).evaluate(graph, batch, carry, Key(1)), Error);
  EXPECT_THROW(objective(-1.0), Error);
}

}  // namespace
}  // namespace basin::test
