#include <fmt/format.h>

#include <memory>

#include "benchmarks/gpu/gpu_case.h"
#include "energy/likelihood/annealed_importance.h"
#include "energy/objectives/contrast/contrastive_divergence.h"
#include "energy/sample/gibbs.h"
#include "models/rbm.h"
#include "tensor/random.h"
#include "training/optimizers/sgd.h"

namespace basin::benchmarks {
namespace {

constexpr Index kVisible = 784;

struct Machine {
  Machine(const Setting& setting, Index hidden)
      : model(rbm({.visible_shape = {setting.size(kVisible, 12)},
                   .hidden_units = setting.size(hidden, 8),
                   .weight_scale = 0.01,
                   .key = Key(1)})) {
    model.graph.to(setting.placement);
  }

  Index visible() const { return model.v.size(); }
  Index hidden() const { return model.h.size(); }
  /// Bytes of weights, and of one layer's states.
  double weight_bytes() const { return 4.0 * static_cast<double>(visible() * hidden()); }
  double state_bytes(Index rows) const { return 4.0 * static_cast<double>(rows * (visible() + hidden())); }

  Rbm model;
};

/// A step of training: five products. The least traffic: the data and both layers' states once, written and
/// read; the weights read, and read and written by the update.
Job learning(const Setting& setting, Index hidden, Index batch, bool persistent) {
  const auto machine = std::make_shared<Machine>(setting, hidden);
  const Index rows = setting.size(batch, 8);
  const auto cd = std::make_shared<Contrast>(ContrastiveDivergence(
      machine->model.v, BlockGibbs({{machine->model.h}, {machine->model.v}}), {.persistent = persistent}));
  const Tensor data = bernoulli(Key(2), Tensor::full({rows, machine->visible()}, 0.19, setting.placement));
  const auto sgd = std::make_shared<Sgd>(SgdOptions{.learning_rate = 0.05});
  const auto carry = std::make_shared<Carry>();
  const auto step = std::make_shared<std::uint64_t>(0);
  const std::vector<Parameter> parameters = machine->model.graph.parameters();
  const Index nv = machine->visible(), nh = machine->hidden();
  return {.run =
              [=] {
                const State state = State().set(machine->model.v, data);
                sgd->step(parameters,
                          cd->evaluate(machine->model.graph, state, *carry, Key(3).fold((*step)++),
                                       {.metrics = false})
                              .gradients,
                          {});
              },
          .alone = products(setting,
                            {{rows, nh, nv}, {rows, nv, nh}, {rows, nh, nv}, {nv, nh, rows}, {nv, nh, rows}}),
          .units = static_cast<double>(rows),
          .flops = 10.0 * static_cast<double>(rows * nv * nh),
          .bytes = 3.0 * machine->weight_bytes() + 4.0 * machine->state_bytes(rows)};
}

Job sweeps(const Setting& setting) {
  constexpr Index kSweeps = 10;
  const auto machine = std::make_shared<Machine>(setting, 500);
  const Index chains = setting.size(10000, 8), nv = machine->visible(), nh = machine->hidden();
  const auto state = std::make_shared<State>(
      State().set(machine->model.v, bernoulli(Key(2), Tensor::full({chains, nv}, 0.19, setting.placement))));
  const auto sweep = std::make_shared<BlockGibbs>(std::vector<Block>{{machine->model.h}, {machine->model.v}});
  const auto run = std::make_shared<std::uint64_t>(0);
  const double all = static_cast<double>(kSweeps);
  return {
      .run = [=] { *state = gibbs(machine->model.graph, *sweep, *state, kSweeps, Key(3).fold((*run)++)); },
      .alone = products(setting, {{chains, nh, nv}, {chains, nv, nh}}, kSweeps),
      .units = all,
      .flops = 4.0 * all * static_cast<double>(chains * nv * nh),
      .bytes = all * (machine->weight_bytes() + 2.0 * machine->state_bytes(chains))};
}

Job annealing(const Setting& setting) {
  const auto machine = std::make_shared<Machine>(setting, 500);
  const Index chains = setting.size(10000, 8), temperatures = setting.size(1000, 10), nv = machine->visible(),
              nh = machine->hidden();
  const double all = static_cast<double>(temperatures);
  return {.run =
              [=] {
                annealed_importance(
                    machine->model.graph, {machine->model.v}, {machine->model.h},
                    {.chains = chains, .temperatures = uniform_ladder(temperatures), .key = Key(4)});
              },
          .alone = products(setting, {{chains, nh, nv}, {chains, nv, nh}}, temperatures),
          .units = all * static_cast<double>(chains),
          .flops = 4.0 * all * static_cast<double>(chains * nv * nh),
          .bytes = all * (machine->weight_bytes() + 2.0 * machine->state_bytes(chains))};
}

}  // namespace

std::vector<Case> rbm_cases() {
  std::vector<Case> cases;
  for (const bool persistent : {false, true}) {
    for (const Index hidden : {500, 4096}) {
      for (const Index batch : {128, 512, 2048, 8192}) {
        const bool is_small = batch <= 512, is_large = hidden == 4096 && batch >= 2048;
        cases.push_back(
            {.part = "rbm",
             .name = fmt::format("rbm_{}1_784x{}_b{}", persistent ? "pcd" : "cd", hidden, batch),
             .unit = "samples/s",
             .over_eager = is_small ? 2.0 : 0.0,
             .over_compiled = is_small ? 0.0 : 1.3,
             .share = is_large ? 0.7 : 0.0,
             .make = [=](const Setting& setting) { return learning(setting, hidden, batch, persistent); }});
      }
    }
  }
  cases.push_back({.part = "sampling",
                   .name = "gibbs_784x500_m10000",
                   .unit = "sweeps/s",
                   .over_compiled = 1.3,
                   .make = sweeps});
  cases.push_back({.part = "sampling",
                   .name = "ais_784x500_m10000_k1000",
                   .unit = "transitions/s",
                   .over_compiled = 1.3,
                   .make = annealing});
  return cases;
}

}  // namespace basin::benchmarks
