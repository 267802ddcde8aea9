#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "energy/factors/bias.h"
#include "energy/factors/bilinear.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "tensor/cuda/cuda_backend.h"
#include "tensor/guard/guard_backend.h"
#include "tensor/random.h"
#include "training/optimizers/adam.h"
#include "training/optimizers/sgd.h"

namespace basin {
namespace {

// Always devices that count; rules and kernels are those of any other.
constexpr Placement kGuard{Dtype::F32, Device::Guard};
constexpr Index kVisible = 9, kHidden = 6, kSamples = 8;

struct Cost {
  std::uint64_t products = 0;     // of matrices, a step
  std::uint64_t downloads = 0;    // a step
  std::uint64_t allocations = 0;  // of tensors, a step
  bool operator==(const Cost&) const = default;
};

void PrintTo(const Cost& cost, std::ostream* out) {
  *out << fmt::format("{} products, {} downloads, {} allocations", cost.products, cost.downloads,
                      cost.allocations);
}

/// Calls measure(step) with a step of training an RBM, the optimizer's part included, that is warm.
template <class Measure>
auto of_warm_steps(Device device, const ContrastiveDivergenceOptions& options, Optimizer& optimizer,
                   const Measure& measure) {
  const Placement placement{Dtype::F32, device};
  FactorGraph graph;
  const Variable v = graph.binary("v", {kVisible}), h = graph.binary("h", {kHidden});
  graph.add(Bias(v)).add(Bias(h)).add(Bilinear(v, h, Key(1)));
  const std::vector<Parameter> parameters = graph.parameters();
  for (Parameter parameter : parameters) parameter.set(parameter.tensor().to(placement));
  const Contrast objective = ContrastiveDivergence(v, BlockGibbs({{h}, {v}}), options);
  const State batch = State().set(v, bernoulli(Key(2), Tensor::full({kSamples, kVisible}, 0.4, placement)));
  Carry carry;
  const auto step = [&](std::uint64_t i) {
    const Evaluation evaluation = objective.evaluate(graph, batch, carry, Key(i), {.metrics = false});
    optimizer.step(parameters, evaluation.gradients, {.step = static_cast<Index>(i)});
  };
  std::uint64_t taken = 0;
  for (; taken < 2; ++taken) step(taken);
  return measure([&] { step(taken++); });
}

/// What a warm step costs.
Cost cost_of(const ContrastiveDivergenceOptions& options, Optimizer& optimizer) {
  return of_warm_steps(Device::Guard, options, optimizer, [](const auto& step) {
    constexpr std::uint64_t kWarm = 3;
    const GuardWork before = guard_work();
    const std::uint64_t tensors = allocation_count(Device::Guard);
    for (std::uint64_t i = 0; i < kWarm; ++i) step();
    const GuardWork after = guard_work();
    return Cost{(after.products - before.products) / kWarm, (after.downloads - before.downloads) / kWarm,
                (allocation_count(Device::Guard) - tensors + kWarm - 1) / kWarm};
  });
}

/// Kernels and products that a warm step starts on a GPU, counted where it is emulated.
std::uint64_t launches_of(const ContrastiveDivergenceOptions& options, Optimizer& optimizer) {
  return of_warm_steps(Device::CudaEmulated, options, optimizer, [](const auto& step) {
    const std::uint64_t before = emulated_launches();
    step();
    return emulated_launches() - before;
  });
}

/// The ways to reshape a gradient, each with its name.
std::vector<std::pair<std::string, ContrastiveDivergenceOptions>> reshaped(
    const ContrastiveDivergenceOptions& plain) {
  std::vector<std::pair<std::string, ContrastiveDivergenceOptions>> all{{"plain", plain}};
  ContrastiveDivergenceOptions centred = plain, sparse = plain;
  centred.centring = 0.05;
  sparse.sparsity = {.target = 0.1, .cost = 0.3};
  ContrastiveDivergenceOptions both = sparse;
  both.centring = 0.05;
  all.emplace_back("centring", centred);
  all.emplace_back("sparsity", sparse);
  all.emplace_back("centring and sparsity", both);
  return all;
}

void expect_costs(const ContrastiveDivergenceOptions& plain, std::uint64_t products) {
  for (const auto& [name, options] : reshaped(plain)) {
    Sgd sgd({.learning_rate = 0.1}), momentum({.learning_rate = 0.1, .momentum = 0.5});
    Adam adam;
    EXPECT_EQ(cost_of(options, sgd), (Cost{products, 0, 0})) << name << ", sgd";
    EXPECT_EQ(cost_of(options, momentum), (Cost{products, 0, 0})) << name << ", sgd with momentum";
    EXPECT_EQ(cost_of(options, adam), (Cost{products, 0, 0})) << name << ", adam";
  }
}

// Five products of matrices: three of the chain, v+ W, h W' and v- W, and two of the gradient, which the
// optimizer adds straight into the parameters. Rank-one terms and vectors do not count.
TEST(ContrastCost, ContrastiveDivergenceTakesFiveProducts) { expect_costs({}, 5); }

TEST(ContrastCost, PersistentChainsTakeFiveProducts) { expect_costs({.persistent = true}, 5); }

// One more: chains move under W + fast weights, the model's own means need v- W. Fast weights and optimizer
// share the gradient.
TEST(ContrastCost, FastWeightsTakeSixProducts) { expect_costs({.persistent = true, .fast_rate = 0.05}, 6); }

// Three products and three passes of units, four sums of columns, two products of the gradient, and one
// kernel for the steps of all parameters.
TEST(ContrastCost, AStepOnAGpuStartsThirteenKernels) {
  Sgd momentum({.learning_rate = 0.1, .momentum = 0.5});
  EXPECT_EQ(launches_of({}, momentum), 13u);
}

TEST(ContrastCost, MoreSweepsTakeTwoMoreEach) {
  Sgd sgd;
  EXPECT_EQ(cost_of({.steps = 3}, sgd), (Cost{9, 0, 0}));
  EXPECT_EQ(cost_of({.steps = 3, .persistent = true}, sgd), (Cost{9, 0, 0}));
}

}  // namespace
}  // namespace basin
