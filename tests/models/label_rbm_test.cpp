// A Boltzmann machine of samples and labels: its scores against the free energy by elimination.
#include "models/label_rbm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autograd/grad.h"
#include "autograd/ops.h"
#include "energy/eliminate/eliminate.h"
#include "energy/objectives/exact_likelihood.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

constexpr Index kVisible = 5, kClasses = 3, kHidden = 4, kSamples = 6;

LabelRbm model() {
  LabelRbm model = label_rbm({.visible_shape = {kVisible},
                              .classes = kClasses,
                              .hidden_units = kHidden,
                              .weight_scale = 1.0,
                              .key = Key(2)});
  for (const Parameter& parameter : model.graph.parameters()) {
    if (parameter.tensor().rank() == 1)
      parameter.tensor().copy_from(
          normal(Key(3).fold(parameter.name()), parameter.tensor().shape(), parameter.tensor().placement()));
  }
  model.graph.to(test::f64());
  return model;
}

Value one_hot(Index label) {
  std::vector<double> rows(kSamples * kClasses, 0.0);
  for (std::size_t n = 0; n < kSamples; ++n) rows[n * kClasses + static_cast<std::size_t>(label)] = 1.0;
  return Tensor::from(rows, {kSamples, kClasses}).to(test::f64());
}

Value samples() { return bernoulli(Key(4), Tensor::full({kSamples, kVisible}, 0.5, test::f64())); }

TEST(LabelRbm, ScoresAreMinusTheFreeEnergyOfEachLabelButForWhatAllLabelsShare) {
  const LabelRbm rbm = model();
  const Value v = samples();
  const std::vector<double> scores = rbm.scores->forward(v).tensor().values();
  std::vector<std::vector<double>> energies;
  for (Index k = 0; k < kClasses; ++k)
    energies.push_back(
        free_energy(rbm.graph, {rbm.h}, State().set(rbm.v, v).set(rbm.y, one_hot(k))).tensor().values());
  for (std::size_t n = 0; n < kSamples; ++n) {
    for (std::size_t k = 1; k < kClasses; ++k)
      EXPECT_NEAR(scores[n * kClasses + k] - scores[n * kClasses], energies[0][n] - energies[k][n], 1e-12);
  }
}

TEST(LabelRbm, TheConditionalLikelihoodIsTheCrossEntropyOfItsScores) {
  const LabelRbm rbm = model();
  const Value v = samples(), y = one_hot(1);
  Carry carry;
  const Evaluation found = ConditionalLikelihood({rbm.y}).evaluate(
      rbm.graph, State().set(rbm.v, v).set(rbm.y, y), carry, Key(5), {.metrics = true});
  const Value scores = rbm.scores->forward(v);
  const Value loss = mean(log_sum_exp(scores, 1) - sum(scores * y, {1}));
  EXPECT_NEAR(found.metrics.at("loss"), loss.item(), 1e-10);
  std::vector<Value> leaves;
  for (const Parameter& parameter : rbm.graph.parameters()) leaves.push_back(parameter.value());
  const std::vector<Value> wanted = grad(loss, leaves);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (!wanted[i].defined()) continue;
    const std::vector<double> a = found.gradients[i].to_tensor(leaves[i].shape()).values(),
                              b = wanted[i].tensor().values();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], b[k], 1e-10);
  }
}

TEST(LabelRbm, SizesThatAreMissingAreRefused) {
  EXPECT_THROW((void)label_rbm({.visible_shape = {2}, .classes = 1, .hidden_units = 3, .key = Key(0)}),
               Error);
}

}  // namespace
}  // namespace basin
