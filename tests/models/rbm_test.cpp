#include "models/rbm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "energy/marginal/conditional.h"
#include "energy/sample/block_gibbs.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin::test {
namespace {

const std::vector<UnitKind> kKinds = {UnitKind::Binary, UnitKind::Gaussian, UnitKind::Relu,
                                      UnitKind::Softmax};

TEST(RbmTest, EveryPairOfUnitsIsAGraphThatGibbsCanMove) {
  for (const UnitKind visible : kKinds) {
    for (const UnitKind hidden : kKinds) {
      const Rbm model = rbm({.visible = visible,
                             .hidden = hidden,
                             .visible_shape = {2, 3},
                             .hidden_units = 4,
                             .hidden_group = 2,
                             .key = Key(1)});
      model.graph.to(f64());
      EXPECT_EQ(model.h.size(), 4);
      const State start = State().set(model.v, Tensor::zeros({5, 2, 3}, f64()));
      const State end = iterate(BlockGibbs({{model.h}, {model.v}}), model.graph, start, 2, Key(2));
      EXPECT_EQ(model.graph.energy(end).shape(), Shape{5});
    }
  }
}

TEST(RbmTest, NamesAndShapesOfItsParameters) {
  const Rbm model = rbm({.visible = UnitKind::Gaussian,
                         .visible_shape = {2, 3},
                         .hidden_units = 4,
                         .weight_scale = 0.5,
                         .key = Key(1)});
  std::vector<std::string> names;
  for (const Parameter& parameter : model.graph.parameters()) names.push_back(parameter.name());
  EXPECT_EQ(names, (std::vector<std::string>{"v.bias", "h.bias", "v.h.weight", "v.log_precision"}));
  EXPECT_EQ(model.graph.parameters()[2].tensor().shape(), (Shape{6, 4}));
  const std::vector<double> weights = model.graph.parameters()[2].tensor().values();
  const std::vector<double> drawn = normal(Key(1).fold("v.h.weight"), {6, 4}).values();
  for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(weights[i], 0.5 * drawn[i], 1e-6);
}

TEST(RbmTest, ItsEnergyIsTheOneInTheHeader) {
  const Rbm model = rbm({.visible = UnitKind::Gaussian,
                         .hidden = UnitKind::Relu,
                         .visible_shape = {1},
                         .hidden_units = 1,
                         .key = Key(1)});
  model.graph.to(f64());
  const std::vector<double> values = {0.3, -0.2, 1.5, 0.4};  // b, c, w, s
  for (std::size_t i = 0; i < 4; ++i) model.graph.parameters()[i].tensor().fill(values[i]);
  const double v = 0.7, h = 1.2;
  const State state =
      State().set(model.v, Tensor::full({1, 1}, v, f64())).set(model.h, Tensor::full({1, 1}, h, f64()));
  EXPECT_NEAR(model.graph.energy(state).item(),
              -0.3 * v + 0.2 * h - 1.5 * v * h + 0.5 * std::exp(0.4) * v * v + 0.5 * h * h, 1e-12);
}

TEST(RbmTest, RefusesSizesThatDoNotFit) {
  EXPECT_THROW(rbm({.hidden_units = 4, .key = Key(1)}), Error);
  EXPECT_THROW(rbm({.visible_shape = {3}, .key = Key(1)}), Error);
  EXPECT_THROW(rbm({.hidden = UnitKind::Softmax,
                    .visible_shape = {3},
                    .hidden_units = 5,
                    .hidden_group = 2,
                    .key = Key(1)}),
               Error);
  EXPECT_THROW(rbm({.visible = UnitKind::Softmax, .visible_shape = {3, 1}, .hidden_units = 5, .key = Key(1)}),
               Error);
  EXPECT_EQ(parse_unit_kind("relu"), UnitKind::Relu);
  EXPECT_THROW(parse_unit_kind("tanh"), Error);
}

}  // namespace
}  // namespace basin::test
