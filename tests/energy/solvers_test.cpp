#include "tensor/solvers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "energy/factors/penalties/l1.h"
#include "energy/factors/squared_error.h"
#include "energy/minimise/dictionary.h"
#include "energy/minimise/infer.h"
#include "energy/minimise/proximal.h"
#include "energy/objectives/latents/latent_minimum.h"
#include "modules/images/conv2d.h"
#include "modules/linear.h"
#include "support/numbers.h"
#include "tensor/guard/guard_solvers.h"

namespace basin::test {
namespace {

// Always the guard device: it can be told to have no solvers.
constexpr Placement kGuard{Dtype::F64, Device::Guard};

Tensor tensor(Shape shape, std::uint64_t seed) {
  const std::vector<double> values = numbers(element_count(shape), seed);
  return Tensor::from(values, std::move(shape), kGuard);
}

/// Codes with the device's solvers and without, of the same minimum; the rule used with them is `rule`.
void expect_equal_codes(const FactorGraph& graph, const Variable& z, const Transition& transition,
                        const State& clamped, const std::string& rule) {
  const InferOptions options{.max_steps = 20000, .tolerance = 1e-10};
  const Inferred with = infer(graph, z, transition, clamped, options, Key(3));
  EXPECT_EQ(with.rules, Rules{rule});
  const WithoutGuardSolvers none;
  const Inferred without = infer(graph, z, transition, clamped, options, Key(3));
  EXPECT_EQ(without.rules, Rules{});
  EXPECT_EQ(with.unconverged + without.unconverged, 0);
  EXPECT_GT(sum(abs(with.state[z])).item(), 0.1);
  EXPECT_LT(max(reshape(abs(with.state[z] - without.state[z]), {with.state[z].tensor().size()}), 0).item(),
            1e-4);
}

TEST(WithoutSolvers, SparseCodesAreDerived) {
  FactorGraph graph;
  const Variable y = graph.real("y", {9}), z = graph.real("z", {6});
  const Linear decoder(6, 9, Key(1), {.bias = false, .placement = kGuard});
  decoder.weight().tensor().copy_from(tensor({6, 9}, 1));
  graph.add(SquaredError(y, decoder, z)).add(L1(z, 0.3));
  State clamped;
  clamped.set(y, tensor({5, 9}, 2));
  expect_equal_codes(graph, z, Fista(z), clamped, "lasso");
  expect_equal_codes(graph, z, CoordinateDescent(z), clamped, "lasso");
}

TEST(WithoutSolvers, ConvolutionalCodesAreDerived) {
  FactorGraph graph;
  const Variable y = graph.real("y", {1, 6, 16}), z = graph.real("z", {2, 6, 16});
  const ConvTranspose2d decoder(2, 1, {3, 3}, Key(1),
                                {.padding = {1, 1}, .bias = false, .placement = kGuard});
  decoder.weight().tensor().copy_from(tensor({2, 1, 3, 3}, 3));
  graph.add(SquaredError(y, decoder, z)).add(L1(z, 0.5));
  State clamped;
  clamped.set(y, tensor({2, 1, 6, 16}, 4));
  expect_equal_codes(graph, z, Fista(z), clamped, "convolutional_lasso");
}

TEST(WithoutSolvers, DictionariesAreLearnedByOps) {
  const auto learned = [] {
    FactorGraph graph;
    const Variable y = graph.real("y", {5}), z = graph.real("z", {7});
    const Linear decoder(7, 5, Key(1), {.bias = false, .placement = kGuard});
    scale_to_unit_norm(decoder.weight().tensor());
    graph.add(SquaredError(y, decoder, z)).add(L1(z, 0.05));
    const LatentMinimum objective(z, std::make_shared<const Fista>(z),
                                  {.infer = {.max_steps = 20000, .tolerance = 1e-13, .fuse = Fuse::Off},
                                   .online = OnlineDictionary{"z.y.weight"}});
    Carry carry;
    for (std::uint64_t t = 1; t <= 3; ++t) {
      State batch;
      batch.set(y, tensor({4, 5}, 10 + t));
      objective.evaluate(graph, batch, carry, Key(t));
      // An atom that was never used stays as it is.
      carry.at("online.gram").rows(2, 3).fill(0.0);
      objective.finish_step(graph, batch, carry, Key(t));
    }
    return decoder.weight().tensor().values();
  };
  const std::vector<double> with = learned();
  const WithoutGuardSolvers none;
  const std::vector<double> without = learned();
  for (std::size_t i = 0; i < with.size(); ++i) EXPECT_NEAR(with[i], without[i], 1e-9) << i;
}

}  // namespace
}  // namespace basin::test
