#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "benchmarks/cases.h"
#include "benchmarks/product.h"
#include "energy/factors/cross_entropy.h"
#include "energy/graph.h"
#include "energy/objectives/mean_energy.h"
#include "modules/activation.h"
#include "modules/linear.h"
#include "modules/sequential/sequential.h"
#include "training/optimizers/sgd.h"

namespace basin::benchmarks {
namespace {

constexpr std::array<Index, 9> kSizes{784, 1000, 500, 250, 30, 250, 500, 1000, 784};
constexpr std::size_t kLayers = kSizes.size() - 1;

/// Sigmoid units but for the code and the reconstruction's logits.
Sequential net(Key key) {
  Sequential layers;
  for (std::size_t i = 0; i < kLayers; ++i) {
    layers.add(Linear(kSizes[i], kSizes[i + 1], key.fold(i)));
    if (i != 3 && i + 1 != kLayers) layers.add(Activation(Activation::Kind::Sigmoid));
  }
  return layers;
}

void train(Index rows, const Arguments& arguments) {
  const std::string name = fmt::format("deep_ae_784_1000_500_250_30_b{}", rows);
  if (!arguments.wants(name)) return;
  FactorGraph graph;
  const Variable x = graph.real("x", {kSizes.front()});
  graph.add(CrossEntropy(x, net(Key(1)), x));
  const MeanEnergy objective;
  const State batch =
      State().set(x, bernoulli(Key(0).fold("data"), Tensor::full({rows, kSizes.front()}, 0.19)));
  const std::vector<Parameter> parameters = graph.parameters();
  Sgd sgd({.learning_rate = 0.01, .momentum = 0.9});
  Carry carry;
  std::uint64_t step = 0;
  std::vector<Product> products;
  for (std::size_t i = 0; i < kLayers; ++i) products.emplace_back(rows, kSizes[i + 1], kSizes[i]);
  measure(
      name, "samples/s", static_cast<double>(rows),
      [&] {
        sgd.step(parameters,
                 objective.evaluate(graph, batch, carry, Key(2).fold(step++), {.metrics = false}).gradients,
                 {});
      },
      [&] {  // the first layer needs no gradient of its input
        for (const Product& product : products) product.forward();
        for (const Product& product : products) product.gradient_of_weights();
        for (std::size_t i = 1; i < kLayers; ++i) products[i].gradient_of_input();
      },
      arguments);
}

}  // namespace

void deep_ae(const Arguments& arguments) {
  train(128, arguments);
  train(1000, arguments);
}

}  // namespace basin::benchmarks
