// A deep Boltzmann machine, and its layers by themselves.
#include "models/dbm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "energy/marginal/conditional.h"
#include "support/device.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace basin {
namespace {

void randomise(const FactorGraph& graph, Key key) {
  for (Parameter parameter : graph.parameters())
    parameter.set(normal(key.fold(parameter.name()), parameter.tensor().shape(), test::f64()));
}

Value bits(const Variable& variable, Key key) {
  return bernoulli(key, Tensor::full(batched(variable, 4), 0.5, test::f64()));
}

double logit(double p) { return std::log(p / (1.0 - p)); }

TEST(DbmModel, HasTheEnergyOfItsLayers) {
  const Dbm model = dbm({.visible_shape = {2, 3}, .layers = {4, 3, 2}, .key = Key(1)});
  EXPECT_EQ(model.odd(), (Block{model.h[0], model.h[2]}));
  EXPECT_EQ(model.even(), (Block{model.v, model.h[1]}));
  randomise(model.graph, Key(2));
  State state = State().set(model.v, bits(model.v, Key(3)));
  for (std::size_t l = 0; l < 3; ++l) state.set(model.h[l], bits(model.h[l], Key(4 + l)));
  const auto of = [&](const char* name) { return model.graph.parameter(name).value(); };
  const auto h = [&](std::size_t l) { return state[model.h[l]]; };
  const Value v = flatten(state[model.v]);
  const auto row = [](const Value& b) { return reshape(b, {1, b.dim(0)}); };
  const Value by_hand = -sum(v * row(of("v.bias")), {1}) - sum(h(0) * row(of("h1.bias")), {1}) -
                        sum(h(1) * row(of("h2.bias")), {1}) - sum(h(2) * row(of("h3.bias")), {1}) -
                        sum(matmul(v, of("v.h1.weight")) * h(0), {1}) -
                        sum(matmul(h(0), of("h1.h2.weight")) * h(1), {1}) -
                        sum(matmul(h(1), of("h2.h3.weight")) * h(2), {1});
  const std::vector<double> energy = model.graph.energy(state).tensor().values(),
                            expected = by_hand.tensor().values();
  for (std::size_t n = 0; n < 4; ++n) EXPECT_NEAR(energy[n], expected[n], 1e-12);
}

// What a layer of the whole feels from both sides is the mean of what its two machines say.
TEST(DbmModel, IsComposedAsTheGeometricMeanOfItsLayers) {
  const Dbm model = dbm({.visible_shape = {5}, .layers = {4, 3, 2}, .key = Key(1)});
  model.graph.to(test::f64());
  const std::vector<DbmLayer> layers = {dbm_layer({5}, 4, Twice::Visible, 0.1, Key(1)),
                                        dbm_layer({4}, 3, Twice::Neither, 0.1, Key(2)),
                                        dbm_layer({3}, 2, Twice::Hidden, 0.1, Key(3))};
  for (std::size_t l = 0; l < 3; ++l) randomise(layers[l].graph, Key(10 + l));
  EXPECT_EQ(layers[0].graph.parameters().size(), 3u);  // copies share them
  compose(model, layers);
  State state = State().set(model.v, bits(model.v, Key(3)));
  for (std::size_t l = 0; l < 3; ++l) state.set(model.h[l], bits(model.h[l], Key(4 + l)));
  const auto up = [&](std::size_t l, const Value& below) {
    State of_copies;
    for (const Variable& visible : layers[l].visible) of_copies.set(visible, below);
    return conditional(layers[l].graph, {layers[l].h}, of_copies).front().mean().tensor().values();
  };
  const auto down = [&](std::size_t l, const Value& above) {
    State of_copies;
    for (const Variable& hidden : layers[l].hidden) of_copies.set(hidden, above);
    return conditional(layers[l].graph, {layers[l].v}, of_copies).front().mean().tensor().values();
  };
  const auto whole = [&](const Variable& layer) {
    return conditional(model.graph, {layer}, state).front().mean().tensor().values();
  };
  const auto x = [&](std::size_t l) { return l == 0 ? state[model.v] : state[model.h[l - 1]]; };
  for (std::size_t l = 0; l <= 3; ++l) {
    const std::vector<double> found = whole(l == 0 ? model.v : model.h[l - 1]);
    for (std::size_t i = 0; i < found.size(); ++i) {
      double expected = 0.0;
      // The ends have one neighbour, which is single there: they are as their machine has them with one copy.
      if (l == 0) expected = logit(down(0, x(1))[i]);
      if (l == 3) expected = logit(up(2, x(2))[i]);
      if (l == 1 || l == 2) expected = 0.5 * (logit(up(l - 1, x(l - 1))[i]) + logit(down(l, x(l + 1))[i]));
      EXPECT_NEAR(logit(found[i]), expected, 1e-9) << l;
    }
  }
  EXPECT_THROW(compose(model, {layers[0]}), Error);
  EXPECT_THROW(compose(model, {layers[1], layers[1], layers[2]}), Error);
}

TEST(DbmModel, SizesThatAreMissingAreRefused) {
  EXPECT_THROW((void)dbm({.visible_shape = {2}, .layers = {}, .key = Key(0)}), Error);
  EXPECT_THROW((void)dbm({.visible_shape = {2}, .layers = {3, 0}, .key = Key(0)}), Error);
  EXPECT_THROW((void)dbm({.visible_shape = {}, .layers = {3}, .key = Key(0)}), Error);
  EXPECT_THROW((void)dbm_layer({3}, 0, Twice::Visible, 0.1, Key(0)), Error);
}

}  // namespace
}  // namespace basin
