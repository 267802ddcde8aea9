#include "energy/marginal/layered.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>

#include "autograd/ops.h"
#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/likelihood/annealed_importance.h"
#include "energy/marginal/conditional.h"
#include "energy/objectives/contrast/contrast.h"
#include "energy/sample/block_gibbs.h"
#include "energy/sample/gibbs.h"
#include "oracle.h"

namespace basin::test {
namespace {

struct Deep {
  FactorGraph graph;
  Block layers;
};

/// 5 - 4 - 3 bits, or with one layer more; the second matrix lies the other way round, the last bias may be
/// missing.
Deep deep(std::size_t count, std::size_t biases) {
  const std::array<Index, 4> sizes{5, 4, 3, 2};
  Deep made;
  for (std::size_t l = 0; l < count; ++l)
    made.layers.push_back(made.graph.binary("x" + std::to_string(l), {sizes[l]}));
  for (std::size_t l = 0; l + 1 < count; ++l) {
    const Variable &low = made.layers[l], &high = made.layers[l + 1];
    if (l == 1) made.graph.add(Bilinear(high, low, Key(l)));
    if (l != 1) made.graph.add(Bilinear(low, high, Key(l)));
  }
  for (std::size_t l = 0; l < biases; ++l) made.graph.add(Bias(made.layers[l]));
  randomise(made.graph, Key(7));
  return made;
}

State batch_of(const Deep& made, Index rows, Key key) {
  State batch = State().set(made.layers[0], bernoulli(key, Tensor::full({rows, 5}, 0.5, f64())));
  std::vector<double> ids(static_cast<std::size_t>(rows));
  std::iota(ids.begin(), ids.end(), 3.0);
  return batch.in({.ids = Tensor::from(ids, {rows}, {Dtype::F64, Device::Cpu})});
}

Contrast contrast_of(const Deep& made, bool warm, ContrastOptions options, Index steps) {
  const Block units(made.layers.rbegin(), made.layers.rend() - 1);
  Block odd, even;
  for (std::size_t l = 0; l < made.layers.size(); ++l) (l % 2 == 0 ? even : odd).push_back(made.layers[l]);
  return {{made.layers[0]},
          MeanField(units, {.iterations = 3, .warm = warm}),
          Chains(BlockGibbs({odd, even}), {.steps = steps, .persistent = 5}),
          options};
}

/// Gradients of a few steps by both paths, and what they carry.
void expect_parity(std::size_t count, bool warm, ContrastOptions options, Index steps = 2) {
  const Deep made = deep(count, options.centring > 0.0 ? count : count - 1);
  Carry fused, derived;
  ContrastOptions off = options;
  off.fuse = Fuse::Off;
  const Contrast a = contrast_of(made, warm, options, steps), b = contrast_of(made, warm, off, steps);
  EXPECT_EQ(a.rules(made.graph), Rules{"layered"});
  EXPECT_TRUE(b.rules(made.graph).empty());
  for (std::uint64_t step = 0; step < 3; ++step) {
    const State batch = batch_of(made, 6, Key(20 + step));
    const Evaluation x = a.evaluate(made.graph, batch, fused, Key(step)),
                     y = b.evaluate(made.graph, batch, derived, Key(step));
    const std::vector<Parameter> parameters = made.graph.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const Shape& shape = parameters[i].tensor().shape();
      const std::vector<double> g = x.gradients[i].to_tensor(shape).values(),
                                h = y.gradients[i].to_tensor(shape).values();
      for (std::size_t j = 0; j < g.size(); ++j) EXPECT_NEAR(g[j], h[j], 1e-12) << parameters[i].name();
    }
    ASSERT_EQ(x.metrics.size(), y.metrics.size());
    for (const auto& [name, number] : x.metrics) EXPECT_NEAR(number, y.metrics.at(name), 1e-11) << name;
  }
  ASSERT_EQ(fused.size(), derived.size());
  for (const auto& [name, tensor] : fused) {
    const std::vector<double> g = tensor.values(), h = derived.at(name).values();
    for (std::size_t j = 0; j < g.size(); ++j) EXPECT_NEAR(g[j], h[j], 1e-12) << name;
  }
}

TEST(LayeredTest, FusedDivergenceEqualsDerived) {
  for (const std::size_t count : {3u, 4u}) {
    SCOPED_TRACE(count);
    expect_parity(count, false, {});
    expect_parity(count, true, {}, 1);
    expect_parity(count, true, {.sparsity = {.target = 0.2, .cost = 1.5}});
    expect_parity(count, false, {.centring = 0.1});
    expect_parity(count, true, {.centring = 0.1, .offsets = Offsets::Average, .sparsity = {0.3, 2.0}});
  }
}

TEST(LayeredTest, OtherGraphsAndContrastsAreDeclined) {
  EXPECT_TRUE(recognise_layered(deep(4, 4).graph));
  Deep ring = deep(3, 3);
  ring.graph.add(Bilinear(ring.layers[0], ring.layers[2], Key(1)));
  EXPECT_FALSE(recognise_layered(ring.graph));
  EXPECT_FALSE(recognise_layered(deep(3, 3).graph.scaled(0.5)));
  Deep shared = deep(3, 3);
  shared.graph.add(Bias(shared.layers[0], {.label = "again"}));
  EXPECT_FALSE(recognise_layered(shared.graph));
  FactorGraph copies;
  const Variable v = copies.binary("v", {2}), h = copies.binary("h", {3}), w = copies.binary("w", {2});
  const Bilinear link(v, h, Key(1));
  copies.add(link).add(Bilinear(w, h, link.weight()));
  EXPECT_FALSE(recognise_layered(copies));  // of two gradients only one would be seen
  const Deep made = deep(3, 3);
  const Block& x = made.layers;
  const MeanField means({x[2], x[1]});
  const BlockGibbs sweep({{x[1]}, {x[0], x[2]}});
  for (const Contrast& contrast :
       {Contrast({x[0]}, means, Chains(sweep)), Contrast({x[0]}, Chains(sweep, {.persistent = 2})),
        Contrast({x[0]}, means, Chains(sweep, {.persistent = 2, .fast_rate = 0.1})),
        Contrast({x[0]}, means, Chains(sweep, {.persistent = 2, .restart = 0.1})),
        Contrast({x[0]}, MeanField({x[2], x[1]}, {.updates = Updates::Parallel}),
                 Chains(sweep, {.persistent = 2})),
        Contrast({x[0]}, MeanField({x[2], x[1]}, {.damping = 0.5}), Chains(sweep, {.persistent = 2})),
        Contrast({x[0]}, means, Chains(sweep, {.persistent = 2}), {.fuse = Fuse::Off})})
    EXPECT_TRUE(contrast.rules(made.graph).empty());
}

TEST(LayeredTest, FusedGibbsSweepsEqualDerivedOnes) {
  const Deep made = deep(4, 3);
  const Block& x = made.layers;
  State state = State().in({.first_row = 3});
  for (const Variable& layer : x)
    state.set(layer, bernoulli(Key(9).fold(layer.name), Tensor::full({6, layer.size()}, 0.5, f64())));
  for (const BlockGibbs& sweep : {BlockGibbs({{x[1], x[3]}, {x[0], x[2]}}), BlockGibbs({{x[2]}, {x[1]}})}) {
    const State fused = gibbs(made.graph, sweep, state, 3, Key(4)),
                derived = gibbs(made.graph, sweep, state, 3, Key(4), Fuse::Off);
    for (const Variable& layer : x)
      EXPECT_EQ(fused[layer].tensor().values(), derived[layer].tensor().values()) << layer.name;
  }
}

// Weights up to rounding of the derived ones, chain by chain; log Z by 400 chains within 4 standard errors.
TEST(LayeredTest, AnnealingEqualsTheDerivedAndEnumeration) {
  for (const std::size_t count : {3u, 4u}) {
    const Deep made = deep(count, count);
    Block even, odd;
    for (std::size_t l = 0; l < count; ++l) (l % 2 == 0 ? even : odd).push_back(made.layers[l]);
    AnnealedImportanceOptions options{
        .chains = 10, .temperatures = uniform_ladder(6), .batch = 7, .key = Key(3)};
    options.base[even[1].name] = numbers({0.3, -0.2, 0.1}, {3});
    AnnealedImportanceOptions off = options;
    off.fuse = Fuse::Off;
    const PartitionEstimate fused = annealed_importance(made.graph, even, odd, options),
                            derived = annealed_importance(made.graph, even, odd, off);
    EXPECT_EQ(fused.rules, Rules{"layered"});
    EXPECT_TRUE(derived.rules.empty());
    for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(fused.log_weights[i], derived.log_weights[i], 1e-10);
    options.chains = 400;
    options.temperatures = uniform_ladder(30);
    const double exact = distribution(made.graph, made.graph.variables()).log_total;
    const PartitionEstimate forward = annealed_importance(made.graph, even, odd, options);
    EXPECT_NEAR(forward.log_z, exact, 4.0 * forward.standard_error);
    EXPECT_LT(forward.standard_error, 0.1);
    State start;
    for (const Variable& layer : even)
      start.set(layer, bernoulli(Key(5).fold(layer.name), Tensor::full({400, layer.size()}, 0.5, f64())));
    const PartitionEstimate reverse =
        reverse_annealed_importance(made.graph, even, odd, start, options, {.burn_in = 30});
    EXPECT_NEAR(reverse.log_z, exact, 4.0 * reverse.standard_error);
    EXPECT_LT(reverse.standard_error, 0.1);
  }
}

// Means of a sample are found by its number, wherever it stands in the batch.
TEST(LayeredTest, WarmMeansAreThoseOfTheSample) {
  const Deep made = deep(3, 3);
  const Contrast warm = contrast_of(made, true, {.fuse = Fuse::Off}, 1);
  Carry carry;
  const State batch = batch_of(made, 4, Key(1));  // numbers 3, 4, 5, 6
  warm.evaluate(made.graph, batch, carry, Key(2));
  const Tensor held = carry.at("positive.means.x1").clone();
  EXPECT_EQ(held.shape(), (Shape{7, 4}));
  EXPECT_FALSE(carry.contains("positive.means.x2"));
  EXPECT_EQ(held.rows(0, 3).values(), std::vector<double>(12, 0.5));
  // Samples 6 and 3 again: three updates more of theirs.
  State two = State().set(made.layers[0], concat({Value(batch[made.layers[0]].tensor().rows(3, 4)),
                                                  Value(batch[made.layers[0]].tensor().rows(0, 1))},
                                                 0));
  two.in({.ids = Tensor::from(std::vector<double>{6, 3}, {2}, {Dtype::F64, Device::Cpu})});
  warm.evaluate(made.graph, two, carry, Key(3));
  const MeanField six({made.layers[2], made.layers[1]});
  const State long_way =
      iterate(six, made.graph, State().set(made.layers[0], two[made.layers[0]]), 6, Key(0));
  const std::vector<double> now = carry.at("positive.means.x1").values(),
                            expected = long_way[made.layers[1]].tensor().values();
  for (std::size_t j = 0; j < 4; ++j) {
    EXPECT_NEAR(now[6 * 4 + j], expected[j], 1e-12);
    EXPECT_NEAR(now[3 * 4 + j], expected[4 + j], 1e-12);
  }
  EXPECT_EQ(carry.at("positive.means.x1").rows(4, 6).values(), held.rows(4, 6).values());
  const State nameless = State().set(made.layers[0], two[made.layers[0]]);
  const std::string error = error_of([&] { warm.evaluate(made.graph, nameless, carry, Key(4)); });
  EXPECT_TRUE(contains(error, "numbers of the samples")) << error;
}

// The penalty by finite differences, the means of the other layers held.
TEST(LayeredTest, SparsityOfMeanFieldIsDifferentiated) {
  constexpr double kStep = 1e-6;
  const Deep made = deep(3, 3);
  const Block& x = made.layers;
  const State batch = batch_of(made, 5, Key(1));
  const Sparsity sparsity{.target = 0.3, .cost = 1.7};
  const auto gradients = [&](const ContrastOptions& options) {
    Carry carry;
    std::vector<std::vector<double>> all;
    const Evaluation found = contrast_of(made, false, options, 1).evaluate(made.graph, batch, carry, Key(2));
    for (std::size_t i = 0; i < made.graph.parameters().size(); ++i)
      all.push_back(found.gradients[i].to_tensor(made.graph.parameters()[i].tensor().shape()).values());
    return all;
  };
  const State means = iterate(MeanField({x[2], x[1]}), made.graph, batch, 3, Key(0));
  const auto penalty = [&] {
    double sum = 0.0;
    for (const Variable& latent : {x[1], x[2]}) {
      const Value q = mean(conditional(made.graph, {latent}, means).front().mean(), {0});
      for (const double one : q.tensor().values()) sum += std::pow(sparsity.target - one, 2);
    }
    return 0.5 * sparsity.cost * sum;
  };
  const auto with = gradients({.sparsity = sparsity}), without = gradients({});
  for (std::size_t i = 0; i < with.size(); ++i) {
    Parameter parameter = made.graph.parameters()[i];
    const Tensor own = parameter.tensor();
    for (std::size_t j = 0; j < with[i].size(); ++j) {
      const auto at = [&](double shift) {
        std::vector<double> moved = own.values();
        moved[j] += shift;
        parameter.set(numbers(moved, own.shape()));
        return penalty();
      };
      const double slope = (at(kStep) - at(-kStep)) / (2.0 * kStep);
      parameter.set(own);
      EXPECT_NEAR(with[i][j] - without[i][j], slope, 1e-8) << parameter.name();
    }
  }
}

}  // namespace
}  // namespace basin::test
