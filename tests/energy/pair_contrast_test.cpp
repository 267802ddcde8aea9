// Pairs that belong together are pulled, others pushed to the margin.
#include "energy/factors/penalties/pair_contrast.h"

#include <gtest/gtest.h>

#include "energy/objectives/mean_energy.h"
#include "gradients.h"
#include "modules/activation.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"

namespace basin::test {
namespace {

struct Pairs {
  FactorGraph graph;
  Variable a, b, same;
  std::shared_ptr<const Module> g;
};

Pairs pairs_of(double margin) {
  Pairs made;
  made.a = made.graph.real("a", {3});
  made.b = made.graph.real("b", {3});
  made.same = made.graph.binary("same", {1});
  made.g = std::make_shared<const Sequential>(
      Sequential().add(Linear(3, 2, Key(1), {.placement = f64()})).add(Activation(Activation::Kind::Tanh)));
  made.graph.add(PairContrast(made.a, made.b, made.same, made.g, margin));
  randomise(made.graph, Key(2), 0.8);
  return made;
}

/// Six pairs, the last two of equal samples.
State batch_of(const Pairs& made) {
  std::vector<double> a = normal(Key(3), {6, 3}, {Dtype::F64, Device::Cpu}).values(),
                      b = normal(Key(4), {6, 3}, {Dtype::F64, Device::Cpu}).values();
  std::copy(a.begin() + 12, a.end(), b.begin() + 12);
  return State()
      .set(made.a, numbers(a, {6, 3}))
      .set(made.b, numbers(b, {6, 3}))
      .set(made.same, numbers({1, 0, 1, 0, 1, 0}, {6, 1}));
}

TEST(PairContrast, IsTheFormula) {
  for (const double margin : {0.3, 5.0}) {
    const Pairs made = pairs_of(margin);
    const State batch = batch_of(made);
    const std::vector<double> a = made.g->forward(batch[made.a]).tensor().values(),
                              b = made.g->forward(batch[made.b]).tensor().values(),
                              energy = made.graph.energy(batch).tensor().values();
    for (std::size_t n = 0; n < 6; ++n) {
      const double distance = std::hypot(a[2 * n] - b[2 * n], a[2 * n + 1] - b[2 * n + 1]);
      const double short_of_it = std::max(0.0, margin - distance);
      EXPECT_NEAR(energy[n], 0.5 * (n % 2 == 0 ? distance * distance : short_of_it * short_of_it), 1e-5);
    }
  }
}

TEST(PairContrast, GradientsAreDifferences) {
  const Pairs made = pairs_of(5.0);
  const State batch = batch_of(made);
  Carry carry;
  const MeanEnergy objective;
  const auto loss = [&] { return objective.evaluate(made.graph, batch, carry, Key(5)).metrics.at("loss"); };
  expect_gradients(made.graph, objective.evaluate(made.graph, batch, carry, Key(5)), loss, 1e-7, "pairs");
}

TEST(PairContrast, RefusesWhatIsNoPair) {
  FactorGraph graph;
  const Variable a = graph.real("a", {3}), b = graph.real("b", {4}), same = graph.binary("same", {1});
  const auto g = std::make_shared<const Linear>(3, 2, Key(1));
  EXPECT_TRUE(contains(error_of([&] { PairContrast(a, b, same, g, 1.0); }), "one shape"));
  EXPECT_TRUE(contains(error_of([&] { PairContrast(a, a, b, g, 1.0); }), "binary"));
  EXPECT_TRUE(contains(error_of([&] { PairContrast(a, a, same, g, 0.0); }), "margin above 0"));
}

}  // namespace
}  // namespace basin::test
