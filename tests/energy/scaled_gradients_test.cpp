#include "energy/objectives/scaled_gradients.h"

#include <gtest/gtest.h>

#include "energy/factors/squared_error.h"
#include "energy/objectives/mean_energy.h"
#include "modules/linear.h"
#include "support/device.h"
#include "support/numbers.h"
#include "tensor/error.h"

namespace basin::test {
namespace {

TEST(ScaledGradients, ScalesThoseOfItsPrefixAlone) {
  FactorGraph graph;
  const Variable y = graph.real("y", {3}), z = graph.real("z", {2});
  graph.add(SquaredError(y, Linear(2, 3, Key(1), {.placement = f64()}), z))
      .add(SquaredError(z, Linear(3, 2, Key(2), {.placement = f64()}), y));
  State batch;
  batch.set(y, Tensor::from(numbers(12, 3), {4, 3}, f64()))
      .set(z, Tensor::from(numbers(8, 4), {4, 2}, f64()));
  Carry carry;
  const auto plain = std::make_shared<const MeanEnergy>();
  const ScaledGradients scaled(plain, "y.z.", 0.25);
  const Evaluation before = plain->evaluate(graph, batch, carry, Key(5)),
                   after = scaled.evaluate(graph, batch, carry, Key(5));
  EXPECT_EQ(scaled.name(), plain->name());
  EXPECT_EQ(after.metrics, before.metrics);
  const std::vector<Parameter> parameters = graph.parameters();
  int own = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const bool is_own = parameters[i].name().starts_with("y.z.");
    own += is_own ? 1 : 0;
    const Shape shape = parameters[i].tensor().shape();
    const std::vector<double> was = before.gradients[i].to_tensor(shape).values(),
                              is = after.gradients[i].to_tensor(shape).values();
    for (std::size_t k = 0; k < was.size(); ++k)
      EXPECT_DOUBLE_EQ(is[k], (is_own ? 0.25 : 1.0) * was[k]) << parameters[i].name();
  }
  EXPECT_EQ(own, 2);  // weight and bias
}

TEST(ScaledGradients, RefusesWhatMakesNoSense) {
  EXPECT_THROW(ScaledGradients(nullptr, "", 1.0), Error);
  EXPECT_THROW(ScaledGradients(std::make_shared<const MeanEnergy>(), "", -1.0), Error);
}

}  // namespace
}  // namespace basin::test
