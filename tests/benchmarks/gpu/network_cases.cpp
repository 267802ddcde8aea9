#include <array>
#include <memory>
#include <utility>

#include "autograd/ops.h"
#include "benchmarks/gpu/gpu_case.h"
#include "energy/factors/cross_entropy.h"
#include "energy/factors/network.h"
#include "energy/factors/score.h"
#include "energy/objectives/contrast/exact_likelihood.h"
#include "energy/objectives/mean_energy.h"
#include "energy/sample/continuous/langevin.h"
#include "modules/activation.h"
#include "modules/flatten.h"
#include "modules/images/conv2d.h"
#include "modules/images/pool2d.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "tensor/random.h"
#include "training/optimizers/sgd.h"

namespace basin::benchmarks {
namespace {

/// Steps of an objective and stochastic gradients on one batch.
std::function<void()> training(std::shared_ptr<const FactorGraph> graph,
                               std::shared_ptr<const Objective> objective, State batch,
                               double momentum = 0.9) {
  const auto sgd = std::make_shared<Sgd>(SgdOptions{.learning_rate = 0.01, .momentum = momentum});
  const auto carry = std::make_shared<Carry>();
  const auto step = std::make_shared<std::uint64_t>(0);
  return [=, parameters = graph->parameters()] {
    sgd->step(
        parameters,
        objective->evaluate(*graph, batch, *carry, Key(2).fold((*step)++), {.metrics = false}).gradients, {});
  };
}

Sequential lenet5() {
  const Activation squash(Activation::Kind::Tanh);
  const Pool2d pool(Pool2d::Kind::Average, {2, 2});
  return Sequential()
      .add(Conv2d(1, 6, {5, 5}, Key(1), {.padding = {2, 2}}))
      .add(squash)
      .add(pool)
      .add(Conv2d(6, 16, {5, 5}, Key(2)))
      .add(squash)
      .add(pool)
      .add(Flatten())
      .add(Linear(400, 120, Key(3)))
      .add(squash)
      .add(Linear(120, 84, Key(4)))
      .add(squash)
      .add(Linear(84, 10, Key(5)));
}

Sequential conv32_64() {
  const Activation rectify(Activation::Kind::Relu);
  return Sequential()
      .add(Conv2d(1, 32, {3, 3}, Key(1), {.padding = {1, 1}}))
      .add(rectify)
      .add(Conv2d(32, 64, {3, 3}, Key(2), {.padding = {1, 1}}))
      .add(rectify)
      .add(Pool2d(Pool2d::Kind::Max, {2, 2}))
      .add(Flatten())
      .add(Linear(64 * 14 * 14, 128, Key(3)))
      .add(rectify)
      .add(Linear(128, 10, Key(4)));
}

/// `mflop` of arithmetic and `numbers` of activations an image, a step of training (forward, and backward
/// twice that).
Job convnet(const Setting& setting, Sequential net, Index batch, double mflop, double numbers) {
  const Index rows = setting.size(batch, 4);
  const auto graph = std::make_shared<FactorGraph>();
  const Variable image = graph->real("image", {1, 28, 28}), label = graph->categorical("label", {10});
  graph->add(Score(label, std::move(net), image));
  graph->to(setting.placement);
  const State state = State()
                          .set(image, normal(Key(1), {rows, 1, 28, 28}, setting.placement))
                          .set(label, largest(uniform(Key(3), {rows, 10}, setting.placement), 1));
  const double all = static_cast<double>(rows);
  return {.run = training(graph, std::make_shared<Contrast>(ConditionalLikelihood({label})), state),
          .units = all,
          .flops = mflop * 1e6 * all,
          .bytes = 4.0 * 4.0 * numbers * all};
}

constexpr std::array<Index, 9> kSizes{784, 1000, 500, 250, 30, 250, 500, 1000, 784};

Job deep_ae(const Setting& setting, Index batch) {
  const Index rows = setting.size(batch, 4);
  Sequential net;
  std::vector<std::array<Index, 3>> sizes;
  double weights = 0.0, numbers = 0.0;
  for (std::size_t i = 0; i + 1 < kSizes.size(); ++i) {
    const Index in = setting.size(kSizes[i], 6), out = setting.size(kSizes[i + 1], 6);
    net.add(Linear(in, out, Key(1).fold(i)));
    if (i != 3 && i + 2 != kSizes.size()) net.add(Activation(Activation::Kind::Sigmoid));
    sizes.insert(sizes.end(), {{rows, out, in}, {in, out, rows}});
    if (i > 0) sizes.push_back({rows, in, out});
    weights += static_cast<double>(in * out);
    numbers += static_cast<double>(rows * out);
  }
  const auto graph = std::make_shared<FactorGraph>();
  const Variable x = graph->real("x", {setting.size(784, 6)});
  graph->add(CrossEntropy(x, std::move(net), x));
  graph->to(setting.placement);
  const State state =
      State().set(x, bernoulli(Key(2), Tensor::full({rows, x.size()}, 0.19, setting.placement)));
  return {.run = training(graph, std::make_shared<MeanEnergy>(), state),
          .alone = products(setting, sizes),
          .units = static_cast<double>(rows),
          .flops = 6.0 * weights * static_cast<double>(rows),
          .bytes = 4.0 * (6.0 * weights + 6.0 * numbers)};
}

Job langevin(const Setting& setting) {
  const Index rows = setting.size(128, 4), steps = setting.size(60, 2), in = setting.size(784, 6),
              hidden = setting.size(512, 5);
  const auto graph = std::make_shared<FactorGraph>();
  const Variable x = graph->real("x", {in});
  graph->add(Network(Sequential()
                         .add(Linear(in, hidden, Key(1)))
                         .add(Activation(Activation::Kind::Silu))
                         .add(Linear(hidden, hidden, Key(2)))
                         .add(Activation(Activation::Kind::Silu))
                         .add(Linear(hidden, 1, Key(3))),
                     {x}));
  graph->to(setting.placement);
  const auto step = std::make_shared<Langevin>(Block{x}, LangevinOptions{.step = 0.005});
  const auto run = std::make_shared<std::uint64_t>(0);
  const Tensor start = uniform(Key(2), {rows, in}, setting.placement);
  const Value zero = Tensor::zeros({1}, setting.placement), one = Tensor::full({1}, 1.0, setting.placement);
  const double weights = static_cast<double>(in * hidden + hidden * hidden), all = static_cast<double>(steps);
  return {
      .run =
          [=] {
            const Key key = Key(4).fold((*run)++);
            State state = State().set(x, start);
            for (Index i = 0; i < steps; ++i) {
              state = (*step)(*graph, state, key.fold(static_cast<std::uint64_t>(i)));
              state.set(x, minimum(maximum(state[x], zero), one));
            }
          },
      .alone = products(
          setting, {{rows, hidden, in}, {rows, hidden, hidden}, {rows, hidden, hidden}, {rows, in, hidden}},
          steps),
      .units = all,
      .flops = 4.0 * all * weights * static_cast<double>(rows),
      .bytes = 4.0 * all * (2.0 * weights + 8.0 * static_cast<double>(rows * (in + 2 * hidden)))};
}

}  // namespace

std::vector<Case> network_cases() {
  std::vector<Case> cases;
  for (const Index batch : {128, 2048}) {
    const double eager = batch <= 512 ? 2.0 : 0.0, compiled = batch > 512 ? 1.3 : 0.0;
    cases.push_back(
        {.part = "networks",
         .name = "convnet_lenet5_b" + std::to_string(batch),
         .unit = "images/s",
         .over_eager = eager,
         .over_compiled = compiled,
         .make = [=](const Setting& setting) { return convnet(setting, lenet5(), batch, 2.264, 9580.0); }});
    cases.push_back({.part = "networks",
                     .name = "convnet_conv32_64_b" + std::to_string(batch),
                     .unit = "images/s",
                     .over_eager = eager,
                     .over_compiled = compiled,
                     .share = batch > 512 ? 0.7 : 0.0,
                     .make = [=](const Setting& setting) {
                       return convnet(setting, conv32_64(), batch, 97.25, 88000.0);
                     }});
    cases.push_back({.part = "networks",
                     .name = "deep_ae_784_1000_500_250_30_b" + std::to_string(batch),
                     .unit = "samples/s",
                     .over_eager = eager,
                     .over_compiled = compiled,
                     .make = [=](const Setting& setting) { return deep_ae(setting, batch); }});
  }
  cases.push_back({.part = "networks",
                   .name = "langevin_mlp_784_512_512_1_b128_k60",
                   .unit = "steps/s",
                   .over_eager = 2.0,
                   .make = langevin});
  return cases;
}

}  // namespace basin::benchmarks
